#include "review/page/chart_scale.h"

#include "core/buf.h"
#include "core/series.h"
#include "review/page/chart_line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void axes_have_round_numbers(void **state)
{
    static const struct {
        enum unit unit;
        double least, most;
        const char *ticks;
    } cases[] = {
        {UNIT_PERCENT, 4, 97, "0% 50% 100%"},
        {UNIT_PERCENT, 0, 109, "0% 50% 100% 150%"},
        {UNIT_PERCENT, 61, 63, "61% 62% 63%"},
        {UNIT_PERCENT, 0, 0, "0% 0.5% 1%"},
        {UNIT_CORES, 0.2, 1.75, "0 1 2"},
        {UNIT_RATE, 35e3, 41e6, "0 20 MB/s 40 MB/s 60 MB/s"},
        {UNIT_RATE, 7e6, 310e6, "0 200 MB/s 400 MB/s"},
        {UNIT_RATE, 0, 0, "0 500 B/s 1 KB/s"},
        {UNIT_BYTES, 0, 450e6, "0 200 MiB 400 MiB 600 MiB"},
        {UNIT_BYTES, 500e6, 3e9, "0 1 GiB 2 GiB 3 GiB"},
        {UNIT_BYTES, 1e9, 1.1e9, "950 MiB 1000 MiB 1.025 GiB"},
        {UNIT_COUNT, 0, 2, "0 1 2"},
        {UNIT_COUNT, 1, 31, "0 20 40"},
        {UNIT_SECONDS, 0.0012, 0.02, "0 10 ms 20 ms"},
        {UNIT_NONE, -5, 5, "-5 0 5"},
        {UNIT_NONE, -5, -1, "-6 -4 -2 0"},
        {UNIT_NONE, 1e-7, 3e-7, "0 1e-07 2e-07 3e-07"},
        {UNIT_NONE, INFINITY, -INFINITY, "0 0.5 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chart_axis axis;
        struct buf ticks;
        char text[VALUE_TEXT_SIZE];
        buf_init(&ticks, 1000);
        chart_axis_of(cases[i].unit, cases[i].least, cases[i].most, &axis);
        for (size_t j = 0; j < axis.tick_count; j++)
            buf_printf(&ticks, j ? " %s" : "%s", chart_label(cases[i].unit, axis.ticks[j], text));
        assert_string_equal(ticks.data, cases[i].ticks);
        assert_true(axis.low < axis.high);
        buf_free(&ticks);
    }
}

static void axes_of_any_numbers_end(void **state)
{
    static const double extremes[] = {
        0, 1e-300, -1e-300, 1, -1, 1e300, -1e300, 1e15, NAN, INFINITY};
    enum { COUNT = sizeof extremes / sizeof *extremes };
    (void)state;
    for (int unit = UNIT_NONE; unit <= UNIT_SECONDS; unit++)
        for (size_t i = 0; i < (size_t)COUNT * COUNT; i++) {
            struct chart_axis axis;
            char text[VALUE_TEXT_SIZE];
            chart_axis_of((enum unit)unit, extremes[i / COUNT], extremes[i % COUNT], &axis);
            assert_true(axis.tick_count > 0 && axis.tick_count <= CHART_TICKS_MAX);
            for (size_t j = 0; j < axis.tick_count; j++)
                assert_non_null(chart_label((enum unit)unit, axis.ticks[j], text));
        }
}

static void times_are_round(void **state)
{
    static const struct {
        int64_t from_s, to_s;
        size_t most, count;
        int64_t first_s, step_s;
    } cases[] = {
        {7, 97, 10, 9, 10, 10},
        {0, 300, 10, 6, 0, 60},
        {1, 330, 10, 5, 60, 60},
        {0, 3, 10, 4, 0, 1},
        {0, 0, 10, 1, 0, 1},
        {0, 86400 * 400, 10, 10, 0, 86400 * 64},
        {5, 4, 10, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ticks[CHART_TIME_TICKS_MAX];
        size_t count = chart_times(
            cases[i].from_s * 1000, cases[i].to_s * 1000, cases[i].most, ticks);
        assert_true(count <= cases[i].most);
        if (cases[i].step_s < 86400)
            assert_int_equal(count, cases[i].count);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(ticks[j], (cases[i].first_s + (int64_t)j * cases[i].step_s) * 1000);
    }
}

static void draw(struct buf *out, const double *values, size_t count, size_t points)
{
    struct series_set set;
    series_set_init(&set, count);
    struct series *series = series_set_add(&set, "cpu");
    for (size_t i = 0; i < count; i++)
        series_push(series, (int64_t)i * 1000, values[i]);
    const struct chart_frame frame = {0, (int64_t)(count - 1) * 1000, 0, 100, 100, 100};
    buf_init(out, 100000);
    chart_line(out, series, &frame, points);
    series_set_free(&set);
}

static void a_line_has_its_gaps(void **state)
{
    static const struct {
        double values[11];
        const char *path;
    } cases[] = {
        {{0, 50, 100, 100, 0, 0, 0, 0, 0, 0, 0},
            "M0 100l10-50l10-50h10l10 100h10h10h10h10h10h10h0"},
        {{0, 0, NAN, NAN, NAN, NAN, 0, 0, 0, 0, 0}, "M0 100h10h0M60 100h10h10h10h10h0"},
        {{0, NAN, NAN, 0, 0, 0, 0, 0, 0, 0, 0}, "M0 100h30h10h10h10h10h10h10h10h0"},
        {{NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, ""},
        {{NAN, NAN, 200, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, "M20 0h0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf path;
        draw(&path, cases[i].values, 11, 100);
        assert_string_equal(path.data, cases[i].path);
        buf_free(&path);
    }
}

static void a_thinned_line_keeps_its_peaks(void **state)
{
    enum { COUNT = 10001 };
    static double values[COUNT];
    struct buf path;
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 50;
    values[3333] = 100;
    values[7777] = 0;
    draw(&path, values, COUNT, 100);
    assert_true(path.size < 1000);
    assert_non_null(strstr(path.data, "-50")); /* up from the middle to the top */
    assert_non_null(strstr(path.data, " 50")); /* and down to the bottom */
    buf_free(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_have_round_numbers),
        cmocka_unit_test(axes_of_any_numbers_end),
        cmocka_unit_test(times_are_round),
        cmocka_unit_test(a_line_has_its_gaps),
        cmocka_unit_test(a_thinned_line_keeps_its_peaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
