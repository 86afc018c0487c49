#include "review/compare/growth.h"

#include "core/buf.h"

#include "stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const enum growth_order orders[] = {GROWTH_CUM_GREW, GROWTH_FLAT_GREW, GROWTH_CUM_SHRANK};

/* Names in the three orders, with the points by which they grew. */
static char *show(const struct growth *growth)
{
    struct buf out;
    buf_init(&out, 10000);
    for (size_t i = 0; i < 3; i++) {
        const struct growth_function **sorted = growth_sorted(growth, orders[i]);
        for (size_t j = 0; j < growth->count; j++)
            buf_printf(&out, "%s%s %.1f", j > 0 ? ", " : "", sorted[j]->name,
                orders[i] == GROWTH_FLAT_GREW ? sorted[j]->flat_points : sorted[j]->cum_points);
        buf_puts(&out, "\n");
        free(sorted);
    }
    return buf_take(&out);
}

static void test_differences_are_in_points_of_shares(void **state)
{
    static const struct {
        const char *types, *profile, *base, *orders;
    } cases[] = {
        /* Ten times as much of everything is no difference. */
        {"cpu/count", "a;b 30\na;c 70", "a;b 3\na;c 7",
            "a 0.0, c 0.0, b 0.0\nc 0.0, b 0.0, a 0.0\na 0.0, c 0.0, b 0.0\n"},
        {"cpu/count", "a;b 600\na;c 400", "a;b 1\na;c 9",
            "b 50.0, a 0.0, c -50.0\nb 50.0, a 0.0, c -50.0\nc -50.0, a 0.0, b 50.0\n"},
        {"cpu/count", "a;new 10", "a;old 10",
            "new 100.0, a 0.0, old -100.0\nnew 100.0, a 0.0, old -100.0\n"
            "old -100.0, a 0.0, new 100.0\n"},
        /* Memory in use and goroutines compare as they are; bars are of the larger total. */
        {"inuse_space/count", "a 100\nb 300", "a 100",
            "b 75.0, a 0.0\nb 75.0, a 0.0\na 0.0, b 75.0\n"},
        {"goroutine/count", "a 1", "a 1\nb 3", "a 0.0, b -75.0\na 0.0, b -75.0\nb -75.0, a 0.0\n"},
        /* Once a sample, however deep it recurses. */
        {"cpu/count", "a;a;a 5\nb 5", "b 10",
            "a 50.0, b -50.0\na 50.0, b -50.0\nb -50.0, a 50.0\n"},
        {"cpu/count", "a;b 3", "", "b 0.0, a 0.0\nb 0.0, a 0.0\na 0.0, b 0.0\n"},
        {"cpu/count", "", "a 3", "a -100.0\na -100.0\na -100.0\n"},
        {"cpu/count", "", "", "\n\n\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *profile = stacks_profile(cases[i].types, NULL, cases[i].profile);
        struct profile *base = stacks_profile(cases[i].types, NULL, cases[i].base);
        struct growth growth;
        growth_of(&growth, profile, 0, base);
        char *text = show(&growth);
        assert_string_equal(text, cases[i].orders);
        free(text);
        growth_free(&growth);
        profile_free(profile);
        profile_free(base);
    }
}

static void test_one_can_come_before_its_equals(void **state)
{
    (void)state;
    struct profile *profile = stacks_profile("cpu/count", NULL, "a;b;c;d 9\ne 1");
    struct growth growth;
    growth_of(&growth, profile, 0, NULL);
    growth_prefer(&growth, "c");
    char *text = show(&growth);
    assert_string_equal(text, "c 0.0, d 0.0, a 0.0, b 0.0, e 0.0\n"
                              "d 0.0, e 0.0, c 0.0, a 0.0, b 0.0\n"
                              "a 0.0, b 0.0, c 0.0, d 0.0, e 0.0\n");
    free(text);
    growth_free(&growth);
    profile_free(profile);
}

static void test_a_base_is_found_by_its_name_and_unit(void **state)
{
    static const struct {
        const char *types;
        bool has_base;
        double ratio;
    } cases[] = {
        {"alloc_space/bytes", true, 1},
        {"alloc_space/kilobytes", true, 1024},
        {"alloc_space/seconds", false, 1},
        {"inuse_space/bytes", false, 1},
    };
    (void)state;
    struct profile *profile = stacks_profile("alloc_space/bytes", NULL, "a 2048");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *base = stacks_profile(cases[i].types, NULL, "a 1");
        struct comparison comparison = comparison_of(profile, 0, base);
        assert_int_equal(comparison.has_base, cases[i].has_base);
        assert_true(comparison.base_ratio == cases[i].ratio);
        assert_true(comparison_amount(&comparison, 2048, 1) == 2048 - cases[i].ratio);
        profile_free(base);
    }
    struct comparison none = comparison_of(profile, 7, NULL);
    assert_int_equal(none.total, 0);
    assert_true(comparison_percent(&none, 5) == 0);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences_are_in_points_of_shares),
        cmocka_unit_test(test_one_can_come_before_its_equals),
        cmocka_unit_test(test_a_base_is_found_by_its_name_and_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
