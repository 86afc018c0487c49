#include "agent/detection/interest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CPU(v) .app = "app", .metric = "cpu", .unit = UNIT_PERCENT, .value = v, .limit = 80
#define RECEIVED(v)                                                                                \
    .app = "app", .metric = "db.received", .unit = UNIT_RATE, .value = v, .limit = 1e6
#define MEMORY(v) .app = "app", .metric = "memory", .unit = UNIT_PERCENT, .value = v, .limit = 100

static void a_fire_has_to_be_worse(void **unused)
{
    (void)unused;
    static const struct {
        struct interest fire, waiting;
        bool worse;
    } cases[] = {
        /* Of one metric: in percent more than half way to 100, else a quarter more. */
        {{CPU(93)}, {CPU(85)}, true},
        {{CPU(92.5)}, {CPU(85)}, false},
        {{CPU(85)}, {CPU(85)}, false},
        {{CPU(81)}, {CPU(85)}, false},
        {{CPU(140)}, {CPU(104)}, true},
        {{RECEIVED(5.1e6)}, {RECEIVED(4e6)}, true},
        {{RECEIVED(5e6)}, {RECEIVED(4e6)}, false},
        /* Of others: how many times its level. */
        {{RECEIVED(40e6)}, {CPU(97)}, true},
        {{RECEIVED(1.5e6)}, {CPU(97)}, false},
        {{CPU(97)}, {RECEIVED(40e6)}, false},
        {{.app = "b", .metric = "cpu", .unit = UNIT_PERCENT, .value = 93, .limit = 80}, {CPU(85)},
            false},
        /* For being low. */
        {{.down = true, RECEIVED(1e5)}, {.down = true, RECEIVED(2e5)}, true},
        {{.down = true, RECEIVED(1.9e5)}, {.down = true, RECEIVED(2e5)}, false},
        /* The app's end is worse than any other spike, and nothing else than it. */
        {{.grave = true, MEMORY(85)}, {RECEIVED(40e6)}, true},
        {{RECEIVED(40e6)}, {.grave = true, MEMORY(85)}, false},
        {{RECEIVED(40e6)}, {.grave = true, .empty = true, MEMORY(85)}, false},
        {{.grave = true, MEMORY(85)}, {.grave = true, MEMORY(85)}, false},
        {{.grave = true, MEMORY(93)}, {.grave = true, MEMORY(85)}, true},
        /* What is known, follows up or caught nothing gives way to what is as bad. */
        {{CPU(85)}, {.known = true, CPU(85)}, true},
        {{CPU(84)}, {.known = true, CPU(85)}, false},
        {{CPU(85)}, {.empty = true, CPU(85)}, true},
        {{CPU(85)}, {.follow_up = true, CPU(85)}, true},
        {{RECEIVED(1.3e6)}, {.known = true, CPU(97)}, true},
        /* What cannot be told is as if just at the level. */
        {{CPU(NAN)}, {CPU(NAN)}, false},
        {{CPU(101)}, {CPU(NAN)}, true},
        {{.app = "app", .metric = "own", .value = 7, .limit = 0}, {CPU(81)}, false},
        {{.app = "app", .value = NAN, .limit = NAN}, {.known = true, CPU(80)}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (interest_is_worse(&cases[i].fire, &cases[i].waiting) != cases[i].worse)
            fail_msg("case %zu is not as expected", i);
}

static void the_least_interesting_goes(void **unused)
{
    (void)unused;
    static const struct {
        struct interest fire, waiting[4];
        size_t count, chosen;
    } cases[] = {
        {{CPU(99)}, {{CPU(85)}}, 0, 0},
        {{CPU(99)}, {{CPU(90)}, {CPU(85)}, {CPU(88)}}, 3, 1},
        {{CPU(99)}, {{CPU(85)}, {CPU(85)}, {CPU(88)}}, 3, 1}, /* the later of two */
        {{CPU(99)}, {{CPU(85)}, {.known = true, CPU(97)}, {CPU(88)}}, 3, 1},
        {{CPU(99)}, {{.known = true, CPU(97)}, {.follow_up = true, CPU(98)}}, 2, 1},
        {{CPU(99)}, {{.grave = true, MEMORY(85)}, {CPU(98.9)}}, 2, 2},
        {{CPU(85)}, {{CPU(90)}, {CPU(97)}}, 2, 2},
        {{.grave = true, MEMORY(85)}, {{RECEIVED(9e6)}, {CPU(97)}, {RECEIVED(3e6)}}, 3, 1},
        {{.grave = true, MEMORY(85)}, {{.grave = true, MEMORY(60)}, {.grave = true, MEMORY(50)}}, 2,
            1},
        {{.down = true, RECEIVED(1e4)},
            {{.down = true, RECEIVED(5e5)}, {.down = true, RECEIVED(9e5)}}, 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t chosen = interest_choose(&cases[i].fire, cases[i].waiting, cases[i].count);
        if (chosen != cases[i].chosen)
            fail_msg("case %zu chooses %zu", i, chosen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fire_has_to_be_worse),
        cmocka_unit_test(the_least_interesting_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
