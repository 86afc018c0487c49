#include "review/profile/measure.h"

#include "core/buf.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum measure { BYTES, TIME, GCU, MEASURES };

/* In lower case and the singular, as units are looked up; the first of a factor is the one that is
 * shown. Bytes go by 1024. A GCU is Google's unit of CPU. */
static const struct unit {
    const char *name, *shown;
    enum measure measure;
    double factor;
} units[] = {
    {"b", "B", BYTES, 1},
    {"byte", "B", BYTES, 1},
    {"kb", "kB", BYTES, 0x1p10},
    {"kbyte", "kB", BYTES, 0x1p10},
    {"kilobyte", "kB", BYTES, 0x1p10},
    {"mb", "MB", BYTES, 0x1p20},
    {"mbyte", "MB", BYTES, 0x1p20},
    {"megabyte", "MB", BYTES, 0x1p20},
    {"gb", "GB", BYTES, 0x1p30},
    {"gbyte", "GB", BYTES, 0x1p30},
    {"gigabyte", "GB", BYTES, 0x1p30},
    {"tb", "TB", BYTES, 0x1p40},
    {"tbyte", "TB", BYTES, 0x1p40},
    {"terabyte", "TB", BYTES, 0x1p40},
    {"pb", "PB", BYTES, 0x1p50},
    {"pbyte", "PB", BYTES, 0x1p50},
    {"petabyte", "PB", BYTES, 0x1p50},
    {"ns", "ns", TIME, 1},
    {"nanosecond", "ns", TIME, 1},
    {"\xce\xbcs", "us", TIME, 1e3},
    {"us", "us", TIME, 1e3},
    {"microsecond", "us", TIME, 1e3},
    {"ms", "ms", TIME, 1e6},
    {"millisecond", "ms", TIME, 1e6},
    {"s", "s", TIME, 1e9},
    {"sec", "s", TIME, 1e9},
    {"second", "s", TIME, 1e9},
    {"hour", "hrs", TIME, 3600e9},
    {"hr", "hrs", TIME, 3600e9},
    {"nanogcu", "n*GCU", GCU, 1e-9},
    {"microgcu", "u*GCU", GCU, 1e-6},
    {"milligcu", "m*GCU", GCU, 1e-3},
    {"gcu", "GCU", GCU, 1},
    {"kilogcu", "k*GCU", GCU, 1e3},
    {"megagcu", "M*GCU", GCU, 1e6},
    {"gigagcu", "G*GCU", GCU, 1e9},
    {"teragcu", "T*GCU", GCU, 1e12},
    {"petagcu", "P*GCU", GCU, 1e15},
};

enum { UNITS = sizeof units / sizeof *units };

/* What a value is told in when it suits no unit, 0 for instance. */
static const struct unit defaults[MEASURES] = {
    {"", "B", BYTES, 1}, {"", "s", TIME, 1e9}, {"", "GCU", GCU, 1}};

/* Letters that are not ASCII, of which lower case is: the Kelvin sign, I with a dot, capital mu. */
static const char *const foreign[][2] = {
    {"\xe2\x84\xaa", "k"}, {"\xc4\xb0", "i"}, {"\xce\x9c", "\xce\xbc"}};

/* Lower case of one of them, which is then behind; NULL: it begins with another. */
static const char *take_foreign(const char **name)
{
    for (size_t i = 0; (unsigned char)**name >= 0x80 && i < sizeof foreign / sizeof *foreign; i++)
        if (!strncmp(*name, foreign[i][0], strlen(foreign[i][0]))) {
            *name += strlen(foreign[i][0]);
            return foreign[i][1];
        }
    return NULL;
}

/* name in lower case; false when it is longer than any. */
static bool lower(const char *name, char *plain, size_t size)
{
    size_t used = 0;
    while (*name) {
        const char *foreign_one = take_foreign(&name);
        if (used + 3 > size)
            return false;
        if (!foreign_one)
            plain[used++] = (char)tolower((unsigned char)*name++);
        for (; foreign_one && *foreign_one; foreign_one++)
            plain[used++] = *foreign_one;
    }
    plain[used] = '\0';
    return true;
}

static const struct unit *find(const char *name)
{
    char plain[24];
    if (!lower(name, plain, sizeof plain))
        return NULL;
    size_t size = strlen(plain);
    if (size > 2 && plain[size - 1] == 's')
        plain[size - 1] = '\0';
    for (size_t i = 0; i < UNITS; i++)
        if (units[i].name[0] == plain[0] && !strcmp(units[i].name, plain))
            return &units[i];
    return NULL;
}

bool measure_ratio(const char *from, const char *to, double *ratio)
{
    *ratio = 1;
    if (!strcmp(from, to))
        return true;
    const struct unit *source = find(from), *target = find(to);
    if (!source || !target || source->measure != target->measure)
        return false;
    *ratio = source->factor / target->factor;
    return true;
}

static bool is_best(const char *unit)
{
    return !strcmp(unit, MEASURE_BEST) || !strcmp(unit, "auto");
}

/* The largest unit in which it is at least 1. */
static const struct unit *best(enum measure measure, double value)
{
    const struct unit *found = NULL;
    for (size_t i = 0; i < UNITS; i++)
        if (units[i].measure == measure && value / units[i].factor >= 1 &&
            (!found || units[i].factor >= found->factor))
            found = &units[i];
    return found;
}

static double scale(int64_t value, const char *from, const char *to, const char **unit)
{
    static const char *const unsaid[] = {"count", "sample", "unit", MEASURE_BEST, "auto"};
    const struct unit *source = find(from);
    if (source) {
        double plain = (double)value * source->factor;
        const struct unit *target = is_best(to) ? best(source->measure, plain) : find(to);
        if (!target || target->measure != source->measure)
            target = &defaults[source->measure];
        *unit = target->shown;
        return plain / target->factor;
    }
    *unit = to;
    for (size_t i = 0; i < sizeof unsaid / sizeof *unsaid; i++)
        if (!strcmp(to, unsaid[i]))
            *unit = "";
    return (double)value;
}

double measure_scale(int64_t value, const char *from, const char *to, const char **unit)
{
    if (value < 0 && value != INT64_MIN)
        return -scale(-value, from, to, unit);
    return scale(value, from, to, unit);
}

/* The nearest integer, or -1 where the double is too near to a half to tell. */
static int64_t nearest(double value)
{
    int64_t below = (int64_t)value;
    double rest = value - (double)below;
    if (rest > 0.4999 && rest < 0.5001)
        return -1;
    return below + (rest > 0.5);
}

/* "%.2f", which is exact and takes a microsecond, two thousand times a table: most values can be
 * rounded in a hundredth of that. */
static void print_hundredths(double value, char *text, size_t size)
{
    int64_t hundredths = fabs(value) < 1e7 ? nearest(fabs(value) * 100) : -1;
    if (hundredths < 0) {
        snprintf(text, size, "%.2f", value);
        return;
    }
    char digits[24];
    size_t used = sizeof digits;
    for (int i = 0; i < 3 || hundredths > 0; i++, hundredths /= 10) {
        if (i == 2)
            digits[--used] = '.';
        digits[--used] = (char)('0' + hundredths % 10);
    }
    if (signbit(value))
        digits[--used] = '-';
    memcpy(text, digits + used, sizeof digits - used);
    text[sizeof digits - used] = '\0';
}

/* "%.2g" of what is below 1, in the same way. */
static void print_two_digits(double value, char *text, size_t size)
{
    int decimals = 2;
    double scaled = value * 100;
    for (; value >= 1e-4 && scaled < 10; decimals++)
        scaled *= 10;
    int64_t digits = value >= 1e-4 ? nearest(scaled) : -1;
    if (digits < 0 || digits > 99) {
        snprintf(text, size, "%.2g", value);
        return;
    }
    memset(text, '0', (size_t)decimals);
    text[1] = '.';
    text[decimals] = (char)('0' + digits / 10);
    text[decimals + 1] = (char)('0' + digits % 10);
    text[decimals + (digits % 10 ? 2 : 1)] = '\0';
}

void measure_label(struct buf *out, int64_t value, const char *from, const char *to)
{
    const char *unit;
    char text[64];
    print_hundredths(measure_scale(value, from, to, &unit), text, sizeof text);
    size_t size = strlen(text);
    if (size > 3 && !strcmp(text + size - 3, ".00"))
        text[size - 3] = '\0';
    if (!strcmp(text, "0") || !strcmp(text, "-0")) {
        text[0] = '0';
        text[1] = '\0';
        unit = "";
    }
    buf_puts(out, text);
    buf_puts(out, unit);
}

void measure_percent(int64_t value, int64_t total, char text[MEASURE_PERCENT_SIZE])
{
    double ratio = total ? fabs((double)value / (double)total) * 100 : 0;
    char number[MEASURE_PERCENT_SIZE - 2];
    if (ratio >= 99.95 && ratio <= 100.05)
        strcpy(number, "100");
    else if (ratio >= 1)
        print_hundredths(ratio, number, sizeof number);
    else
        print_two_digits(ratio, number, sizeof number);
    size_t size = strlen(number), width = size < 5 ? 5 : size;
    memset(text, ' ', width);
    memcpy(text + width - size, number, size);
    text[width] = '%';
    text[width + 1] = '\0';
}

int64_t measure_integer(double value)
{
    static const double beyond = 9223372036854775808.0; /* 2^63 */
    return value >= -beyond && value < beyond ? (int64_t)value : INT64_MIN;
}
