#include "core/metric.h"

#include "core/rds_metric.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const struct metric metrics[] = {
    {"cpu", UNIT_PERCENT, "CPU use, share of the limit"},
    {"cpu.cores", UNIT_CORES, "CPU use in cores"},
    {"cpu.throttled", UNIT_PERCENT, "share of CFS periods throttled"},
    {"cpu.pressure", UNIT_PERCENT, "share of time in which some task waited for a CPU"},
    {"memory", UNIT_PERCENT, "working set, share of the limit"},
    {"memory.bytes", UNIT_BYTES, "working set: usage minus inactive file cache"},
    {"memory.rss", UNIT_BYTES, "anonymous memory"},
    {"memory.pressure", UNIT_PERCENT, "share of time in which some task waited for memory"},
    {"io.pressure", UNIT_PERCENT, "share of time in which some task waited for a disk"},
    {"net.received", UNIT_RATE, "bytes received by the container's (awsvpc: task's) interfaces"},
    {"net.sent", UNIT_RATE, "bytes sent by the container's (awsvpc: task's) interfaces"},
    {"db.received", UNIT_RATE, "TCP payload from the database endpoint"},
    {"db.sent", UNIT_RATE, "TCP payload to the database endpoint"},
    {"db.connections", UNIT_COUNT, "open connections to the database endpoint"},
    {"db.rtt", UNIT_SECONDS, "mean smoothed round-trip time to the database endpoint"},
    {"oom_kills", UNIT_COUNT, "processes of the container killed for want of memory"},
    {"restarts", UNIT_COUNT, "restarts of the container"},
    {NULL, UNIT_NONE, NULL},
};

const struct metric *metric_find(const char *name)
{
    for (const struct metric *metric = metrics; metric->name; metric++)
        if (!strcmp(metric->name, name))
            return metric;
    return NULL;
}

const struct metric *metric_of_series(const char *series)
{
    const struct metric *metric = metric_find(series);
    if (metric)
        return metric;
    if (rds_metric_is_series(series))
        return rds_metric_find(rds_metric_of_series(series));
    if (!strncmp(series, "db.", 3)) {
        const char *last = strrchr(series, '.');
        char name[64];
        snprintf(name, sizeof name, "db%s", last);
        return metric_find(name);
    }
    /* An app's name may hold dots itself: the longest metric name that ends the series' wins. */
    for (const char *dot = strchr(series, '.'); dot; dot = strchr(dot + 1, '.')) {
        metric = metric_find(dot + 1);
        if (metric && strncmp(metric->name, "db.", 3) != 0)
            return metric;
    }
    return NULL;
}

static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
static const char *const decimal[] = {"B", "KB", "MB", "GB", "TB", NULL};

/* Divides *value down to the largest of the units that leaves at least 1. Returns its index. */
static int scale(double *value, double base, const char *const *names)
{
    int step = 0;
    for (; fabs(*value) >= base && names[step + 1]; step++)
        *value /= base;
    return step;
}

/* Up to 6 digits, and never an exponent for a number that people can read without. */
static void plain(double value, char text[VALUE_TEXT_SIZE])
{
    bool large = fabs(value) >= 1e5 && fabs(value) < 1e15;
    snprintf(text, VALUE_TEXT_SIZE, large ? "%.0f" : "%.6g", value);
}

/* "2 min 5 s", "3 h 20 min", "9206 d 11 h": from two minutes on, rounded to the smaller unit. */
static void long_time(double seconds, char text[VALUE_TEXT_SIZE])
{
    static const struct {
        const char *name, *rest_name;
        int64_t size_s, rest_s;
    } units[] = {{"d", "h", 86400, 3600}, {"h", "min", 3600, 60}, {"min", "s", 60, 1}};
    size_t i = 0;
    /* As rounded in the next smaller pair: 3599.6 s are 1 h, not 60 min. */
    while (i < 2 &&
           llround(seconds / (double)units[i + 1].rest_s) * units[i + 1].rest_s < units[i].size_s)
        i++;
    int64_t rests = llround(seconds / (double)units[i].rest_s);
    int64_t fit = units[i].size_s / units[i].rest_s;
    int length = snprintf(text, VALUE_TEXT_SIZE, "%" PRId64 " %s", rests / fit, units[i].name);
    if (rests % fit)
        snprintf(text + length, VALUE_TEXT_SIZE - (size_t)length, " %" PRId64 " %s", rests % fit,
            units[i].rest_name);
}

static bool is_long_time(double seconds)
{
    return seconds >= 120 && seconds < 1e15;
}

static const char *scaled(double value, double base, const char *const *names, const char *suffix,
    char text[VALUE_TEXT_SIZE])
{
    int step = scale(&value, base, names);
    int decimals = step == 0 ? 0 : fabs(value) < 10 ? 2 : fabs(value) < 100 ? 1 : 0;
    snprintf(text, VALUE_TEXT_SIZE, "%.*f %s%s", decimals, value, names[step], suffix);
    return text;
}

static const char *scaled_level(double value, double base, const char *const *names,
    const char *suffix, char text[VALUE_TEXT_SIZE])
{
    int step = scale(&value, base, names);
    snprintf(text, VALUE_TEXT_SIZE, "%.6g %s%s", value, names[step], suffix);
    return text;
}

const char *metric_format(enum unit unit, double value, char text[VALUE_TEXT_SIZE])
{
    switch (unit) {
    case UNIT_PERCENT:
        snprintf(text, VALUE_TEXT_SIZE, "%.1f%%", value);
        break;
    case UNIT_CORES:
        snprintf(text, VALUE_TEXT_SIZE, "%.2f cores", value);
        break;
    case UNIT_BYTES:
        return scaled(value, 1024, binary, "", text);
    case UNIT_RATE:
        return scaled(value, 1000, decimal, "/s", text);
    case UNIT_SECONDS:
        if (is_long_time(value))
            long_time(value, text);
        else if (fabs(value) < 1)
            snprintf(text, VALUE_TEXT_SIZE, "%.3g ms", value * 1000);
        else
            snprintf(text, VALUE_TEXT_SIZE, "%.3g s", value);
        break;
    default:
        plain(value, text);
    }
    return text;
}

const char *metric_format_level(enum unit unit, double value, char text[VALUE_TEXT_SIZE])
{
    char other[VALUE_TEXT_SIZE];
    switch (unit) {
    case UNIT_PERCENT:
        snprintf(text, VALUE_TEXT_SIZE, "%.6g%%", value);
        break;
    case UNIT_CORES:
        snprintf(text, VALUE_TEXT_SIZE, value == 1 ? "%.6g core" : "%.6g cores", value);
        break;
    case UNIT_BYTES:
        scaled_level(value, 1024, binary, "", text);
        scaled_level(value, 1000, decimal, "", other);
        return strlen(other) < strlen(text) - 1 ? strcpy(text, other) : text;
    case UNIT_RATE:
        return scaled_level(value, 1000, decimal, "/s", text);
    case UNIT_SECONDS:
        if (is_long_time(value))
            long_time(value, text);
        else if (value != 0 && fabs(value) < 1)
            snprintf(text, VALUE_TEXT_SIZE, "%.6g ms", value * 1000);
        else
            snprintf(text, VALUE_TEXT_SIZE, "%.6g s", value);
        break;
    default:
        plain(value, text);
    }
    return text;
}

const char *unit_name(enum unit unit)
{
    static const char *const names[] = {"", "%", "cores", "bytes", "bytes/s", "", "s"};
    return names[unit];
}
