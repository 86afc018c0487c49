#include "review/page/flame.h"

#include "core/buf.h"
#include "review/compare/flame_tree.h"

#include "page_text.h"
#include "stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* The page's piece for two profiles of stacks; base NULL: none. The caller frees it. */
static char *page_of(const char *types, const char *stacks, const char *base_stacks)
{
    struct profile *profile = stacks_profile(types, NULL, stacks);
    struct profile *base = base_stacks ? stacks_profile(types, NULL, base_stacks) : NULL;
    struct flame_tree tree;
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    flame_tree_build(&tree, profile, 0, base, NULL);
    flame_write(&out, &tree, &(struct flame_options){.id = "cpu", .title = "CPU time"});
    flame_tree_free(&tree);
    profile_free(profile);
    profile_free(base);
    return buf_take(&out);
}

static void test_frames_are_as_wide_as_their_share(void **state)
{
    (void)state;
    char *page = page_of("cpu/nanoseconds",
        "a/b.Run;a/b.Work 750000000\na/b.Run 240000000\n"
        "c.Tiny 10000000",
        NULL);
    must_have(page, "<foreignObject x=\"0.00%\" y=\"0\" width=\"100.00%\" height=\"19\"><p "
                    "class=\"z x\" title=\"all: 100.0% of CPU time (1.00 s)\">all</p>");
    must_have(page, "<foreignObject x=\"0.00%\" y=\"20\" width=\"99.00%\" height=\"19\"><p "
                    "class=\"z u\" title=\"a/b.Run: 99.0% of CPU time (990 ms)\">b.Run</p>");
    must_have(page, "x=\"0.00%\" y=\"40\" width=\"75.00%\"");
    must_have(page, "<rect x=\"99.00%\" y=\"20\" width=\"1.00%\" height=\"19\" class=\"z "
                    "u\"><title>c.Tiny: 1.0% of CPU time (10.0 ms)</title></rect>");
    must_not_have(page, "Difference");
    must_not_have(page, "with-base");
    free(page);
}

static void test_a_difference_is_in_points_and_colours(void **state)
{
    (void)state;
    char *page = page_of("cpu/nanoseconds", "a 80\nb 18\nc 2", "a 2\nb 6\nd 2");
    must_have(page, "<div class=\"flame with-base\" id=\"cpu\" data-title=\"CPU time\" "
                    "data-then=\"calm day\" data-unit=\"ns\" data-total=\"100\" data-base=\"10\" "
                    "data-kind=\"shares\">");
    must_have(page, "<p class=\"p5 u\" title=\"a: 80.0% of CPU time (80 ns), calm day 20.0%, +60.0 "
                    "points\">a <b>+60.0</b></p>");
    must_have(page, "<p class=\"m5 u\" title=\"b: 18.0% of CPU time (18 ns), calm day 60.0%, "
                    "\xe2\x88\x92"
                    "42.0 points\">b <b>\xe2\x88\x92"
                    "42.0</b></p>");
    must_have(page, "class=\"p2 u\"><title>c: 2.0% of CPU time (2 ns), calm day 0.0%, +2.0 points");
    /* What is gone is in the table and in the data. */
    must_have(page, "<th scope=\"row\" class=\"i1\">d<td>0.0%<td>20.0%<td>\xe2\x88\x92"
                    "20.0\n");
    must_have(page, "id=\"cpu-diff\" checked>");
    must_have(page, "id=\"cpu-plain\">");
    free(page);
}

static void test_amounts_compare_as_they_are(void **state)
{
    (void)state;
    char *page = page_of("inuse_space/bytes", "a 4194304\nb 1048576", "b 1048576");
    must_have(page, "data-kind=\"amounts\"");
    must_have(page, "a: 80.0% of CPU time (4.00 MiB), calm day 0 B, +4.00 MiB\">");
    must_have(page, "b: 20.0% of CPU time (1.00 MiB), calm day 1.00 MiB, 0 B\">");
    free(page);
}

static void test_the_script_gets_all_of_the_tree(void **state)
{
    (void)state;
    char *page = page_of("cpu/nanoseconds", "a;b 99\na;c;a 1", "a;b 1\nd 1");
    must_have(page, "<pre class=\"flame-data\" hidden>u0 a\nx1 ll\nu0 b\nu0 c\nu0 d\n\n"
                    "1 0 255s 255s\n" /* 100000 in base 36 */
                    "0 1 255s 12kw\n"
                    "2 2 24e0 12kw\n"
                    "3 2 rs\n"
                    "0 3 rs\n"
                    "4 1 0 12kw\n</pre>");
    free(page);
}

static void test_nothing_of_a_name_is_markup(void **state)
{
    static const char hostile[] = "<script>alert(1)</script>\"onclick='x'&\x01</pre>";
    char stacks[200];
    (void)state;
    snprintf(stacks, sizeof stacks, "%s 60\nb 40", hostile);
    for (char *at = stacks; *at; at++)
        if (*at == '\x01')
            *at = '\r';
    char *page = page_of("cpu/nanoseconds", stacks, "b 1");
    must_not_have(page, "<script");
    must_not_have(page, "onclick='");
    must_not_have(page, "\"onclick");
    must_not_have(page, "\r");
    must_have(page, "u0 &lt;script&gt;alert(1)&lt;/script&gt;&quot;onclick=&#39;x&#39;&amp; "
                    "&lt;/pre&gt;\n");
    free(page);
}

/* The largest tree, with long names, in which everything differs. */
static void test_the_largest_graph_is_small(void **state)
{
    struct buf stacks, base;
    (void)state;
    buf_init(&stacks, (size_t)1 << 24);
    buf_init(&base, (size_t)1 << 24);
    for (int i = 0; i < 700; i++)
        for (int j = 0; j < 2; j++)
            buf_printf(j ? &base : &stacks,
                "net/http.(*conn).serve;example.com/service/pkg/stores/game%d.(*DBStore)."
                "GetRematchStreak;encoding/json.(*decodeState).object;runtime.mallocgc%d;"
                "runtime.gcStart%d %d\n",
                i / 4, i % 50, i % 70, j ? 2000 - i : 1000 + i);
    char *page = page_of("cpu/nanoseconds", stacks.data, base.data);
    assert_in_range(strlen(page), 10000, 150 * 1000);
    must_not_have(page, "style=");
    free(page);
    buf_free(&stacks);
    buf_free(&base);
}

static void test_an_empty_profile_is_said_to_be_empty(void **state)
{
    (void)state;
    char *page = page_of("cpu/nanoseconds", "", NULL);
    assert_string_equal(
        page, "<p class=\"flame-empty\">The profile has no samples of CPU time.</p>\n");
    free(page);
    page = page_of("cpu/nanoseconds", "", "a 1");
    must_have(page, "<th scope=\"row\" class=\"i1\">a<td>0.0%<td>100.0%");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_are_as_wide_as_their_share),
        cmocka_unit_test(test_a_difference_is_in_points_and_colours),
        cmocka_unit_test(test_amounts_compare_as_they_are),
        cmocka_unit_test(test_the_script_gets_all_of_the_tree),
        cmocka_unit_test(test_nothing_of_a_name_is_markup),
        cmocka_unit_test(test_the_largest_graph_is_small),
        cmocka_unit_test(test_an_empty_profile_is_said_to_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
