#include "core/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar: years are counted from
 * March, so that the leap day is the last of its year. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t shifted_year = year - (month <= 2);
    int64_t era = (shifted_year >= 0 ? shifted_year : shifted_year - 399) / 400;
    int64_t year_of_era = shifted_year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

const char *rfc3339_format(int64_t wall_ms, char text[RFC3339_SIZE])
{
    static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;
    if (wall_ms < first_ms)
        wall_ms = first_ms;
    if (wall_ms > last_ms)
        wall_ms = last_ms;
    int64_t seconds = wall_ms / 1000;
    int milliseconds = (int)(wall_ms % 1000);
    if (milliseconds < 0) {
        milliseconds += 1000;
        seconds -= 1;
    }
    time_t when = (time_t)seconds;
    struct tm utc;
    gmtime_r(&when, &utc);
    /* strftime would not pad years before 1000. */
    size_t used = (size_t)snprintf(text, RFC3339_SIZE, "%04d", utc.tm_year + 1900);
    used += strftime(text + used, RFC3339_SIZE - used, "-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, RFC3339_SIZE - used, ".%03dZ", milliseconds);
    return text;
}

/* Reads exactly `digits` decimal digits at *at. -1 when they are not there. */
static int number(const char **at, const char *end, int digits)
{
    int value = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool literal(const char **at, const char *end, char wanted)
{
    if (*at >= end || (**at | 0x20) != (wanted | 0x20))
        return false;
    (*at)++;
    return true;
}

static int parse_date(const char **at, const char *end, int64_t *days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = number(at, end, 4);
    if (year < 0 || !literal(at, end, '-'))
        return -1;
    int month = number(at, end, 2);
    if (month < 1 || month > 12 || !literal(at, end, '-'))
        return -1;
    int day = number(at, end, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > lengths[month - 1] || (month == 2 && day == 29 && !leap))
        return -1;
    *days = days_from_date(year, month, day);
    return 0;
}

static int parse_fraction(const char **at, const char *end, int *milliseconds)
{
    int scale = 100, digits = 0;
    *milliseconds = 0;
    if (*at >= end || **at != '.')
        return 0;
    for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++, digits++) {
        *milliseconds += (**at - '0') * scale;
        scale /= 10;
    }
    return digits >= 1 && digits <= 9 ? 0 : -1;
}

static int parse_offset(const char **at, const char *end, int *minutes)
{
    *minutes = 0;
    if (literal(at, end, 'Z'))
        return 0;
    int sign = *at < end && **at == '-' ? -1 : 1;
    if (*at >= end || (**at != '+' && **at != '-'))
        return -1;
    (*at)++;
    int hours = number(at, end, 2);
    if (hours < 0 || hours > 23 || !literal(at, end, ':'))
        return -1;
    int rest = number(at, end, 2);
    if (rest < 0 || rest > 59)
        return -1;
    *minutes = sign * (hours * 60 + rest);
    return 0;
}

int rfc3339_parse(const char *text, size_t length, int64_t *wall_ms)
{
    const char *at = text, *end = text + length;
    int64_t days;
    int milliseconds, offset;
    if (parse_date(&at, end, &days) < 0)
        return -1;
    if (at < end && *at == ' ')
        at++;
    else if (!literal(&at, end, 'T'))
        return -1;
    int hour = number(&at, end, 2);
    if (hour < 0 || hour > 23 || !literal(&at, end, ':'))
        return -1;
    int minute = number(&at, end, 2);
    if (minute < 0 || minute > 59 || !literal(&at, end, ':'))
        return -1;
    int second = number(&at, end, 2);
    if (second < 0 || second > 60) /* 60: a leap second */
        return -1;
    if (parse_fraction(&at, end, &milliseconds) < 0 || parse_offset(&at, end, &offset) < 0)
        return -1;
    if (at != end)
        return -1;
    int64_t seconds = days * 86400 + hour * 3600 + (minute - offset) * 60 + second;
    *wall_ms = seconds * 1000 + milliseconds;
    return 0;
}
