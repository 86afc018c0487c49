#include "agent/incidents/memory_room.h"

#include "config/config.h"
#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const double mib = 1024 * 1024;

static void the_child_needs_its_share_below_the_limit(void **unused)
{
    (void)unused;
    static const struct {
        double percent, mib;
        int64_t child_mib;
        bool is_short;
    } cases[] = {
        {50, 256, 40, false}, /* of 512 MiB */
        {90, 460.8, 40, false},
        {90.1, 461, 40, true},
        {90.1, 9000, 40, true}, /* however much is left: the app may need it the next moment */
        {80, 160, 40, false},   /* of 200 MiB exactly the share is left */
        {80.1, 160.2, 40, true},
        {40, 25.6, 40, true},
        {50, NAN, 40, false},
        {95, NAN, 40, true},
        {NAN, 100, 40, false},
        {NAN, NAN, 40, false},
        {0, 0, 40, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(memory_room_is_short(cases[i].percent, cases[i].mib * mib,
                             cases[i].child_mib * 1024 * 1024),
            cases[i].is_short);
}

static void any_app_counts_while_its_figures_are_fresh(void **unused)
{
    (void)unused;
    static char api[] = "api", worker[] = "worker";
    struct app_config apps[] = {{.name = api}, {.name = worker}};
    struct config config = {.apps = apps, .app_count = 2, .interval_ms = 1000};
    struct series_set series;
    char why[MEMORY_ROOM_WHY_SIZE];
    series_set_init(&series, 4);
    assert_false(memory_room_lacks(&config, &series, 40 << 20, 1000, why));
    series_push(series_set_add(&series, "api.memory"), 1000, 50);
    series_push(series_set_add(&series, "worker.memory"), 1000, 93.25);
    assert_true(memory_room_lacks(&config, &series, 40 << 20, 16000, why));
    assert_string_equal(why, "memory of app worker is at 93.2% of its limit, and what reads "
                             "profiles may take 40 MiB (limits.memory)");
    assert_false(memory_room_lacks(&config, &series, 40 << 20, 16001, why));
    series_set_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_child_needs_its_share_below_the_limit),
        cmocka_unit_test(any_app_counts_while_its_figures_are_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
