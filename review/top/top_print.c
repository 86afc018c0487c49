#include "core/alloc.h"
#include "core/buf.h"
#include "review/profile/hash_index.h"
#include "review/profile/measure.h"
#include "review/top/pattern_program.h"
#include "review/top/top.h"
#include "review/top/top_graph.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct printing {
    const struct top *top;
    char *(*safe)(const char *text);
    struct buf *out;
};

/* Text of others. */
static void print_text(const struct printing *printing, const char *text, size_t size)
{
    if (!printing->safe) {
        buf_append(printing->out, text, size);
        return;
    }
    char *safe = printing->safe(text);
    buf_puts(printing->out, safe);
    free(safe);
}

static const struct profile_string *string_of(const struct top *top, uint32_t string)
{
    return &top->profile->strings[string];
}

static void print_value(const struct printing *printing, int64_t value)
{
    struct buf label;
    buf_init(&label, SIZE_MAX / 4);
    measure_label(&label, value, printing->top->unit, printing->top->shown_unit);
    print_text(printing, label.data, label.size);
    buf_free(&label);
}

/* Characters, of which a stray byte is one. */
static size_t length_of(const char *text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0, step; i < size; i += step, length++)
        pattern_rune(text + i, size - i, &step);
    return length;
}

/* Aligned right in ten columns. */
static void print_column(const struct printing *printing, int64_t value)
{
    struct buf column;
    buf_init(&column, SIZE_MAX / 4);
    struct printing inner = *printing;
    inner.out = &column;
    print_value(&inner, value);
    size_t length = length_of(column.data, column.size);
    for (; length < 10; length++)
        buf_append(printing->out, " ", 1);
    buf_append(printing->out, column.data, column.size);
    buf_free(&column);
}

static void print_percent(const struct printing *printing, int64_t value)
{
    char text[MEASURE_PERCENT_SIZE];
    measure_percent(value, printing->top->total, text);
    buf_puts(printing->out, text);
}

struct comment_key {
    const struct top *top;
    uint32_t comment;
};

static bool same_comment(const void *arg, uint32_t index)
{
    const struct comment_key *key = arg;
    const struct profile_string *a = string_of(key->top, index);
    const struct profile_string *b = string_of(key->top, key->comment);
    return a->size == b->size && !memcmp(a->text, b->text, a->size);
}

/* Every one once; those that begin with # are not for people. */
static void print_comments(const struct printing *printing)
{
    const struct profile *profile = printing->top->profile;
    struct hash_index printed = {.slots = NULL};
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        struct comment_key key = {printing->top, profile->comments[i]};
        const struct profile_string *text = string_of(printing->top, key.comment);
        uint32_t hash = hash_finish(hash_bytes(0, text->text, text->size));
        if (hash_index_find(&printed, hash, same_comment, &key) != HASH_INDEX_NONE)
            continue;
        hash_index_add(&printed, hash, key.comment);
        if (text->size > 0 && text->text[0] == '#')
            continue;
        print_text(printing, text->text, text->size);
        buf_puts(printing->out, "\n");
    }
    hash_index_free(&printed);
}

/* "Nov 23, 2026 at 3:04pm (UTC)", in local time. */
static void print_time(struct buf *out, int64_t time_ns)
{
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const int64_t second = 1000000000;
    time_t seconds = (time_t)(time_ns / second - (time_ns % second < 0));
    struct tm local;
    if (!localtime_r(&seconds, &local))
        return;
    int hour = local.tm_hour % 12;
    buf_printf(out, "Time: %s %d, %04d at %d:%02d%s (%s)\n", months[local.tm_mon], local.tm_mday,
        local.tm_year + 1900, hour ? hour : 12, local.tm_min, local.tm_hour < 12 ? "am" : "pm",
        local.tm_zone);
}

static void print_duration(const struct printing *printing)
{
    const struct top *top = printing->top;
    const char *unit;
    int64_t duration_ns = top->profile->duration_ns;
    buf_puts(printing->out, "Duration: ");
    measure_label(printing->out, duration_ns, "nanoseconds", MEASURE_BEST);
    buf_puts(printing->out, ", Total samples = ");
    print_value(printing, top->total);
    buf_puts(printing->out, " ");
    double total_ns = measure_scale(top->total, top->unit, "nanoseconds", &unit);
    if (!strcmp(unit, "ns") && total_ns != 0) {
        char percent[MEASURE_PERCENT_SIZE];
        measure_percent(measure_integer(total_ns), duration_ns, percent);
        buf_printf(printing->out, "(%s)", percent);
    }
    buf_puts(printing->out, "\n");
}

static void print_profile(const struct printing *printing)
{
    const struct profile *profile = printing->top->profile;
    const char *program = top_graph_program(profile);
    struct buf *out = printing->out;
    if (*program) {
        struct shown_name base = top_graph_base(program);
        char *text = xstrndup(base.text, base.size);
        buf_puts(out, "File: ");
        print_text(printing, text, base.size);
        buf_puts(out, "\n");
        free(text);
    }
    if (profile->mapping_count > 0 &&
        string_of(printing->top, profile->mappings[0].build_id)->size) {
        const struct profile_string *id = string_of(printing->top, profile->mappings[0].build_id);
        buf_puts(out, "Build ID: ");
        print_text(printing, id->text, id->size);
        buf_puts(out, "\n");
    }
    print_comments(printing);
    const struct profile_string *type = string_of(
        printing->top, profile->sample_types[printing->top->sample_type].type);
    if (type->size > 0) {
        buf_puts(out, "Type: ");
        print_text(printing, type->text, type->size);
        buf_puts(out, "\n");
    }
    if (profile->time_ns)
        print_time(out, profile->time_ns);
    if (profile->duration_ns)
        print_duration(printing);
}

/* How much of it the table has. */
static void print_summary(const struct printing *printing)
{
    const struct top *top = printing->top;
    struct buf *out = printing->out;
    uint64_t flat = 0;
    char percent[MEASURE_PERCENT_SIZE];
    for (size_t i = 0; i < top->row_count; i++)
        flat += (uint64_t)top->rows[i].flat;
    measure_percent((int64_t)flat, top->total, percent);
    buf_puts(out, "Showing nodes accounting for ");
    print_value(printing, (int64_t)flat);
    buf_printf(out, ", %s of ", percent + strspn(percent, " "));
    print_value(printing, top->total);
    buf_puts(out, " total\n");
    if (top->total == 0)
        return;
    if (top->dropped_count > 0) {
        buf_printf(out, "Dropped %zu node%s (cum <= ", top->dropped_count,
            top->dropped_count > 1 ? "s" : "");
        print_value(
            printing, top_absolute((uint64_t)measure_integer((double)top->total * top->fraction)));
        buf_puts(out, ")\n");
    }
    if (top->row_count > 0 && top->row_count < top->kept_count)
        buf_printf(out, "Showing top %zu nodes out of %zu\n", top->row_count, top->kept_count);
}

void top_print(const struct top *top, char *(*safe)(const char *text), struct buf *out)
{
    static const char *const suffixes[] = {[TOP_NOT_INLINED] = "",
        [TOP_INLINED] = " (inline)",
        [TOP_PARTLY_INLINED] = " (partial-inline)"};
    struct printing printing = {top, safe, out};
    uint64_t sum = 0;
    print_profile(&printing);
    print_summary(&printing);
    buf_printf(out, "%10s %5s%% %5s%% %10s %5s%%\n", "flat", "flat", "sum", "cum", "cum");
    for (size_t i = 0; i < top->row_count; i++) {
        const struct top_row *row = &top->rows[i];
        sum += (uint64_t)row->flat;
        print_column(&printing, row->flat);
        buf_puts(out, " ");
        print_percent(&printing, row->flat);
        buf_puts(out, " ");
        print_percent(&printing, (int64_t)sum);
        buf_puts(out, " ");
        print_column(&printing, row->cum);
        buf_puts(out, " ");
        print_percent(&printing, row->cum);
        buf_puts(out, "  ");
        print_text(&printing, row->name, row->name_size);
        buf_puts(out, suffixes[row->inlined]);
        buf_puts(out, "\n");
    }
}
