#include "config/units.h"

#include "core/error.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Doubles hold every whole number up to 2^53: nothing here needs more. */
#define LARGEST 9e15

struct scale {
    const char *suffix;
    int64_t factor;
};

/* From large to small, as formatting looks for the largest that fits. */
static const struct scale durations[] = {
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
    {NULL, 0},
};

static const struct scale sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"TB", INT64_C(1000000000000)},
    {"GiB", 1 << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1 << 10},
    {"KB", 1000},
    {"B", 1},
    {NULL, 0},
};

/* A long text is cut in messages. */
#define QUOTED "\"%.60s\""

/* Digits with or without decimals; what follows them is the suffix. */
static int read_number(const char *text, double *number, const char **suffix)
{
    const char *c = text;
    while (isdigit((unsigned char)*c))
        c++;
    if (c == text)
        return -1;
    if (c[0] == '.' && isdigit((unsigned char)c[1])) {
        c++;
        while (isdigit((unsigned char)*c))
            c++;
    }
    if (c - text > 32)
        return -1;
    char digits[40];
    snprintf(digits, sizeof digits, "%.*s", (int)(c - text), text);
    *number = strtod(digits, NULL);
    *suffix = c;
    return *number > LARGEST ? -1 : 0;
}

static const struct scale *find_scale(const struct scale *scales, const char *suffix, bool exact)
{
    for (const struct scale *scale = scales; scale->suffix; scale++)
        if (exact ? !strcmp(scale->suffix, suffix) : !strcasecmp(scale->suffix, suffix))
            return scale;
    return NULL;
}

/* number * factor, rounded, when it is small enough. */
static int scale_number(double number, const struct scale *scale, double *scaled)
{
    *scaled = number * (double)scale->factor;
    return *scaled > LARGEST ? -1 : 0;
}

static int64_t rounded(double number)
{
    return (int64_t)(number + 0.5);
}

/* A duration in ms, whole or not. -1: it is none; *bare: it is a number without a unit. */
static int read_ms(const char *text, double *ms, bool *bare)
{
    double number;
    const char *suffix;
    *bare = false;
    if (read_number(text, &number, &suffix) < 0)
        return -1;
    const struct scale *scale = find_scale(durations, suffix, true);
    *bare = !*suffix;
    return scale ? scale_number(number, scale, ms) : -1;
}

int units_read_duration(const char *text, int64_t *ms, struct error *err)
{
    double exact;
    bool bare;
    if (read_ms(text, &exact, &bare) == 0) {
        *ms = rounded(exact);
        return 0;
    }
    if (bare)
        return error_set(
            err, "%s has no unit; write %ss for seconds, %sd for days", text, text, text);
    return error_set(
        err, QUOTED " is not a duration; write it like 500ms, 10s, 5m, 2h or 7d", text);
}

int units_read_bytes(const char *text, int64_t *bytes, struct error *err)
{
    double number, scaled;
    const char *suffix;
    if (read_number(text, &number, &suffix) == 0) {
        const struct scale *scale = find_scale(sizes, *suffix ? suffix : "B", true);
        if (scale && scale_number(number, scale, &scaled) == 0) {
            *bytes = rounded(scaled);
            return 0;
        }
        scale = find_scale(sizes, suffix, false);
        if (scale)
            return error_set(err, "%s: units are in capitals; write %.*s%s", text,
                (int)(suffix - text), text, scale->suffix);
    }
    return error_set(
        err, QUOTED " is not a number of bytes; write it like 512KiB, 64MiB, 10MB or 4096", text);
}

int units_read_integer(const char *text, int64_t *number, struct error *err)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t length = strlen(digits);
    if (length >= 1 && length <= 17 && strspn(digits, "0123456789") == length) {
        *number = strtoll(text, NULL, 10);
        return 0;
    }
    return error_set(err, QUOTED " is not a whole number", text);
}

int units_read_number(const char *text, double *number, struct error *err)
{
    const char *suffix;
    if (read_number(text, number, &suffix) == 0 && !*suffix)
        return 0;
    return error_set(err, QUOTED " is not a number; write it like 8 or 2.5", text);
}

static int read_percent(const char *text, const char *metric, double *value, struct error *err)
{
    const char *suffix;
    if (read_number(text, value, &suffix) == 0) {
        if (!strcmp(suffix, "%"))
            return 0;
        if (!*suffix && *value > 0 && *value <= 1)
            return error_set(err, "%s has no unit; %s is in %%, write %g%% (or %s%%)", text, metric,
                *value * 100, text);
        if (!*suffix)
            return error_set(err, "%s has no unit; %s is in %%, write %s%%", text, metric, text);
    }
    return error_set(err, QUOTED " is not a share; %s is in %%, write it like 80%%", text, metric);
}

static int read_rate(const char *text, const char *metric, double *value, struct error *err)
{
    double number;
    const char *suffix;
    if (read_number(text, &number, &suffix) == 0) {
        char unit[8];
        size_t length = strlen(suffix);
        bool per_second = length > 2 && !strcmp(suffix + length - 2, "/s");
        snprintf(unit, sizeof unit, "%.*s", (int)(per_second ? length - 2 : length), suffix);
        const struct scale *scale = find_scale(sizes, *suffix ? unit : "B", true);
        if (scale && *suffix && !per_second)
            return error_set(
                err, "%s is not a rate; %s is in bytes a second, write %s/s", text, metric, text);
        if (scale && scale_number(number, scale, value) == 0)
            return 0;
    }
    return error_set(err,
        QUOTED " is not a rate; %s is in bytes a second, write it like 20MB/s or 20000000", text,
        metric);
}

static int read_size(const char *text, const char *metric, double *value, struct error *err)
{
    int64_t bytes;
    size_t length = strlen(text);
    if (length > 2 && length < 40 && !strcmp(text + length - 2, "/s"))
        return error_set(
            err, "%s is a rate; %s is in bytes, write %.*s", text, metric, (int)(length - 2), text);
    if (units_read_bytes(text, &bytes, err) < 0)
        return -1;
    *value = (double)bytes;
    return 0;
}

static int read_seconds(const char *text, const char *metric, double *value, struct error *err)
{
    double ms;
    bool bare;
    if (read_ms(text, &ms, &bare) == 0) {
        *value = ms / 1000;
        return 0;
    }
    if (bare)
        return error_set(err, "%s has no unit; %s is a time, write %ss", text, metric, text);
    return error_set(
        err, QUOTED " is not a time; %s is in seconds, write it like 20ms or 1.5s", text, metric);
}

static int read_plain(const char *text, const char *metric, double *value, struct error *err)
{
    const char *suffix;
    if (read_number(text, value, &suffix) < 0)
        return error_set(err, QUOTED " is not a number; %s takes one like 3 or 0.5", text, metric);
    if (*suffix)
        return error_set(
            err, QUOTED " is not a plain number; %s takes one like 3 or 0.5", text, metric);
    return 0;
}

int units_read_value(
    const char *text, enum unit unit, const char *metric, double *value, struct error *err)
{
    switch (unit) {
    case UNIT_PERCENT:
        return read_percent(text, metric, value, err);
    case UNIT_RATE:
        return read_rate(text, metric, value, err);
    case UNIT_BYTES:
        return read_size(text, metric, value, err);
    case UNIT_SECONDS:
        return read_seconds(text, metric, value, err);
    default:
        return read_plain(text, metric, value, err);
    }
}

static const char *format_scaled(
    int64_t number, const struct scale *scales, const char *zero, char text[VALUE_TEXT_SIZE])
{
    if (number == 0) {
        snprintf(text, VALUE_TEXT_SIZE, "%s", zero);
        return text;
    }
    const struct scale *scale = scales;
    while (scale->factor > 1 && number % scale->factor != 0)
        scale++;
    snprintf(text, VALUE_TEXT_SIZE, "%" PRId64 "%s", number / scale->factor, scale->suffix);
    return text;
}

const char *units_format_duration(int64_t ms, char text[VALUE_TEXT_SIZE])
{
    return format_scaled(ms, durations, "0s", text);
}

const char *units_format_bytes(int64_t bytes, char text[VALUE_TEXT_SIZE])
{
    return format_scaled(bytes, sizes, "0", text);
}
