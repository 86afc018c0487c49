#include "core/csv_number.h"

#include "core/clock.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LAST_TIME_S 253402300799 /* the last second that RFC 3339 can say */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number without an exponent, taken apart: digits / 10^decimals. */
struct decimal {
    bool negative;
    uint64_t digits;
    unsigned digit_count; /* leading zeros included; past 18, `digits` is not to be used */
    unsigned decimals;
    const char *end; /* where the reading stopped */
};

/* False when there is no digit. */
static bool read_decimal(const char *at, const char *end, struct decimal *decimal)
{
    *decimal = (struct decimal){.negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && is_digit(*at); at++, decimal->digit_count++)
        decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    if (at < end && *at == '.')
        for (at++; at < end && is_digit(*at); at++, decimal->decimals++)
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    decimal->digit_count += decimal->decimals;
    decimal->end = at;
    return decimal->digit_count > 0;
}

static bool is_exponent(const char *at, const char *end)
{
    if (at == end || (*at != 'e' && *at != 'E'))
        return false;
    at++;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    while (at < end && is_digit(*at))
        at++;
    return at == end;
}

int csv_number(const char *text, size_t length, double *value)
{
    /* Up to 2^53 and 10^22 both are exact, so that one division rounds once, correctly. */
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const char *end = text + length;
    struct decimal decimal;
    if (!read_decimal(text, end, &decimal))
        return -1;
    if (decimal.end == end && decimal.digit_count <= 18 && decimal.digits <= (1ULL << 53)) {
        double size = (double)decimal.digits / powers[decimal.decimals];
        *value = decimal.negative ? -size : size;
        return 0;
    }
    char copy[256];
    if ((decimal.end != end && !is_exponent(decimal.end, end)) || length >= sizeof copy)
        return -1;
    memcpy(copy, text, length);
    copy[length] = '\0';
    /* Nobody here calls setlocale, so that this is the C locale's. */
    *value = strtod(copy, NULL);
    return isfinite(*value) ? 0 : -1;
}

int csv_time(const char *text, size_t length, int64_t *time_ms)
{
    if (length >= 5 && text[4] == '-') {
        if (rfc3339_parse(text, length, time_ms) < 0)
            return -1;
    } else {
        double seconds;
        if (csv_number(text, length, &seconds) < 0 || fabs(seconds) > LAST_TIME_S)
            return -1;
        *time_ms = llround(seconds * 1000);
    }
    return *time_ms >= 0 && *time_ms / 1000 <= LAST_TIME_S ? 0 : -1;
}
