#include "agent/incidents/incident_notes.h"

#include "core/incident.h"
#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t wall_offset_ms = 1000000;

struct point {
    int64_t time_ms; /* 0: no more */
    double value;
};

static void fill(struct series_set *set, const char *name, const struct point *points)
{
    for (; points->time_ms; points++)
        series_push(series_set_add(set, name), points->time_ms, points->value);
}

static void check(size_t row, const char *what, double found, double wanted)
{
    if (isnan(wanted) ? !isnan(found) : !(fabs(found - wanted) < 1e-9))
        fail_msg("row %zu: %s is %g instead of %g", row, what, found, wanted);
}

static void the_use_during_a_capture_is_noted(void **state)
{
    (void)state;
    static const struct {
        struct {
            int64_t requested_ms, finished_ms; /* 0, 0: there is no such profile */
        } profiles[2];
        struct point cpu[6], memory[6];
        double cpu_mean, memory_max;
    } rows[] = {
        /* even samples, all within */
        {{{2000, 5000}}, {{2000, 10}, {3000, 90}, {4000, 80}, {5000, 70}, {6000, 0}},
            {{2000, 50}, {3000, 60}, {4000, 55}, {6000, 99}}, 80, 60},
        /* from the first request to the last end */
        {{{3000, 5000}, {2000, 3000}}, {{2000, 10}, {3000, 90}, {4000, 80}, {5000, 70}},
            {{5000, 40}}, 80, 40},
        /* samples that reach out of it count as far as they lie within */
        {{{2500, 4500}}, {{2000, 10}, {3000, 90}, {4000, 50}, {5000, 10}}, {{2000, 90}}, 50, NAN},
        /* the longer a sample has lasted, the more it counts */
        {{{1000, 5000}}, {{1000, 0}, {4000, 40}, {5000, 80}}, {{1000, 1}}, 50, 1},
        /* one sample that is longer than the capture */
        {{{2000, 3000}}, {{1000, 10}, {61000, 60}}, {{61000, 70}}, 60, NAN},
        /* a gap is the mean of the time that it was */
        {{{1000, 9000}}, {{1000, 5}, {2000, 20}, {9000, 60}}, {{0}}, 55, NAN},
        /* nothing is known of before the first sample, or after the last */
        {{{1000, 9000}}, {{3000, 99}, {5000, 60}}, {{3000, 10}, {5000, 20}}, 60, 20},
        {{{5000, 9000}}, {{1000, 5}, {2000, 20}}, {{2000, 20}}, NAN, NAN},
        {{{1000, 9000}}, {{5000, 60}}, {{5000, 20}}, NAN, 20},
        /* nothing was measured; no profile came */
        {{{1000, 9000}}, {{0}}, {{0}}, NAN, NAN},
        {{{1000, 0}}, {{1000, 5}, {2000, 20}}, {{1000, 20}}, NAN, NAN},
        {{{0, 0}}, {{1000, 5}, {2000, 20}}, {{1000, 20}}, NAN, NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct series_set set;
        struct incident *incident = incident_new();
        series_set_init(&set, 100);
        for (size_t j = 0; j < 2; j++) {
            struct incident_profile *profile = incident_add_profile(incident, "cpu");
            int64_t requested_ms = rows[i].profiles[j].requested_ms;
            int64_t finished_ms = rows[i].profiles[j].finished_ms;
            profile->requested_ms = requested_ms ? requested_ms + wall_offset_ms : 0;
            profile->finished_ms = finished_ms ? finished_ms + wall_offset_ms : 0;
        }
        fill(&set, "cpu", rows[i].cpu);
        fill(&set, "memory", rows[i].memory);
        incident_note_usage(incident, series_set_find(&set, "cpu"), series_set_find(&set, "memory"),
            wall_offset_ms);
        check(i, "cpu_mean", incident->cpu_mean, rows[i].cpu_mean);
        check(i, "memory_max", incident->memory_max, rows[i].memory_max);
        incident_free(incident);
        series_set_free(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_use_during_a_capture_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
