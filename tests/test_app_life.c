/* When an app ended and of what, from what its source and its endpoint tell, tick by tick. */
#include "agent/apps/app_life.h"

#include "sources/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS_MAX = 6 };
enum { NOTHING = 0, ENDED = APP_LIFE_ENDED, RESTARTED = APP_LIFE_RESTARTED, TOLD = APP_LIFE_TOLD };

/* One tick: what is told, and what follows from it. */
struct step {
    struct source_life source;
    bool endpoint_gone;
    unsigned changes;
};

#define RUNS(starts, kills)                                                                        \
    {                                                                                              \
        true, false, starts, kills, -1                                                             \
    }
#define GONE(starts, kills, exit)                                                                  \
    {                                                                                              \
        true, true, starts, kills, exit                                                            \
    }

static const struct life_case {
    const char *what;
    struct step steps[STEPS_MAX];
    struct app_end end; /* times are ticks */
} cases[] = {
    {"it runs", {{RUNS(1, 0)}, {RUNS(1, 0)}}, {0, 0, 0, false}},
    {"kills and starts of before are none", {{RUNS(4, 3)}, {RUNS(4, 3)}}, {0, 0, 0, false}},
    {"it is gone", {{RUNS(1, 0)}, {GONE(1, 0, -1), false, ENDED}, {GONE(1, 0, -1)}},
        {2, 0, -1, false}},
    {"it was gone from the start", {{GONE(1, 0, 1), false, ENDED | TOLD}}, {1, 0, 1, false}},
    {"it ends and comes back",
        {{RUNS(1, 0)}, {GONE(1, 0, -1), false, ENDED}, {RUNS(2, 0), false, RESTARTED},
            {RUNS(2, 0)}},
        {2, 3, -1, false}},
    {"it comes back between two ticks", {{RUNS(1, 0)}, {RUNS(2, 0), false, ENDED | RESTARTED}},
        {2, 2, -1, false}},
    {"out of memory", {{RUNS(1, 0)}, {GONE(1, 1, -1), false, ENDED | TOLD}}, {2, 0, -1, true}},
    {"the kill is seen first", {{RUNS(1, 0)}, {RUNS(1, 1)}, {GONE(1, 1, -1), false, ENDED | TOLD}},
        {3, 0, -1, true}},
    {"the kill is seen last",
        {{RUNS(1, 0)}, {GONE(1, 0, -1), false, ENDED}, {GONE(1, 1, -1), false, TOLD}},
        {2, 0, -1, true}},
    {"a child is killed, and it goes on", {{RUNS(1, 0)}, {RUNS(1, 1)}, {RUNS(1, 1)}},
        {0, 0, 0, false}},
    {"its exit status comes later",
        {{RUNS(1, 0)}, {GONE(1, 0, -1), false, ENDED}, {GONE(1, 1, 137), false, TOLD},
            {GONE(1, 1, 137)}},
        {2, 0, 137, true}},
    {"the exit status of a policy that started it again",
        {{{true, false, 1, 0, 3}}, {{true, false, 2, 0, 1}, false, ENDED | RESTARTED | TOLD}},
        {2, 2, 1, false}},
    {"started again and ended again",
        {{RUNS(1, 0)}, {GONE(2, 0, 1), false, ENDED | RESTARTED | TOLD}}, {2, 0, 1, false}},
    {"an endpoint that refuses is no end where a source sees it run",
        {{RUNS(1, 0)}, {RUNS(1, 0), true}, {{.known = false}, true}}, {0, 0, 0, false}},
    {"without a source the endpoint tells",
        {{{0}}, {{0}, true, ENDED}, {{0}, true}, {{0}, false, RESTARTED}}, {2, 4, -1, false}},
};

static void ends_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct life_case *c = &cases[i];
        struct app_life life = {0};
        size_t count = STEPS_MAX;
        while (count > 1 && !memcmp(&c->steps[count - 1], &(struct step){0}, sizeof *c->steps))
            count--;
        for (size_t j = 0; j < count; j++) {
            const struct step *step = &c->steps[j];
            unsigned changes = app_life_update(
                &life, &step->source, step->endpoint_gone, (int64_t)j + 1);
            if (changes != step->changes)
                fail_msg("%s: %u at step %zu", c->what, changes, j + 1);
        }
        if (life.end.time_ms != c->end.time_ms || life.end.restarted_ms != c->end.restarted_ms ||
            life.end.exit_code != c->end.exit_code || life.end.oom_killed != c->end.oom_killed)
            fail_msg("%s: ended at %d, again at %d, status %d, oom %d", c->what,
                (int)life.end.time_ms, (int)life.end.restarted_ms, (int)life.end.exit_code,
                life.end.oom_killed);
    }
}

static void a_kill_of_long_ago_is_another_matter(void **state)
{
    (void)state;
    struct app_life life = {0};
    struct source_life source = {true, false, 1, 0, -1};
    app_life_update(&life, &source, false, 1000);
    source.oom_kills = 1;
    app_life_update(&life, &source, false, 2000);
    source.gone = true;
    assert_int_equal(app_life_update(&life, &source, false, 60000), APP_LIFE_ENDED);
    assert_false(life.end.oom_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(a_kill_of_long_ago_is_another_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
