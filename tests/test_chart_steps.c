#include "review/page/chart_steps.h"

#include "core/buf.h"
#include "core/series.h"
#include "review/page/chart_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_period_is_a_stretch_and_a_missing_one_a_gap(void **unused)
{
    (void)unused;
    static const struct {
        struct sample samples[4];
        size_t count;
        const char *path;
    } cases[] = {
        {{{0, 0}}, 0, ""},
        {{{160, 5}}, 1, "M100 50H160"},
        {{{160, 5}, {220, 10}}, 2, "M100 50H160V0H220"},
        {{{160, 5}, {280, 0}, {340, 10}}, 3, "M100 50H160M220 100H280V0H340"},
        /* What is outside of the frame, or reaches out of it. */
        {{{0, 5}, {30, 5}, {620, 5}}, 3, "M0 50H30M560 50H600"},
        {{{700, 5}}, 1, ""},
    };
    const struct chart_frame frame = {0, 600, 0, 10, 600, 100};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct series_set set;
        struct buf out;
        series_set_init(&set, 10);
        buf_init(&out, 1000);
        struct series *series = series_set_add(&set, "rds.CPUUtilization");
        for (size_t j = 0; j < cases[i].count; j++)
            series_push(series, cases[i].samples[j].time_ms, cases[i].samples[j].value);
        chart_steps(&out, series, &frame, 60);
        assert_string_equal(out.data, cases[i].path);
        buf_free(&out);
        series_set_free(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_period_is_a_stretch_and_a_missing_one_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
