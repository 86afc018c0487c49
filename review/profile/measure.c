#include "review/profile/measure.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum measure { BYTES, TIME };

/* In lower case and the singular, as units are looked up. Bytes go by 1024, as pprof has them. */
static const struct unit {
    const char *name;
    enum measure measure;
    double factor;
} units[] = {
    {"b", BYTES, 1},
    {"byte", BYTES, 1},
    {"kb", BYTES, 0x1p10},
    {"kbyte", BYTES, 0x1p10},
    {"kilobyte", BYTES, 0x1p10},
    {"mb", BYTES, 0x1p20},
    {"mbyte", BYTES, 0x1p20},
    {"megabyte", BYTES, 0x1p20},
    {"gb", BYTES, 0x1p30},
    {"gbyte", BYTES, 0x1p30},
    {"gigabyte", BYTES, 0x1p30},
    {"tb", BYTES, 0x1p40},
    {"tbyte", BYTES, 0x1p40},
    {"terabyte", BYTES, 0x1p40},
    {"ns", TIME, 1},
    {"nanosecond", TIME, 1},
    {"us", TIME, 1e3},
    {"microsecond", TIME, 1e3},
    {"ms", TIME, 1e6},
    {"millisecond", TIME, 1e6},
    {"s", TIME, 1e9},
    {"sec", TIME, 1e9},
    {"second", TIME, 1e9},
    {"hr", TIME, 3600e9},
    {"hour", TIME, 3600e9},
};

static const struct unit *find(const char *name)
{
    char plain[16];
    size_t size = strlen(name);
    if (size >= sizeof plain)
        return NULL;
    for (size_t i = 0; i <= size; i++)
        plain[i] = (char)tolower((unsigned char)name[i]);
    if (size > 2 && plain[size - 1] == 's')
        plain[size - 1] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].name, plain))
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
