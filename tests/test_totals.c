#include "review/top/totals.h"

#include "stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct totals_case {
    const char *types, *stacks;
    const char *expected; /* "name flat cum" in their order, and the total */
} totals_cases[] = {
    {"cpu/nanoseconds", "", "total 0"},
    {"cpu/nanoseconds", "root;leaf 3\nroot 4", "root 4 7, leaf 3 3, total 7"},
    /* recursion counts once; functions of one name are one */
    {"cpu/nanoseconds", "g;f;g;f 5\ng;f|x 1", "f 5 6, g 0 6, x 1 1, total 6"},
    /* the innermost of inlined functions has it; equals are in the order of their names */
    {"cpu/nanoseconds", "a|b|c 2", "a 0 2, b 0 2, c 2 2, total 2"},
    {"cpu/nanoseconds", "main;0x10 2\nmain;0xabc 3", "main 0 5, 0xabc 3 3, 0x10 2 2, total 5"},
    /* one whose name is an address is the same */
    {"cpu/nanoseconds", "0x10;0x10 1\nf 1", "0x10 1 1, f 1 1, total 2"},
    {"cpu/nanoseconds", "f|? 1", "0x1001 1 1, f 0 1, total 1"},
    {"cpu/nanoseconds", "1", "total 1"},
    {"cpu/nanoseconds", "f -5\ng 3", "g 3 3, f -5 -5, total -2"},
    {"cpu/nanoseconds", "f 9223372036854775807\nf 1",
        "f -9223372036854775808 -9223372036854775808, total -9223372036854775808"},
    /* the last type is the default */
    {"samples/count cpu/nanoseconds", "g;f 1,10\ng 2,20", "g 20 30, f 10 10, total 30"},
};

static void totals_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof totals_cases / sizeof *totals_cases; i++) {
        const struct totals_case *expected = &totals_cases[i];
        struct profile *profile = stacks_profile(expected->types, NULL, expected->stacks);
        struct totals totals;
        struct buf told;
        totals_of(profile, (uint32_t)totals_sample_type(profile, NULL), &totals);
        buf_init(&told, 4096);
        for (size_t j = 0; j < totals.count; j++) {
            const struct function_total *function = &totals.functions[j];
            buf_printf(&told, "%s %" PRId64 " %" PRId64 ", ", function->name, function->flat,
                function->cum);
            assert_ptr_equal(totals_find(&totals, function->name), function);
        }
        buf_printf(&told, "total %" PRId64, totals.total);
        assert_string_equal(told.data, expected->expected);
        assert_null(totals_find(&totals, "nowhere"));
        buf_free(&told);
        totals_free(&totals);
        profile_free(profile);
    }
}

static const struct type_case {
    const char *types, *default_type, *name;
    int expected;
} type_cases[] = {
    {"samples/count cpu/nanoseconds", NULL, NULL, 1},
    {"samples/count cpu/nanoseconds", "samples", NULL, 0},
    {"samples/count cpu/nanoseconds", "wall", NULL, 1},
    {"samples/count cpu/nanoseconds", NULL, "", 1},
    {"samples/count cpu/nanoseconds", NULL, "samples", 0},
    {"samples/count cpu/nanoseconds", NULL, "cpu", 1},
    {"samples/count cpu/nanoseconds", NULL, "count", -1},
    {"samples/count cpu/nanoseconds", NULL, "0", 0},
    {"samples/count cpu/nanoseconds", NULL, "+1", 1},
    {"samples/count cpu/nanoseconds", NULL, "2", -1},
    {"samples/count cpu/nanoseconds", NULL, "-1", -1},
    {"samples/count cpu/nanoseconds", NULL, " 1", -1},
    {"objects/count space/bytes", NULL, "inuse_space", 1},
    {"space/bytes inuse_space/bytes", NULL, "inuse_space", 0},
};

static void a_type_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof type_cases / sizeof *type_cases; i++) {
        const struct type_case *expected = &type_cases[i];
        struct profile *profile = stacks_profile(expected->types, expected->default_type, "");
        assert_int_equal(totals_sample_type(profile, expected->name), expected->expected);
        profile_free(profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_counted),
        cmocka_unit_test(a_type_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
