#include "agent/capture/heat.h"

#include "config/config.h"
#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void only_a_fresh_sample_above_the_level_is_too_hot(void **unused)
{
    (void)unused;
    static const struct {
        double level, cpu; /* cpu NAN: nothing was measured */
        int64_t age_ms, interval_ms;
        bool single, hot;
    } cases[] = {
        {95, 95.1, 0, 1000, true, true},
        {95, 95, 0, 1000, true, false},
        {95, 140, 15000, 1000, true, true},
        {95, 140, 15001, 1000, true, false},
        {95, 140, 30000, 10000, true, true},
        {95, 140, 30001, 10000, true, false},
        {0, 140, 0, 1000, true, false}, /* off */
        {95, NAN, 0, 1000, true, false},
        {95, 140, 0, 1000, false, true},
    };
    static char api[] = "api", worker[] = "worker";
    struct app_config apps[] = {{.name = api}, {.name = worker}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config = {.apps = apps,
            .app_count = cases[i].single ? 1 : 2,
            .single_app = cases[i].single,
            .interval_ms = cases[i].interval_ms};
        struct series_set series;
        config.limits.hold_off.value = cases[i].level;
        series_set_init(&series, 4);
        series_push(
            series_set_add(&series, cases[i].single ? "cpu" : "worker.cpu"), 1000, cases[i].cpu);
        struct heat heat = {&config, &series, cases[i].single ? 0 : 1};
        assert_int_equal(heat_is_too_hot(&heat, 1000 + cases[i].age_ms, NULL), cases[i].hot);
        heat.app = 0;
        if (!cases[i].single)
            assert_false(heat_is_too_hot(&heat, 1000, NULL)); /* it is another app's */
        series_set_free(&series);
    }
}

static void it_says_why(void **unused)
{
    (void)unused;
    struct config config = {.single_app = true, .interval_ms = 1000};
    struct series_set series;
    char why[HEAT_WHY_SIZE];
    config.limits.hold_off.value = 95;
    series_set_init(&series, 4);
    series_push(series_set_add(&series, "cpu"), 1000, 99.25);
    const struct heat heat = {&config, &series, 0}, nobodys = {0};
    assert_true(heat_is_too_hot(&heat, 1000, why));
    assert_string_equal(
        why, "the app is too hot to be profiled: cpu 99.2% is above limits.hold_off: 95%");
    assert_false(heat_is_too_hot(&nobodys, 1000, why));
    series_set_free(&series);
}

static void what_records_for_a_while_is_concerned(void **unused)
{
    (void)unused;
    assert_true(heat_concerns("cpu") && heat_concerns("trace"));
    assert_false(heat_concerns("heap") || heat_concerns("goroutine") || heat_concerns("allocs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_fresh_sample_above_the_level_is_too_hot),
        cmocka_unit_test(it_says_why),
        cmocka_unit_test(what_records_for_a_while_is_concerned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
