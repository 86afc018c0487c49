#include "review/profile/profile_merge.h"

#include "core/alloc.h"
#include "core/error.h"
#include "review/profile/array.h"
#include "review/profile/measure.h"
#include "review/profile/profile_merge_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct profile_merge {
    struct profile *sum;
    struct merge_parts parts;
    struct hash_index samples, comments;
    uint32_t sample_capacity, value_capacity, stack_capacity, label_capacity, comment_capacity;
    bool begun; /* the sum has the first profile's types */
};

struct profile_merge *profile_merge_open(void)
{
    struct profile_merge *merge = xcalloc(1, sizeof *merge);
    merge->sum = xcalloc(1, sizeof *merge->sum);
    merge_parts_init(&merge->parts, merge->sum);
    return merge;
}

void profile_merge_free(struct profile_merge *merge)
{
    if (!merge)
        return;
    merge_parts_free(&merge->parts);
    hash_index_free(&merge->samples);
    hash_index_free(&merge->comments);
    profile_free(merge->sum);
    free(merge);
}

static const char *text_of(const struct profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

/* "samples/count, cpu/nanoseconds" */
static void describe_types(const struct profile *profile, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < profile->sample_type_count && used < size; i++) {
        const struct profile_value_type *type = &profile->sample_types[i];
        int length = snprintf(text + used, size - used, "%s%s/%s", i ? ", " : "",
            text_of(profile, type->type), text_of(profile, type->unit));
        used += length > 0 ? (size_t)length : size;
    }
}

static bool same_kind(const struct profile *a, struct profile_value_type a_type,
    const struct profile *b, struct profile_value_type b_type)
{
    double ratio;
    return !strcmp(text_of(a, a_type.type), text_of(b, b_type.type)) &&
           measure_ratio(text_of(a, a_type.unit), text_of(b, b_type.unit), &ratio);
}

static int check_kind(const struct profile *sum, const struct profile *profile, struct error *err)
{
    bool same = sum->sample_type_count == profile->sample_type_count;
    for (uint32_t i = 0; same && i < sum->sample_type_count; i++)
        same = same_kind(sum, sum->sample_types[i], profile, profile->sample_types[i]);
    if (!same) {
        char here[200], before[200];
        describe_types(profile, here, sizeof here);
        describe_types(sum, before, sizeof before);
        return error_set(
            err, "the profile is of another kind than those before it: %s, not %s", here, before);
    }
    if (same_kind(sum, sum->period_type, profile, profile->period_type))
        return 0;
    return error_set(err,
        "the profile was sampled by another measure than those before it: %.80s/%.80s, not "
        "%.80s/%.80s",
        text_of(profile, profile->period_type.type), text_of(profile, profile->period_type.unit),
        text_of(sum, sum->period_type.type), text_of(sum, sum->period_type.unit));
}

static bool fits(uint64_t count, uint64_t more)
{
    return count + more < UINT32_MAX;
}

/* Counts are 32 bits; nothing that is added may be more than it was. */
static int check_size(const struct profile *sum, const struct profile *profile, struct error *err)
{
    uint64_t types = profile->sample_type_count;
    if (fits(sum->sample_count * types, profile->sample_count * types) &&
        fits(sum->string_count, profile->string_count) &&
        fits(sum->sample_count, profile->sample_count) &&
        fits(sum->stack_count, profile->stack_count) &&
        fits(sum->label_count, profile->label_count) &&
        fits(sum->mapping_count, profile->mapping_count) &&
        fits(sum->location_count, profile->location_count) &&
        fits(sum->line_count, profile->line_count) &&
        fits(sum->function_count, profile->function_count) &&
        fits(sum->comment_count, profile->comment_count))
        return 0;
    return error_set(err, "the profile cannot be added: the sum would be too large");
}

static struct profile_value_type merge_value_type(
    struct profile_merge *merge, struct merge_source *source, struct profile_value_type type)
{
    return (struct profile_value_type){merge_string(&merge->parts, source, type.type),
        merge_string(&merge->parts, source, type.unit)};
}

static void begin(struct profile_merge *merge, struct merge_source *source)
{
    struct profile *sum = merge->sum;
    const struct profile *profile = source->profile;
    merge->begun = true;
    sum->sample_type_count = profile->sample_type_count;
    sum->sample_types = xcalloc(profile->sample_type_count, sizeof *sum->sample_types);
    for (uint32_t i = 0; i < profile->sample_type_count; i++)
        sum->sample_types[i] = merge_value_type(merge, source, profile->sample_types[i]);
    sum->period_type = merge_value_type(merge, source, profile->period_type);
    sum->drop_frames = merge_string(&merge->parts, source, profile->drop_frames);
    sum->keep_frames = merge_string(&merge->parts, source, profile->keep_frames);
}

static int64_t scaled(int64_t value, double ratio)
{
    /* Most units are the same, and a double does not hold every 64-bit number. */
    if (ratio == 1)
        return value;
    double product = round((double)value * ratio);
    if (product >= 0x1p63)
        return INT64_MAX;
    return product < -0x1p63 ? INT64_MIN : (int64_t)product;
}

/* Sums wrap around, which is defined for unsigned numbers only. */
static int64_t added(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* By what to multiply the profile's values of a type for the sum; when the profile's unit is the
 * finer one, the sum takes it over, and *sum_ratio is what its values have to be multiplied by. */
static double ratio_to_sum(struct profile_merge *merge, struct merge_source *source,
    struct profile_value_type *sum_type, uint32_t unit, double *sum_ratio)
{
    double ratio;
    *sum_ratio = 1;
    measure_ratio(text_of(source->profile, unit), text_of(merge->sum, sum_type->unit), &ratio);
    if (ratio >= 1)
        return ratio;
    measure_ratio(text_of(merge->sum, sum_type->unit), text_of(source->profile, unit), sum_ratio);
    sum_type->unit = merge_string(&merge->parts, source, unit);
    return 1;
}

static void find_ratios(struct profile_merge *merge, struct merge_source *source, double *ratios)
{
    struct profile *sum = merge->sum;
    uint32_t types = sum->sample_type_count;
    for (uint32_t type = 0; type < types; type++) {
        double sum_ratio;
        ratios[type] = ratio_to_sum(merge, source, &sum->sample_types[type],
            source->profile->sample_types[type].unit, &sum_ratio);
        if (sum_ratio == 1)
            continue;
        for (uint32_t i = 0; i < sum->sample_count; i++) {
            int64_t *value = &sum->values[(size_t)i * types + type];
            *value = scaled(*value, sum_ratio);
        }
    }
}

struct comment_key {
    const struct profile *sum;
    uint32_t comment;
};

static bool same_comment(const void *arg, uint32_t index)
{
    const struct comment_key *key = arg;
    return key->sum->comments[index] == key->comment;
}

static void add_comments(struct profile_merge *merge, struct merge_source *source)
{
    struct profile *sum = merge->sum;
    for (uint32_t i = 0; i < source->profile->comment_count; i++) {
        struct comment_key key = {
            sum, merge_string(&merge->parts, source, source->profile->comments[i])};
        uint32_t hash = hash_finish(key.comment);
        if (hash_index_find(&merge->comments, hash, same_comment, &key) != HASH_INDEX_NONE)
            continue;
        sum->comments = array_room(
            sum->comments, sum->comment_count, 1, &merge->comment_capacity, sizeof *sum->comments);
        hash_index_add(&merge->comments, hash, sum->comment_count);
        sum->comments[sum->comment_count++] = key.comment;
    }
}

static void add_header(struct profile_merge *merge, struct merge_source *source)
{
    struct profile *sum = merge->sum;
    const struct profile *profile = source->profile;
    double sum_ratio;
    double ratio = ratio_to_sum(
        merge, source, &sum->period_type, profile->period_type.unit, &sum_ratio);
    int64_t period = scaled(profile->period, ratio);
    sum->period = scaled(sum->period, sum_ratio);
    if (sum->period == 0 || period > sum->period)
        sum->period = period;
    if (profile->time_ns && (sum->time_ns == 0 || profile->time_ns < sum->time_ns))
        sum->time_ns = profile->time_ns;
    sum->duration_ns = added(sum->duration_ns, profile->duration_ns);
    if (sum->default_sample_type == 0)
        sum->default_sample_type = merge_string(
            &merge->parts, source, profile->default_sample_type);
    if (sum->doc_url == 0)
        sum->doc_url = merge_string(&merge->parts, source, profile->doc_url);
    add_comments(merge, source);
}

/* Labels are compared in one order: texts first, then by key. Those of one key stay in theirs. */
struct ordered_label {
    struct profile_label label;
    const struct profile_string *key;
    uint32_t position;
};

static int compare_labels(const void *left, const void *right)
{
    const struct ordered_label *a = left, *b = right;
    if (!a->label.text != !b->label.text)
        return !a->label.text - !b->label.text;
    if (a->label.key != b->label.key) {
        uint32_t shorter = a->key->size < b->key->size ? a->key->size : b->key->size;
        int order = memcmp(a->key->text, b->key->text, shorter);
        return order ? order : (a->key->size > b->key->size) - (a->key->size < b->key->size);
    }
    return (a->position > b->position) - (a->position < b->position);
}

static void sort_labels(struct profile *sum, uint32_t first, uint32_t count)
{
    struct ordered_label *ordered = xcalloc(count, sizeof *ordered);
    for (uint32_t i = 0; i < count; i++) {
        struct profile_label label = sum->labels[first + i];
        ordered[i] = (struct ordered_label){label, &sum->strings[label.key], i};
    }
    qsort(ordered, count, sizeof *ordered, compare_labels);
    for (uint32_t i = 0; i < count; i++)
        sum->labels[first + i] = ordered[i].label;
    free(ordered);
}

/* Appends a sample's stack and labels to those of the sum. */
static void add_stack(struct profile_merge *merge, struct merge_source *source,
    const struct profile_sample *sample, struct profile_sample *added_sample)
{
    struct profile *sum = merge->sum;
    const struct profile *profile = source->profile;
    added_sample->first_location = sum->stack_count;
    added_sample->first_label = sum->label_count;
    sum->stacks = array_room(sum->stacks, sum->stack_count, sample->location_count,
        &merge->stack_capacity, sizeof *sum->stacks);
    for (uint32_t i = 0; i < sample->location_count; i++)
        sum->stacks[sum->stack_count++] = merge_location(
            &merge->parts, source, profile->stacks[sample->first_location + i]);
    sum->labels = array_room(sum->labels, sum->label_count, sample->label_count,
        &merge->label_capacity, sizeof *sum->labels);
    for (uint32_t i = 0; i < sample->label_count; i++) {
        struct profile_label label = profile->labels[sample->first_label + i];
        bool textual = label.text != 0;
        label.key = merge_string(&merge->parts, source, label.key);
        label.text = merge_string(&merge->parts, source, label.text);
        label.unit = merge_string(&merge->parts, source, label.unit);
        /* An empty text cannot be written: it means that there is none. */
        if (textual ? label.text != 0 : label.number != 0 || label.unit != 0)
            sum->labels[sum->label_count++] = label;
    }
    added_sample->location_count = sample->location_count;
    added_sample->label_count = sum->label_count - added_sample->first_label;
    if (added_sample->label_count > 1)
        sort_labels(sum, added_sample->first_label, added_sample->label_count);
}

static uint32_t sample_hash(const struct profile *sum, const struct profile_sample *sample)
{
    uint64_t hash = sample->location_count;
    for (uint32_t i = 0; i < sample->location_count; i++)
        hash = hash_number(hash, sum->stacks[sample->first_location + i]);
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct profile_label *label = &sum->labels[sample->first_label + i];
        hash = hash_number(hash, (uint64_t)label->key << 32 | label->text);
        hash = hash_number(hash_number(hash, (uint64_t)label->number), label->unit);
    }
    return hash_finish(hash);
}

struct sample_key {
    const struct profile *sum;
    const struct profile_sample *sample;
};

static bool same_sample(const void *arg, uint32_t index)
{
    const struct sample_key *key = arg;
    const struct profile *sum = key->sum;
    const struct profile_sample *a = key->sample, *b = &sum->samples[index];
    if (a->location_count != b->location_count || a->label_count != b->label_count)
        return false;
    for (uint32_t i = 0; i < a->location_count; i++)
        if (sum->stacks[a->first_location + i] != sum->stacks[b->first_location + i])
            return false;
    for (uint32_t i = 0; i < a->label_count; i++) {
        const struct profile_label *left = &sum->labels[a->first_label + i];
        const struct profile_label *right = &sum->labels[b->first_label + i];
        if (left->key != right->key || left->text != right->text || left->number != right->number ||
            left->unit != right->unit)
            return false;
    }
    return true;
}

/* The sum's values of the sample that has this stack and these labels; new ones are 0. */
static int64_t *values_for(
    struct profile_merge *merge, struct merge_source *source, const struct profile_sample *sample)
{
    struct profile *sum = merge->sum;
    uint32_t types = sum->sample_type_count;
    struct profile_sample candidate;
    add_stack(merge, source, sample, &candidate);
    struct sample_key key = {sum, &candidate};
    uint32_t hash = sample_hash(sum, &candidate);
    uint32_t index = hash_index_find(&merge->samples, hash, same_sample, &key);
    if (index != HASH_INDEX_NONE) {
        sum->stack_count = candidate.first_location;
        sum->label_count = candidate.first_label;
        return sum->values + (size_t)index * types;
    }
    index = sum->sample_count++;
    sum->samples = array_room(
        sum->samples, index, 1, &merge->sample_capacity, sizeof *sum->samples);
    sum->values = array_room(
        sum->values, index * types, types, &merge->value_capacity, sizeof *sum->values);
    sum->samples[index] = candidate;
    hash_index_add(&merge->samples, hash, index);
    int64_t *values = sum->values + (size_t)index * types;
    memset(values, 0, types * sizeof *values);
    return values;
}

static bool all_zero(const int64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (values[i])
            return false;
    return true;
}

static void add_samples(
    struct profile_merge *merge, struct merge_source *source, const double *ratios)
{
    const struct profile *profile = source->profile;
    uint32_t types = profile->sample_type_count;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const int64_t *from = profile->values + (size_t)i * types;
        if (all_zero(from, types))
            continue;
        int64_t *to = values_for(merge, source, &profile->samples[i]);
        for (uint32_t type = 0; type < types; type++)
            to[type] = added(to[type], scaled(from[type], ratios[type]));
    }
}

int profile_merge_add(struct profile_merge *merge, const struct profile *profile, struct error *err)
{
    if ((merge->begun && check_kind(merge->sum, profile, err) < 0) ||
        check_size(merge->sum, profile, err) < 0)
        return -1;
    struct merge_source source;
    merge_source_init(&source, profile);
    if (!merge->begun)
        begin(merge, &source);
    double *ratios = xcalloc(profile->sample_type_count, sizeof *ratios);
    find_ratios(merge, &source, ratios);
    add_header(merge, &source);
    /* The first mapping is the program itself, and stays the first. */
    if (merge->sum->mapping_count == 0 && profile->mapping_count > 0)
        merge_mapping(&merge->parts, &source, 0);
    add_samples(merge, &source, ratios);
    free(ratios);
    merge_source_free(&source);
    return 0;
}

static bool has_zero_sample(const struct profile *profile)
{
    uint32_t types = profile->sample_type_count;
    for (uint32_t i = 0; i < profile->sample_count; i++)
        if (all_zero(profile->values + (size_t)i * types, types))
            return true;
    return false;
}

struct profile *profile_merge_close(struct profile_merge *merge)
{
    struct profile *sum = merge->sum;
    merge->sum = NULL;
    profile_merge_free(merge);
    if (!has_zero_sample(sum))
        return sum;
    /* Merged with nothing, it loses such samples and what they referred to. */
    struct profile_merge *again = profile_merge_open();
    profile_merge_add(again, sum, NULL);
    profile_free(sum);
    sum = again->sum;
    again->sum = NULL;
    profile_merge_free(again);
    return sum;
}
