#include "review/page/amount.h"

#include "review/profile/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct step {
    double size;
    const char *name;
};

static const struct step byte_steps[] = {
    {1, "B"}, {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"}, {0x1p40, "TiB"}};
static const struct step time_steps[] = {
    {1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}, {600e9, "min"}, {36000e9, "h"}};

/* What a step counts, when it is not itself. */
static double unit_size(const struct step *step)
{
    return !strcmp(step->name, "min") ? 60e9 : !strcmp(step->name, "h") ? 3600e9 : step->size;
}

static void put_steps(char *text, double value, const struct step *steps, size_t count)
{
    const struct step *step = steps;
    for (size_t i = 1; i < count && value >= steps[i].size; i++)
        step = &steps[i];
    double number = value / unit_size(step);
    int decimals = number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
    if (number == floor(number) && step == steps)
        decimals = 0;
    snprintf(text, AMOUNT_MAX, "%.*f %s", decimals, number, step->name);
}

/* With a comma between thousands. */
static void put_count(char *text, double value)
{
    char digits[AMOUNT_MAX];
    if (value >= 1e18) {
        snprintf(text, AMOUNT_MAX, "%.3g", value);
        return;
    }
    bool is_whole = value == floor(value) || value >= 100;
    size_t length = (size_t)snprintf(digits, sizeof digits, "%.*f", is_whole ? 0 : 1, value);
    size_t whole = strcspn(digits, "."), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

char *amount_text(char text[AMOUNT_MAX], double value, const char *unit)
{
    double ratio;
    bool is_below_0 = value < 0;
    value = is_below_0 ? -value : value;
    size_t sign = 0;
    if (is_below_0)
        sign = (size_t)snprintf(text, AMOUNT_MAX, "%s", AMOUNT_MINUS);
    char number[AMOUNT_MAX];
    if (measure_ratio(unit, "bytes", &ratio))
        put_steps(number, value * ratio, byte_steps, sizeof byte_steps / sizeof *byte_steps);
    else if (measure_ratio(unit, "nanoseconds", &ratio))
        put_steps(number, value * ratio, time_steps, sizeof time_steps / sizeof *time_steps);
    else
        put_count(number, value);
    snprintf(text + sign, AMOUNT_MAX - sign, "%s", number);
    return text;
}

char *amount_change(char text[AMOUNT_MAX], double value, const char *unit)
{
    if (value <= 0)
        return amount_text(text, value, unit);
    char number[AMOUNT_MAX];
    snprintf(text, AMOUNT_MAX, "+%.*s", AMOUNT_MAX - 2, amount_text(number, value, unit));
    return text;
}

char *amount_percent(char text[AMOUNT_MAX], double percent)
{
    snprintf(text, AMOUNT_MAX, percent > 0 && percent < 0.05 ? "<0.1%%" : "%.1f%%", percent);
    return text;
}

char *amount_points(char text[AMOUNT_MAX], double points)
{
    double rounded = round(points * 10) / 10;
    const char *sign = rounded > 0 ? "+" : rounded < 0 ? AMOUNT_MINUS : "";
    snprintf(text, AMOUNT_MAX, "%s%.1f", sign, fabs(rounded));
    return text;
}
