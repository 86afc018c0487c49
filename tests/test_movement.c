#include "review/analysis/movement.h"

#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BEFORE_S = 300, AFTER_S = 40, CAPACITY = BEFORE_S + AFTER_S + 1 };

/* From -0.5 to 0.5, the same at each run. */
static double noise(int second)
{
    return (double)((unsigned)(second + 1000) * 2654435761U >> 16 & 0xffff) / 65535 - 0.5;
}

/* At second 0 a spike begins. */
static double every_20_s(int second)
{
    return (second + 400) % 20 < 8 ? 106 : 1 + noise(second) / 5;
}

/* With a slope on either side, so that hardly half of it is calm. */
static double with_slopes(int second)
{
    int at = (second + 400) % 20;
    return at == 0 || at == 9 ? 33 : at == 1 || at == 8 ? 60 : at < 8 ? 106 : 1;
}

static double mostly_spikes(int second)
{
    return (second + 400) % 20 < 12 ? 106 : 1;
}

/* The trigger's metric rose at second 0; others, such as throttling, a moment later or before. */
static double mostly_spikes_late(int second)
{
    int at = (second + 400) % 20;
    return at >= 1 && at < 13 ? 100 : 0;
}

static double mostly_spikes_early(int second)
{
    return mostly_spikes_late(second + 4);
}

static double mostly_dips_late(int second)
{
    return 100 - mostly_spikes_late(second);
}

static double noisy_ramp(int second)
{
    if (second >= 0)
        return second < 20 ? 97 : 40;
    return 20 + 20 * (second + BEFORE_S) / (double)BEFORE_S + 4 * noise(second);
}

static double step(int second)
{
    return second < -100 ? 20 : second < 0 ? 30 : second < 20 ? 97 : 30;
}

/* Pauses are not what is usual. */
static double with_pauses(int second)
{
    if (second < 0)
        return (second + BEFORE_S) % 20 < 3 ? 0 : 50;
    return second < 20 ? 97 : 50;
}

static double falling(int second)
{
    return second >= 0 && second < 20 ? 3 : 120 + noise(second);
}

static double dips_every_20_s(int second)
{
    return (second + 400) % 20 < 8 ? 3 : 120;
}

static double steady(int second)
{
    return 12 + noise(second);
}

struct movement_case {
    const char *name;
    double (*value)(int second);
    int every_s; /* 0: each second */
    enum movement_way way;
    double usual, usual_within, extreme;
    bool falls, flat;
};

static const struct movement_case cases[] = {
    {"spikes", every_20_s, 0, MOVEMENT_UP, 1, 0.1, 106, .falls = false},
    {"spikes, either way", every_20_s, 0, MOVEMENT_EITHER, 1, 0.1, 106, .falls = false},
    {"spikes, sparse", every_20_s, 7, MOVEMENT_UP, 1, 0.1, 106, .falls = false},
    {"slopes", with_slopes, 0, MOVEMENT_UP, 1, 0, 106, .falls = false},
    {"slopes, either way", with_slopes, 0, MOVEMENT_EITHER, 1, 0, 106, .falls = false},
    {"mostly spikes", mostly_spikes, 0, MOVEMENT_UP, 1, 0, 106, .falls = false},
    {"mostly spikes, either way", mostly_spikes, 0, MOVEMENT_EITHER, 1, 0, 106, .falls = false},
    {"later than the onset", mostly_spikes_late, 0, MOVEMENT_EITHER, 0, 0, 100, .falls = false},
    {"before the onset", mostly_spikes_early, 0, MOVEMENT_EITHER, 0, 0, 100, .falls = false},
    {"dips later than it", mostly_dips_late, 0, MOVEMENT_EITHER, 100, 0, 0, .falls = true},
    {"ramp", noisy_ramp, 0, MOVEMENT_EITHER, 30, 1.5, 97, .falls = false},
    {"step", step, 0, MOVEMENT_EITHER, 20, 0, 97, .falls = false},
    {"pauses", with_pauses, 0, MOVEMENT_UP, 50, 0, 97, .flat = true},
    {"falling", falling, 0, MOVEMENT_EITHER, 120, 0.2, 3, .falls = true},
    {"falling, sparse", falling, 19, MOVEMENT_EITHER, 120, 0.3, 3, .falls = true},
    {"dips", dips_every_20_s, 0, MOVEMENT_EITHER, 120, 0, 3, .falls = true},
    {"dips, down", dips_every_20_s, 0, MOVEMENT_DOWN, 120, 0, 3, .falls = true},
    {"steady", steady, 0, MOVEMENT_EITHER, 12, 0.02, NAN, .flat = true},
    {"three samples", step, 99, MOVEMENT_UP, 20, 0, 97, .falls = false},
    {"two samples", step, 150, MOVEMENT_UP, NAN, 0, 97, .falls = false},
};

static void check(const struct movement_case *item)
{
    struct series_set set;
    struct movement movement;
    series_set_init(&set, CAPACITY);
    struct series *series = series_set_add(&set, "cpu");
    int every_s = item->every_s ? item->every_s : 1;
    for (int second = -(BEFORE_S / every_s) * every_s; second < AFTER_S; second += every_s)
        series_push(series, (BEFORE_S + second + 1) * 1000, item->value(second));
    movement_of(series, (BEFORE_S + 1) * 1000, item->way, &movement);
    bool usual = isnan(item->usual) ? isnan(movement.usual)
                                    : fabs(movement.usual - item->usual) <= item->usual_within;
    if (!usual)
        fail_msg("%s: usual %g instead of %g", item->name, movement.usual, item->usual);
    if (isfinite(item->extreme) && movement.extreme != item->extreme)
        fail_msg("%s: extreme %g instead of %g", item->name, movement.extreme, item->extreme);
    if (isfinite(item->extreme) && movement.falls != item->falls)
        fail_msg("%s: the wrong way", item->name);
    if (isfinite(item->usual) && (movement.strength < MOVEMENT_FLAT) != item->flat)
        fail_msg("%s: strength %g", item->name, movement.strength);
    series_set_free(&set);
}

static void the_usual_is_without_earlier_spikes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_is_without_earlier_spikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
