#include "review/analysis/headline_words.h"

#include "core/buf.h"
#include "core/rds_metric.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *metric, *words;
} nouns[] = {
    {"cpu", "CPU"},
    {"cpu.cores", "CPU"},
    {"cpu.throttled", "throttling of the CPU"},
    {"cpu.pressure", "waiting for the CPU"},
    {"memory", "memory"},
    {"memory.bytes", "memory"},
    {"memory.rss", "anonymous memory"},
    {"memory.pressure", "waiting for memory"},
    {"io.pressure", "waiting for disks"},
    {"net.received", "traffic in"},
    {"net.sent", "traffic out"},
    {"db.received", "traffic from the database"},
    {"db.sent", "traffic to the database"},
    {"db.connections", "the number of database connections"},
    {"db.rtt", "the round trip to the database"},
    {"oom_kills", "the number of OOM kills"},
    {"restarts", "the number of restarts"},
};

const char *headline_bare_name(const char *series)
{
    const struct metric *metric = metric_of_series(series);
    return metric ? metric->name : series;
}

static const char *noun_of(const char *metric)
{
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        if (!strcmp(nouns[i].metric, metric))
            return nouns[i].words;
    return metric;
}

/* By CloudWatch's name, as people know it from there; "rds.games.CPUUtilization" holds its
 * database's name in the middle. */
static void put_rds(struct buf *out, const char *series)
{
    const char *name = rds_metric_of_series(series), *first = series + strlen("rds.");
    buf_printf(out, "%s of RDS", name);
    if (name > first)
        buf_printf(out, " (%.*s)", (int)(name - first - 1), first);
}

void headline_metric(struct buf *out, const char *series)
{
    const char *bare = headline_bare_name(series);
    size_t length = strlen(series), bare_length = strlen(bare);
    if (rds_metric_is_series(series)) {
        put_rds(out, series);
        return;
    }
    buf_puts(out, noun_of(bare));
    if (length <= bare_length)
        return;
    /* "db.games.received" holds its database's name in the middle, "api.cpu" the app's in front. */
    if (!strncmp(bare, "db.", 3)) {
        const char *name = series + strlen("db.");
        buf_printf(out, " %.*s", (int)(length - bare_length - 1), name);
    } else {
        buf_printf(out, " of %.*s", (int)(length - bare_length - 1), series);
    }
}

/* "1.2", "12", "3"; from 10 on no decimals, and no ".0". */
static void put_short(double value, char text[VALUE_TEXT_SIZE])
{
    bool whole = fabs(value) >= 9.95;
    snprintf(text, VALUE_TEXT_SIZE, whole ? "%.0f" : "%.1f", value);
    size_t length = strlen(text);
    if (!whole && text[length - 1] == '0')
        text[length - 2] = '\0';
    if (!strcmp(text, "-0"))
        memcpy(text, "0", sizeof "0");
}

/* Thousands apart, as in 15,400: of a whole number. */
static void put_whole(double value, char text[VALUE_TEXT_SIZE])
{
    char digits[VALUE_TEXT_SIZE];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%.0f", fabs(value)), used = 0;
    if (value < 0)
        text[used++] = '-';
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static const char *put_scaled(
    double value, double base, const char *const *names, char text[VALUE_TEXT_SIZE])
{
    size_t step = 0;
    /* As it is said: what would be rounded to 1024 MiB is 1 GiB. */
    for (; fabs(value) >= base - 0.5 && names[step + 1]; step++)
        value /= base;
    put_short(value, text);
    size_t length = strlen(text);
    snprintf(text + length, VALUE_TEXT_SIZE - length, " %s", names[step]);
    return text;
}

const char *headline_value(enum unit unit, double value, char text[VALUE_TEXT_SIZE])
{
    static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
    static const char *const rates[] = {"B/s", "KB/s", "MB/s", "GB/s", "TB/s", NULL};
    size_t length;
    switch (unit) {
    case UNIT_PERCENT:
        put_short(value, text);
        return strcat(text, "%");
    case UNIT_CORES:
        put_short(value, text);
        length = strlen(text);
        snprintf(text + length, VALUE_TEXT_SIZE - length, strcmp(text, "1") ? " cores" : " core");
        return text;
    case UNIT_BYTES:
        return put_scaled(value, 1024, bytes, text);
    case UNIT_RATE:
        return put_scaled(value, 1000, rates, text);
    case UNIT_SECONDS:
        return fabs(value) < 1
                   ? put_scaled(value * 1e6, 1000, (const char *const[]){"µs", "ms", NULL}, text)
                   : metric_format(unit, value, text);
    default:
        if (fabs(value) >= 9.95 && fabs(value) < 1e15)
            put_whole(value, text);
        else if (fabs(value) >= 0.095 || value == 0)
            put_short(value, text);
        else
            snprintf(text, VALUE_TEXT_SIZE, "%.2g", value);
        return text;
    }
}

const char *headline_times(double factor, char text[VALUE_TEXT_SIZE])
{
    static const double most = 1000;
    if (factor > most) {
        snprintf(text, VALUE_TEXT_SIZE, "over 1,000 times");
        return text;
    }
    put_short(factor, text);
    return strcat(text, " times");
}

const char *headline_duration(double seconds, char text[VALUE_TEXT_SIZE])
{
    if (seconds >= 120)
        return metric_format(UNIT_SECONDS, seconds, text);
    put_short(seconds, text);
    return strcat(text, " s");
}
