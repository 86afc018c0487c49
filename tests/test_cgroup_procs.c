/* Whether an app runs and is the same, from lists of its processes. */
#include "sources/cgroup/cgroup_procs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void starts_are_told_from_new_workers(void **state)
{
    (void)state;
    static const struct {
        const char *what, *texts[4];
        uint64_t starts;
        bool populated;
        unsigned long first;
    } cases[] = {
        {"nothing", {"", ""}, 0, false, 0},
        {"one that stays", {"10\n", "10\n"}, 1, true, 10},
        {"one that comes late", {"", "10\n"}, 1, true, 10},
        {"one that ends", {"10\n", ""}, 1, false, 0},
        {"one that is replaced between two looks", {"10\n", "11\n"}, 2, true, 11},
        {"one that is replaced", {"10\n", "", "", "11\n"}, 2, true, 11},
        {"workers that are replaced", {"10\n12\n13\n", "10\n14\n"}, 1, true, 10},
        {"a worker that is listed first", {"9\n10\n", "10\n11\n"}, 1, true, 10},
        {"all of them are replaced", {"10\n12\n", "14\n15\n"}, 2, true, 14},
        {"processes that cannot be seen", {"0\n0\n", "0\n"}, 1, true, 0},
        {"one of a namespace below", {"0\n12\n", "13\n"}, 1, true, 13},
        {"such that end and come", {"0\n", "", "0\n"}, 2, true, 0},
        {"no list", {"x\n", "10 x 11\n"}, 1, true, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cgroup_procs procs = {0};
        for (size_t j = 0; j < 4 && cases[i].texts[j]; j++)
            cgroup_procs_update(&procs, cases[i].texts[j]);
        if (procs.starts != cases[i].starts || procs.populated != cases[i].populated ||
            cgroup_procs_first(&procs) != cases[i].first)
            fail_msg("%s: %llu starts, first %lu", cases[i].what, (unsigned long long)procs.starts,
                cgroup_procs_first(&procs));
    }
}

static void a_cgroup_made_anew_is_a_start_even_with_the_same_ids(void **state)
{
    (void)state;
    struct cgroup_procs procs = {0};
    cgroup_procs_update(&procs, "1\n");
    cgroup_procs_clear(&procs);
    assert_false(procs.populated);
    cgroup_procs_update(&procs, "1\n");
    assert_int_equal(procs.starts, 2);
}

static void lists_of_any_length_are_taken(void **state)
{
    (void)state;
    char text[8000] = "";
    for (size_t i = 0, used = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%zu\n", 1000 + i);
    struct cgroup_procs procs = {0};
    cgroup_procs_update(&procs, text);
    cgroup_procs_update(&procs, text);
    assert_int_equal(procs.count, CGROUP_PROCS_MAX);
    assert_int_equal(procs.starts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_told_from_new_workers),
        cmocka_unit_test(a_cgroup_made_anew_is_a_start_even_with_the_same_ids),
        cmocka_unit_test(lists_of_any_length_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
