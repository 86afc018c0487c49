/* When a baseline is taken, by table. */
#include "agent/baseline/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

#define NEVER INT64_MIN

static const int64_t now_ms = 1000 * (int64_t)HOUR;

static void the_plan_follows_from_what_is_known(void **state)
{
    (void)state;
    /* Times are how long ago; negative: how long ahead. */
    static const struct {
        const char *what;
        int64_t every, calm, captured, newest, failed;
        bool deployed;
        enum need need;
        bool now;
        int64_t due_in;
        unsigned lessers;
    } cases[] = {
        {"a first one waits for 10 s of calm", 6 * HOUR, 9 * SECOND, NEVER, NEVER, NEVER, false,
            NEED_FIRST, false, SECOND},
        {"and is taken then", 6 * HOUR, 10 * SECOND, NEVER, NEVER, NEVER, false, NEED_FIRST, true,
            0},
        {"but not while it is not calm", 6 * HOUR, NEVER, NEVER, NEVER, NEVER, false, NEED_FIRST,
            false, 10 * SECOND},
        {"a spike that is over does not hold back the first", 6 * HOUR, 10 * SECOND, 10 * SECOND,
            NEVER, NEVER, false, NEED_FIRST, true, 0},
        {"one is enough for a while", 6 * HOUR, HOUR, NEVER, 2 * HOUR, NEVER, false, NEED_NEXT,
            false, 4 * HOUR},
        {"then the next is due", 6 * HOUR, HOUR, NEVER, 6 * HOUR, NEVER, false, NEED_NEXT, true, 0},
        {"after a minute of calm", 6 * HOUR, 59 * SECOND, NEVER, 8 * HOUR, NEVER, false, NEED_NEXT,
            false, SECOND},
        {"and two minutes after a capture", 6 * HOUR, 90 * SECOND, 90 * SECOND, 8 * HOUR, NEVER,
            false, NEED_NEXT, false, 30 * SECOND},
        {"when it is not calm that begins anew", 6 * HOUR, NEVER, NEVER, 8 * HOUR, NEVER, false,
            NEED_NEXT, false, MINUTE},
        {"as often as is wished", HOUR, HOUR, NEVER, 61 * MINUTE, NEVER, false, NEED_NEXT, true, 0},
        {"a deploy makes it due", 6 * HOUR, MINUTE, NEVER, NEVER, NEVER, true, NEED_DEPLOY, true,
            0},
        {"after a minute", 6 * HOUR, 20 * SECOND, 20 * SECOND, NEVER, NEVER, true, NEED_DEPLOY,
            false, 40 * SECOND},
        {"what brought nothing is tried again in half an hour", 6 * HOUR, HOUR, 10 * MINUTE, NEVER,
            10 * MINUTE, false, NEED_FIRST, false, 20 * MINUTE},
        {"also after a deploy", 6 * HOUR, HOUR, 30 * MINUTE, NEVER, 30 * MINUTE, true, NEED_DEPLOY,
            true, 0},
        {"or sooner where they are taken more often", 5 * MINUTE, HOUR, 3 * MINUTE, NEVER,
            3 * MINUTE, false, NEED_FIRST, false, 2 * MINUTE},
        {"one that brought less is tried again", 6 * HOUR, HOUR, 10 * MINUTE, 7 * HOUR, 10 * MINUTE,
            false, NEED_NEXT, false, 20 * MINUTE, 1},
        {"but what brings less each time is enough", 6 * HOUR, HOUR, 10 * MINUTE, 7 * HOUR,
            10 * MINUTE, false, NEED_NEXT, false, 6 * HOUR - 10 * MINUTE, 2},
        {"however often that was", 6 * HOUR, HOUR, 6 * HOUR, 13 * HOUR, 6 * HOUR, false, NEED_NEXT,
            true, 0, 9},
        {"until a deploy", 6 * HOUR, HOUR, 40 * MINUTE, NEVER, 40 * MINUTE, true, NEED_DEPLOY, true,
            0, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
#define AT(member) (cases[i].member == NEVER ? NEVER : now_ms - cases[i].member)
        struct situation situation = {.now_ms = now_ms,
            .every_ms = cases[i].every,
            .calm_since_ms = AT(calm),
            .captured_ms = AT(captured),
            .newest_ms = AT(newest),
            .failed_ms = AT(failed),
            .lessers = cases[i].lessers,
            .deployed = cases[i].deployed};
        struct plan plan;
        schedule_plan(&situation, &plan);
        if (plan.need != cases[i].need || plan.now != cases[i].now ||
            plan.due_ms - now_ms != cases[i].due_in)
            fail_msg("%s: need %d, now %d, due in %lld ms", cases[i].what, plan.need, plan.now,
                (long long)(plan.due_ms - now_ms));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_follows_from_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
