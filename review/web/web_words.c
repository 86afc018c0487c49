#include "review/web/web_words.h"

#include "core/alloc.h"
#include "core/metric.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t day_s = 86400;

/* Years that struct tm and four digits have; a bucket may say anything. */
static struct tm broken_down(int64_t wall_ms)
{
    static const int64_t last_s = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */
    time_t seconds = wall_ms < 0 ? 0 : wall_ms / 1000 > last_s ? last_s : wall_ms / 1000;
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    return parts;
}

const char *web_words_when(int64_t wall_ms, int64_t now_ms, char text[WEB_WORDS_SIZE])
{
    struct tm then = broken_down(wall_ms), now = broken_down(now_ms);
    int64_t days = now_ms / 1000 / day_s - wall_ms / 1000 / day_s;
    const char *format = "%e %b %Y";
    if (days == 0)
        format = "%H:%M";
    else if (days > 0 && days < 7)
        format = "%a %H:%M";
    else if (then.tm_year == now.tm_year)
        format = "%e %b %H:%M";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    strftime(text, WEB_WORDS_SIZE, format, &then);
#pragma GCC diagnostic pop
    if (text[0] == ' ')
        memmove(text, text + 1, strlen(text));
    return text;
}

const char *web_words_exactly(int64_t wall_ms, char text[WEB_WORDS_SIZE])
{
    struct tm then = broken_down(wall_ms);
    strftime(text, WEB_WORDS_SIZE, "%Y-%m-%d %H:%M:%S UTC", &then);
    return text;
}

const char *web_words_percent(double percent, char text[WEB_WORDS_SIZE])
{
    bool fine = fabs(percent) < 9.95 && fabs(percent - round(percent)) >= 0.05;
    snprintf(text, WEB_WORDS_SIZE, fine ? "%.1f%%" : "%.0f%%", fmin(fmax(percent, -1e9), 1e9));
    return text;
}

const char *web_words_value(const char *metric, double value, char text[WEB_WORDS_SIZE])
{
    const struct metric *known = metric_of_series(metric);
    if (known && known->unit == UNIT_PERCENT)
        return web_words_percent(value, text);
    char formatted[VALUE_TEXT_SIZE];
    if ((!known || known->unit == UNIT_COUNT) && fabs(value) >= 100)
        value = round(value);
    snprintf(text, WEB_WORDS_SIZE, "%s",
        metric_format(known ? known->unit : UNIT_NONE, value, formatted));
    return text;
}

const char *web_words_sample(const char *sample)
{
    static const char *const names[][2] = {
        {"cpu", "CPU"},
        {"samples", "CPU samples"},
        {"inuse_space", "memory in use"},
        {"inuse_objects", "objects in use"},
        {"alloc_space", "allocated memory"},
        {"alloc_objects", "allocations"},
        {"goroutine", "goroutines"},
        {"delay", "waiting"},
        {"contentions", "contentions"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(sample, names[i][0]))
            return names[i][1];
    return sample;
}

char *web_words_cut(const char *text, size_t max)
{
    size_t length = strnlen(text, max + 1);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return xstrndup(text, length);
}
