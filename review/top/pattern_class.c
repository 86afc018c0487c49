#include "review/top/pattern_parser.h"

#include "core/alloc.h"
#include "review/profile/array.h"

#include <stdlib.h>
#include <string.h>

void pattern_add_range(struct parser *parser, int32_t low, int32_t high)
{
    struct pattern *pattern = parser->pattern;
    if (pattern->range_count >= PROGRAM_MAX) {
        pattern_fail(parser, PATTERN_TOO_LARGE);
        return;
    }
    pattern->ranges = array_room(pattern->ranges, pattern->range_count, 1, &pattern->range_capacity,
        sizeof *pattern->ranges);
    pattern->ranges[pattern->range_count++] = (struct rune_range){low, high};
}

/* The part of a range that is within another, moved. */
static void add_moved(
    struct parser *parser, int32_t low, int32_t high, struct rune_range within, int32_t by)
{
    low = low > within.low ? low : within.low;
    high = high < within.high ? high : within.high;
    if (low <= high)
        pattern_add_range(parser, low + by, high + by);
}

/* A range, and what is the same in the other case, if case does not matter. The Kelvin sign is a k,
 * the long s an s; other letters beyond ASCII are only themselves. */
static void add_folded(struct parser *parser, int32_t low, int32_t high)
{
    static const struct {
        struct rune_range within;
        int32_t by;
    } others[] = {{{'a', 'z'}, 'A' - 'a'}, {{'A', 'Z'}, 'a' - 'A'}, {{'k', 'k'}, 0x212a - 'k'},
        {{'K', 'K'}, 0x212a - 'K'}, {{0x212a, 0x212a}, 'k' - 0x212a},
        {{0x212a, 0x212a}, 'K' - 0x212a}, {{'s', 's'}, 0x17f - 's'}, {{'S', 'S'}, 0x17f - 'S'},
        {{0x17f, 0x17f}, 's' - 0x17f}, {{0x17f, 0x17f}, 'S' - 0x17f}};
    pattern_add_range(parser, low, high);
    if (parser->flags & FOLD_CASE)
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            add_moved(parser, low, high, others[i].within, others[i].by);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct rune_range *left = a, *right = b;
    return (left->low > right->low) - (left->low < right->low);
}

/* Replaces the ranges from there on by all that is in none of them. */
static void negate(struct parser *parser, uint32_t from)
{
    struct pattern *pattern = parser->pattern;
    uint32_t count = pattern->range_count - from;
    if (count == 0) {
        pattern_add_range(parser, 0, RUNE_MAX);
        return;
    }
    struct rune_range *ranges = xcalloc(count, sizeof *ranges);
    memcpy(ranges, pattern->ranges + from, count * sizeof *ranges);
    qsort(ranges, count, sizeof *ranges, compare_ranges);
    pattern->range_count = from;
    int32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ranges[i].low > next)
            pattern_add_range(parser, next, ranges[i].low - 1);
        next = ranges[i].high >= next ? ranges[i].high + 1 : next;
    }
    if (next <= RUNE_MAX)
        pattern_add_range(parser, next, RUNE_MAX);
    free(ranges);
}

void pattern_add_rune(struct parser *parser, int32_t rune)
{
    if (rune != RUNE_NONE)
        add_folded(parser, rune, rune);
}

/* Named classes as ranges of two characters each. */
static const struct named_class {
    const char *name, *ranges;
} escapes[] = {{"\\d", "09"}, {"\\s", "\t\n\f\r  "}, {"\\w", "09AZ__az"}},
  posix[] = {{"alnum:]", "09AZaz"}, {"alpha:]", "AZaz"}, {"blank:]", "\t\t  "}, {"digit:]", "09"},
      {"graph:]", "!~"}, {"lower:]", "az"}, {"print:]", " ~"}, {"punct:]", "!/:@[`{~"},
      {"space:]", "\t\r  "}, {"upper:]", "AZ"}, {"word:]", "09AZ__az"}, {"xdigit:]", "09AFaf"}};

static void add_named(struct parser *parser, const char *ranges, bool negated)
{
    uint32_t from = parser->pattern->range_count;
    for (; *ranges; ranges += 2)
        add_folded(parser, ranges[0], ranges[1]);
    if (negated)
        negate(parser, from);
}

bool pattern_accept_escaped_class(struct parser *parser)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        char negated[3] = {'\\', (char)(escapes[i].name[1] - 'a' + 'A'), '\0'};
        bool is_negated = pattern_accept(parser, negated);
        if (is_negated || pattern_accept(parser, escapes[i].name)) {
            add_named(parser, escapes[i].ranges, is_negated);
            return true;
        }
    }
    if (pattern_starts(parser, "\\p") || pattern_starts(parser, "\\P"))
        pattern_fail(parser, PATTERN_NOT_SUPPORTED);
    return false;
}

static const char *find(const struct parser *parser, const char *text)
{
    return memmem(parser->at, (size_t)(parser->end - parser->at), text, strlen(text));
}

/* [:alpha:] within a class; false when there is none. */
static bool accept_posix_class(struct parser *parser)
{
    if (!pattern_starts(parser, "[:") || parser->end - parser->at < 3)
        return false;
    parser->at += 2;
    if (!find(parser, ":]")) {
        parser->at -= 2;
        return false;
    }
    bool negated = pattern_accept(parser, "^");
    if (pattern_starts(parser, "ascii:]") || pattern_starts(parser, "cntrl:]")) {
        bool ascii = *parser->at == 'a';
        uint32_t from = parser->pattern->range_count;
        add_folded(parser, 0, ascii ? 0x7f : 0x1f);
        if (!ascii)
            add_folded(parser, 0x7f, 0x7f);
        if (negated)
            negate(parser, from);
        parser->at += strlen("ascii:]");
        return true;
    }
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++)
        if (pattern_accept(parser, posix[i].name)) {
            add_named(parser, posix[i].ranges, negated);
            return true;
        }
    pattern_fail(parser, PATTERN_WRONG);
    return true;
}

static int digit_of(int32_t rune, int base)
{
    int digit = rune >= '0' && rune <= '9'   ? rune - '0'
                : rune >= 'a' && rune <= 'f' ? rune - 'a' + 10
                : rune >= 'A' && rune <= 'F' ? rune - 'A' + 10
                                             : base;
    return digit < base ? digit : -1;
}

static int32_t wrong_rune(struct parser *parser)
{
    pattern_fail(parser, PATTERN_WRONG);
    return RUNE_NONE;
}

/* Behind \x */
static int32_t take_hex(struct parser *parser)
{
    int32_t value = 0;
    if (!pattern_accept(parser, "{")) {
        int high = digit_of(pattern_take_rune(parser), 16);
        int low = digit_of(pattern_take_rune(parser), 16);
        return high < 0 || low < 0 ? wrong_rune(parser) : high * 16 + low;
    }
    if (pattern_starts(parser, "}"))
        return wrong_rune(parser);
    while (parser->status == PATTERN_OK && !pattern_accept(parser, "}")) {
        int digit = digit_of(pattern_take_rune(parser), 16);
        value = value * 16 + digit;
        if (digit < 0 || value > RUNE_MAX)
            return wrong_rune(parser);
    }
    return value;
}

int32_t pattern_take_escape(struct parser *parser)
{
    static const char letters[] = "afnrtv", meant[] = "\a\f\n\r\t\v";
    int32_t rune = pattern_take_rune(parser);
    if (rune == RUNE_NONE)
        return rune;
    const char *letter = rune && rune < 0x80 ? strchr(letters, (char)rune) : NULL;
    if (letter)
        return meant[letter - letters];
    if (rune == 'x')
        return take_hex(parser);
    int digit = digit_of(rune, 8);
    bool more = parser->at < parser->end && digit_of(*parser->at, 8) >= 0;
    if (digit == 0 || (digit > 0 && more)) {
        for (int i = 1; i < 3 && parser->at < parser->end && digit_of(*parser->at, 8) >= 0; i++)
            digit = digit * 8 + digit_of(*parser->at++, 8);
        return digit;
    }
    bool is_letter = (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') ||
                     (rune >= '0' && rune <= '9');
    return rune < 0x80 && !is_letter ? rune : wrong_rune(parser);
}

static int32_t take_class_rune(struct parser *parser)
{
    return pattern_accept(parser, "\\") ? pattern_take_escape(parser) : pattern_take_rune(parser);
}

void pattern_take_class(struct parser *parser)
{
    uint32_t from = parser->pattern->range_count;
    bool negated = pattern_accept(parser, "^");
    for (bool first = true; parser->status == PATTERN_OK && (first || !pattern_starts(parser, "]"));
         first = false) {
        if (accept_posix_class(parser) || pattern_accept_escaped_class(parser))
            continue;
        int32_t low = take_class_rune(parser), high = low;
        if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']') {
            parser->at++;
            high = take_class_rune(parser);
        }
        if (high < low)
            pattern_fail(parser, PATTERN_WRONG);
        else
            add_folded(parser, low, high);
    }
    pattern_accept(parser, "]");
    if (negated)
        negate(parser, from);
}
