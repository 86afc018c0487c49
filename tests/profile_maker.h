/* Makes the bytes of profiles for tests, right or wrong, and shows profiles as text. */
#ifndef TESTS_PROFILE_MAKER_H
#define TESTS_PROFILE_MAKER_H

#include "core/buf.h"
#include "review/profile/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A message under construction. */
struct message {
    unsigned char bytes[65536];
    size_t size;
};

static inline void put_raw(struct message *message, uint64_t number)
{
    if (message->size + 10 > sizeof message->bytes)
        abort();
    for (; number >= 0x80; number >>= 7)
        message->bytes[message->size++] = (unsigned char)(number | 0x80);
    message->bytes[message->size++] = (unsigned char)number;
}

static inline void put_number(struct message *message, unsigned field, uint64_t number)
{
    put_raw(message, field << 3);
    put_raw(message, number);
}

static inline void put_bytes(struct message *message, unsigned field, const void *data, size_t size)
{
    put_raw(message, field << 3 | 2);
    put_raw(message, size);
    if (size > sizeof message->bytes - message->size)
        abort();
    memcpy(message->bytes + message->size, data, size);
    message->size += size;
}

static inline void put_text(struct message *message, unsigned field, const char *text)
{
    put_bytes(message, field, text, strlen(text));
}

static inline void put_message(struct message *message, unsigned field, const struct message *inner)
{
    put_bytes(message, field, inner->bytes, inner->size);
}

static inline const char *shown(const struct profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

static inline void show_sample(struct buf *out, const struct profile *profile, uint32_t index)
{
    const struct profile_sample *sample = &profile->samples[index];
    buf_puts(out, "sample");
    for (uint32_t i = 0; i < profile->sample_type_count; i++)
        buf_printf(
            out, " %" PRId64, profile->values[(size_t)index * profile->sample_type_count + i]);
    buf_puts(out, ":");
    for (uint32_t i = 0; i < sample->location_count; i++)
        buf_printf(out, " %" PRIu32, profile->stacks[sample->first_location + i]);
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct profile_label *label = &profile->labels[sample->first_label + i];
        if (label->text)
            buf_printf(out, " %s=%s", shown(profile, label->key), shown(profile, label->text));
        else
            buf_printf(out, " %s=%" PRId64 "%s", shown(profile, label->key), label->number,
                shown(profile, label->unit));
    }
    buf_puts(out, "\n");
}

static inline void show_parts(struct buf *out, const struct profile *profile)
{
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        buf_printf(out, "location %" PRIu64 " of mapping %d%s:", location->address,
            (int)location->mapping, location->is_folded ? " folded" : "");
        for (uint32_t j = 0; j < location->line_count; j++) {
            const struct profile_line *line = &profile->lines[location->first_line + j];
            buf_printf(out, " function %" PRIu32 " line %" PRId64 ",%" PRId64, line->function,
                line->line, line->column);
        }
        buf_puts(out, "\n");
    }
    for (uint32_t i = 0; i < profile->mapping_count; i++) {
        const struct profile_mapping *mapping = &profile->mappings[i];
        buf_printf(out, "mapping %" PRIu64 "-%" PRIu64 "+%" PRIu64 " %s %s %d%d%d%d\n",
            mapping->start, mapping->limit, mapping->offset, shown(profile, mapping->file),
            shown(profile, mapping->build_id), mapping->has_functions, mapping->has_filenames,
            mapping->has_line_numbers, mapping->has_inline_frames);
    }
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct profile_function *function = &profile->functions[i];
        buf_printf(out, "function %s (%s) %s:%" PRId64 "\n", shown(profile, function->name),
            shown(profile, function->system_name), shown(profile, function->file),
            function->start_line);
    }
}

/* All of a profile as text, which the caller frees: equal profiles have equal texts. */
static inline char *show_profile(const struct profile *profile)
{
    struct buf out;
    buf_init(&out, (size_t)1 << 30);
    for (uint32_t i = 0; i < profile->sample_type_count; i++)
        buf_printf(&out, "type %s/%s\n", shown(profile, profile->sample_types[i].type),
            shown(profile, profile->sample_types[i].unit));
    buf_printf(&out, "every %" PRId64 " %s/%s\n", profile->period,
        shown(profile, profile->period_type.type), shown(profile, profile->period_type.unit));
    buf_printf(&out, "at %" PRId64 " for %" PRId64 "\n", profile->time_ns, profile->duration_ns);
    buf_printf(&out, "drop %s keep %s default %s doc %s\n", shown(profile, profile->drop_frames),
        shown(profile, profile->keep_frames), shown(profile, profile->default_sample_type),
        shown(profile, profile->doc_url));
    for (uint32_t i = 0; i < profile->comment_count; i++)
        buf_printf(&out, "comment %s\n", shown(profile, profile->comments[i]));
    for (uint32_t i = 0; i < profile->sample_count; i++)
        show_sample(&out, profile, i);
    show_parts(&out, profile);
    return buf_take(&out);
}

#endif
