#include "sources/prometheus/metrics_page.h"

#include "config/suggestion.h"
#include "core/metric_selector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 63 };

/* What is left of a line. */
struct cursor {
    const char *at, *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && is_blank(*cursor->at))
        cursor->at++;
}

static size_t left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static bool take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

/* Reads up to the closing quote, which is taken as well, and tells whether the text without its
 * escapes is `wanted` (NULL: nobody asks). False in *whole when it does not end. */
static bool value_is(struct cursor *cursor, const char *wanted, bool *whole)
{
    bool same = wanted != NULL;
    const char *at = cursor->at;
    for (; at < cursor->end && *at != '"'; at++) {
        char c = *at;
        if (c == '\\' && at + 1 < cursor->end)
            c = *++at == 'n' ? '\n' : *at;
        same = same && c && *wanted == c;
        if (same)
            wanted++;
    }
    *whole = at < cursor->end;
    cursor->at = at + *whole;
    return same && !*wanted;
}

/* The value of one label against what the selector says of it. */
static bool read_value(struct cursor *cursor, const struct metric_selector *selector,
    const char *name, size_t length, uint32_t *told)
{
    const struct cursor start = *cursor;
    bool whole = false, asked = false;
    for (size_t i = 0; i < selector->label_count; i++) {
        const struct selector_label *label = &selector->labels[i];
        if (strlen(label->name) != length || memcmp(label->name, name, length) != 0)
            continue;
        *cursor = start;
        asked = true;
        bool same = value_is(cursor, label->value, &whole);
        *told |= 1u << i; /* its value is known */
        if (same == label->differs)
            *told |= 1u << (16 + i); /* and is not what is wanted */
    }
    if (!asked)
        value_is(cursor, NULL, &whole);
    return whole;
}

/* {NAME="VALUE",...}; a comma may stand at the end. False when it is malformed. */
static bool read_labels(
    struct cursor *cursor, const struct metric_selector *selector, uint32_t *told)
{
    for (;;) {
        skip_blanks(cursor);
        if (take_char(cursor, '}'))
            return true;
        const char *name = cursor->at;
        size_t length = metric_selector_label_length(name, left(cursor));
        cursor->at += length;
        skip_blanks(cursor);
        if (!length || !take_char(cursor, '='))
            return false;
        skip_blanks(cursor);
        if (!take_char(cursor, '"') || !read_value(cursor, selector, name, length, told))
            return false;
        skip_blanks(cursor);
        if (!take_char(cursor, ',') && (cursor->at == cursor->end || *cursor->at != '}'))
            return false;
    }
}

/* A label that a series does not have is one that is empty. */
static bool matches(const struct metric_selector *selector, uint32_t told)
{
    for (size_t i = 0; i < selector->label_count; i++) {
        bool known = told & (1u << i);
        bool wrong = known ? (told & (1u << (16 + i))) != 0
                           : !*selector->labels[i].value == selector->labels[i].differs;
        if (wrong)
            return false;
    }
    return true;
}

/* As strconv.ParseFloat of Go reads it, which most pages are written for: also +Inf and NaN. */
static bool read_number(struct cursor *cursor, double *value)
{
    char text[NUMBER_MAX + 1], *end;
    size_t length = 0;
    while (length < left(cursor) && length < NUMBER_MAX && !is_blank(cursor->at[length]))
        length++;
    memcpy(text, cursor->at, length);
    text[length] = '\0';
    *value = strtod(text, &end);
    cursor->at += length;
    return length > 0 && length < NUMBER_MAX && *end == '\0';
}

/* The value, and behind it perhaps a timestamp and an exemplar, which begins with #. */
static bool read_rest(struct cursor *cursor, double *value, double *time)
{
    *time = NAN;
    skip_blanks(cursor);
    if (!read_number(cursor, value))
        return false;
    skip_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at != '#' &&
        (!read_number(cursor, time) || !isfinite(*time)))
        return false;
    skip_blanks(cursor);
    return cursor->at == cursor->end || *cursor->at == '#';
}

static void note_example(struct page_series *series, const char *from, const char *to)
{
    size_t length = (size_t)(to - from), room = sizeof series->example - 1;
    if (series->example[0] || length == 0)
        return;
    for (size_t i = 0; i < length && i < room; i++)
        series->example[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    if (length > room)
        memcpy(series->example + room - 3, "...", 3);
}

/* A sample of a series that has the wanted name. */
static bool take_sample(struct page_series *series, struct cursor cursor)
{
    uint32_t told = 0;
    double value, time;
    cursor.at += series->name_length;
    skip_blanks(&cursor);
    const char *labels = cursor.at;
    if (take_char(&cursor, '{') && !read_labels(&cursor, series->selector, &told))
        return false;
    const char *labels_end = cursor.at;
    if (!read_rest(&cursor, &value, &time))
        return false;
    series->named++;
    if (!matches(series->selector, told)) {
        note_example(series, labels, labels_end);
        return true;
    }
    series->sum = series->matched++ ? series->sum + value : value;
    if (isfinite(time)) {
        series->time = series->has_time && series->time > time ? series->time : time;
        series->has_time = true;
    }
    return true;
}

static bool has_word(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size == length && !memcmp(text, word, length);
}

/* What `type` means for the series that is called like the family with `suffix` behind it: 1 it
 * grows, 0 it does not, -1 it is no part of the family. */
static int grows(const char *type, size_t size, const char *suffix, size_t suffix_length)
{
    bool whole = suffix_length == 0;
    bool summed = has_word(suffix, suffix_length, "_sum") ||
                  has_word(suffix, suffix_length, "_count");
    if (has_word(type, size, "counter"))
        return whole || has_word(suffix, suffix_length, "_total") ? 1 : -1;
    if (has_word(type, size, "histogram"))
        return summed || has_word(suffix, suffix_length, "_bucket") ? 1 : whole ? 0 : -1;
    if (has_word(type, size, "summary"))
        return summed ? 1 : whole ? 0 : -1;
    return whole ? 0 : -1;
}

/* "# TYPE name counter". Other comments say nothing. */
static void take_comment(const struct metrics_page *page, struct cursor cursor)
{
    static const char type_word[] = "# TYPE ";
    if (left(&cursor) < sizeof type_word || memcmp(cursor.at, type_word, sizeof type_word - 1) != 0)
        return;
    cursor.at += sizeof type_word - 1;
    const char *family = cursor.at;
    size_t length = metric_selector_name_length(family, left(&cursor));
    cursor.at += length;
    skip_blanks(&cursor);
    size_t size = left(&cursor);
    while (size && is_blank(cursor.at[size - 1]))
        size--;
    for (size_t i = 0; length && size && i < page->count; i++) {
        struct page_series *series = &page->series[i];
        if (series->name_length < length || series->exact ||
            memcmp(series->selector->name, family, length) != 0)
            continue;
        int growing = grows(
            cursor.at, size, series->selector->name + length, series->name_length - length);
        if (growing >= 0)
            series->counter = growing;
        series->exact = growing >= 0 && series->name_length == length;
    }
}

/* The one that is nearest by its spelling, else one that holds the wanted name or is held by it. */
static void offer_name(struct page_series *series, const char *name)
{
    struct suggestion suggestion;
    const char *wanted = series->selector->name;
    enum { LEAST = 4 };
    suggestion_init(&suggestion, wanted);
    suggestion_offer(&suggestion, name);
    bool holds = strlen(name) >= LEAST && series->name_length >= LEAST &&
                 (strstr(name, wanted) || strstr(wanted, name));
    if (suggestion.best || (holds && !series->similar[0]))
        snprintf(series->similar, sizeof series->similar, "%s", name);
}

static void look_around(struct metrics_page *page, const char *line, size_t size)
{
    char name[METRICS_PAGE_EXAMPLE_SIZE];
    size_t length = metric_selector_name_length(line, size);
    if (length == 0 || length >= sizeof name)
        return;
    memcpy(name, line, length);
    name[length] = '\0';
    if (!strcmp(name, page->last_name))
        return;
    memcpy(page->last_name, name, length + 1);
    for (size_t i = 0; i < page->count; i++)
        if (strcmp(page->series[i].selector->name, name) != 0)
            offer_name(&page->series[i], name);
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static void malformed(struct metrics_page *page)
{
    if (page->malformed++ == 0)
        page->malformed_line = page->lines;
}

static bool is_named(const struct page_series *series, const char *line, size_t size)
{
    size_t length = series->name_length;
    return size > length && (line[length] == '{' || is_blank(line[length])) &&
           !memcmp(line, series->selector->name, length);
}

/* Most lines are of series that nobody wants: a comparison of one byte each. */
static void take_sample_line(
    struct metrics_page *page, const char *line, size_t size, bool too_long)
{
    bool good = begins_name(*line);
    if (good && page->look_around)
        look_around(page, line, size);
    for (size_t i = 0; good && i < page->count; i++)
        if (is_named(&page->series[i], line, size))
            good = !too_long && take_sample(&page->series[i], (struct cursor){line, line + size});
    if (!good)
        malformed(page);
    else
        page->samples++;
}

static void take_line(struct metrics_page *page, const char *line, size_t size)
{
    bool too_long = size >= METRICS_PAGE_LINE_MAX;
    page->lines++;
    if (size && line[size - 1] == '\r')
        size--;
    while (size && is_blank(*line)) {
        line++;
        size--;
    }
    if (!size)
        return;
    if (*line == '#')
        take_comment(page, (struct cursor){line, line + size});
    else
        take_sample_line(page, line, size, too_long);
}

/* A line that goes on in the next piece. Of a long one only its beginning is kept: what is missing
 * would be malformed anyway. */
static void carry(struct metrics_page *page, const char *data, size_t size)
{
    size_t room = sizeof page->carry - page->carried;
    size = size < room ? size : room;
    memcpy(page->carry + page->carried, data, size);
    page->carried += size;
}

static void end_carried(struct metrics_page *page)
{
    take_line(page, page->carry, page->carried);
    page->carried = 0;
}

void metrics_page_begin(
    struct metrics_page *page, struct page_series *series, size_t count, bool look)
{
    page->series = series;
    page->count = count;
    page->look_around = look;
    page->lines = page->samples = page->malformed = page->malformed_line = 0;
    page->carried = 0;
    page->last_name[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const struct metric_selector *selector = series[i].selector;
        series[i] = (struct page_series){
            .selector = selector, .name_length = strlen(selector->name)};
    }
}

void metrics_page_feed(struct metrics_page *page, const char *data, size_t size)
{
    const char *at = data, *end = data + size;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const char *to = line_end ? line_end : end;
        if (page->carried || !line_end)
            carry(page, at, (size_t)(to - at));
        else
            take_line(page, at, (size_t)(to - at));
        if (line_end && page->carried)
            end_carried(page);
        at = to + 1;
    }
}

void metrics_page_end(struct metrics_page *page)
{
    if (page->carried)
        end_carried(page);
}
