#include "review/suspect/explained.h"

#include "evidence_maker.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { START_MS = 1000000 };

/* A profile of so many seconds of CPU time, recorded for 10 s. */
static struct evidence *ten_seconds(const char *types, int64_t value)
{
    struct evidence *evidence = make_evidence("cpu");
    const struct made_stack stacks[] = {{"main.main;main.work", value}, {NULL, 0}};
    struct incident_profile *listed = add_made(
        evidence, "cpu", stacks_list(types, "/a.go", stacks), NULL);
    listed->requested_ms = START_MS;
    listed->finished_ms = START_MS + 10200;
    listed->seconds = 10;
    return evidence;
}

/* One sample every `spacing`, from before the profile to after it, but not within the gap. */
static void push_cores(struct evidence *evidence, const char *name, double cores,
    int64_t spacing_ms, int64_t gap_from_ms, int64_t gap_to_ms)
{
    struct series *series = series_set_add(&evidence->metrics, name);
    for (int64_t at = -2500; at <= 13000; at += spacing_ms)
        if (at < gap_from_ms || at > gap_to_ms)
            series_push(series, START_MS + at, at <= 0 ? 50 : cores);
}

static void find(const struct evidence *evidence, struct incident_explained *explained)
{
    explained_find(evidence, &evidence->profiles[0], explained);
}

static void the_container_is_summed_up_over_the_recording(void **state)
{
    (void)state;
    static const struct {
        int64_t spacing_ms, gap_from_ms, gap_to_ms;
        double container_s; /* NAN: not known */
    } cases[] = {
        {500, 1, 0, 20},
        {500, 3100, 4900, 20},
        {500, 3100, 5900, NAN},
        {500, -3000, 14000, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident_explained explained;
        struct evidence *evidence = ten_seconds("cpu/nanoseconds", 19000000000);
        push_cores(evidence, "cpu.cores", 2, cases[i].spacing_ms, cases[i].gap_from_ms,
            cases[i].gap_to_ms);
        find(evidence, &explained);
        assert_true(fabs(explained.profile_cpu_s - 19) < 1e-9);
        if (isnan(cases[i].container_s))
            assert_true(isnan(explained.container_cpu_s) && isnan(explained.percent));
        else
            assert_true(fabs(explained.container_cpu_s - cases[i].container_s) < 1e-6 &&
                        fabs(explained.percent - 95) < 1e-6);
        free_made(evidence);
    }
}

static void the_app_may_stand_before_the_series(void **state)
{
    (void)state;
    struct incident_explained explained;
    struct evidence *evidence = ten_seconds("cpu/milliseconds", 5000);
    evidence->incident->app = xstrdup("api");
    push_cores(evidence, "api.cpu.cores", 1, 500, 1, 0);
    find(evidence, &explained);
    assert_true(fabs(explained.profile_cpu_s - 5) < 1e-9);
    assert_true(fabs(explained.percent - 50) < 1e-6);
    free_made(evidence);
}

static void what_is_not_there_is_not_known(void **state)
{
    (void)state;
    struct incident_explained explained;
    struct evidence *evidence = ten_seconds("cpu/count", 5000);
    explained_find(evidence, NULL, &explained);
    assert_true(isnan(explained.profile_cpu_s) && isnan(explained.percent));
    find(evidence, &explained);
    assert_true(isnan(explained.profile_cpu_s) && isnan(explained.container_cpu_s));
    push_cores(evidence, "cpu.cores", 1, 500, 1, 0);
    evidence->incident->profiles[0].requested_ms = 0;
    find(evidence, &explained);
    assert_true(isnan(explained.container_cpu_s) && isnan(explained.percent));
    free_made(evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_container_is_summed_up_over_the_recording),
        cmocka_unit_test(the_app_may_stand_before_the_series),
        cmocka_unit_test(what_is_not_there_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
