/* What goes first when the spool fills up. */
#include "agent/storage/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ID(time, trigger) "20261123T" time "Z-" trigger "-1a2b3c"

enum { ITEMS = 5 };

static void what_goes_first_is_in_order(void **state)
{
    (void)state;
    static char baseline[] = ID("150401", "baseline"), spike[] = ID("150402", "cpu-high"),
                follow_up[] = ID("150403", "follow_up"), manual[] = ID("150404", "manual"),
                later[] = ID("150405", "baseline");
    static const struct {
        uint64_t used, limit;
        const char *expected; /* of the five above, in their order */
    } cases[] = {
        {0, 1000, "....."},
        {900, 1000, "....."},
        {901, 1000, "x...."}, /* the oldest baseline first */
        {1000, 1000, "x...."},
        {1001, 1000, "x...x"}, /* a follow-up only after all baselines */
        {1101, 1000, "x.x.x"},
        {99999, 1000, "x.x.x"}, /* never what a spike or a person opened */
        {1, 0, "x...."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct quota_item items[ITEMS] = {{.id = baseline, .bytes = 100},
            {.id = spike, .bytes = 100}, {.id = follow_up, .bytes = 100},
            {.id = manual, .bytes = 100}, {.id = later, .bytes = 100}};
        char text[ITEMS + 1] = "";
        quota_choose(items, ITEMS, cases[i].used, cases[i].limit);
        for (size_t j = 0; j < ITEMS; j++)
            text[j] = items[j].goes ? 'x' : '.';
        assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_first_is_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
