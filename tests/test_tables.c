#include "review/page/tables.h"

#include "core/buf.h"
#include "review/compare/growth.h"
#include "review/page/goroutine_table.h"
#include "review/suspect/goroutines.h"

#include "page_text.h"
#include "stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUS "\xe2\x88\x92"

static char *source_of(const void *arg, const char *function, const char *file, long long line)
{
    assert_non_null(function);
    return xasprintf("%s%s#L%lld", (const char *)arg, file, line);
}

/* The caller frees it. */
static char *table_of(const char *types, const char *stacks, const char *base_stacks,
    const struct tables_options *options)
{
    struct profile *profile = stacks_profile(types, NULL, stacks);
    struct profile *base = base_stacks ? stacks_profile(types, NULL, base_stacks) : NULL;
    if (profile->function_count > 0) {
        profile->functions[0].file = stacks_add_string(profile, "/src/a \"b\".go");
        profile->functions[0].start_line = 7;
    }
    struct growth growth;
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    growth_of(&growth, profile, 0, base);
    tables_write_growth(&out, &growth, options);
    growth_free(&growth);
    profile_free(profile);
    profile_free(base);
    return buf_take(&out);
}

static void test_rows_tell_now_and_then(void **state)
{
    static const struct {
        const char *types, *profile, *base, *row;
    } cases[] = {
        {"cpu/nanoseconds", "m;x/y.Work 60\nm;z 40", "m;x/y.Work 1\nm;z 9",
            ">y.Work <small>x/y</small></th><td>+50.0 <svg class=\"bar-grew\" width=\"80\" "
            "height=\"10\" aria-hidden=\"true\"><rect width=\"100.0%\" height=\"10\"/></svg></td>"
            "<td>60.0%</td><td>10.0%</td><td>60.0%</td><td>10.0%</td></tr>"},
        {"cpu/nanoseconds", "m;w 60\nm;z 40", "m;w 1\nm;z 9",
            "<details><summary>What shrank: 1 function</summary>\n<table><caption>Functions that "
            "shrank most, with what they call</caption>"},
        {"inuse_space/bytes", "m;w 2048\nm 1024", "m;w 1024",
            "<td>+1.00 KiB <svg class=\"bar-grew\" width=\"80\" height=\"10\" aria-hidden=\"true\">"
            "<rect width=\"50.0%\" height=\"10\"/></svg></td><td>2.00 KiB</td><td>1.00 KiB</td>"},
        {"cpu/nanoseconds", "m;w 2000\nm 6000", NULL,
            "<td>75.0% <svg class=\"bar-share\" width=\"80\" height=\"10\" "
            "aria-hidden=\"true\"><rect "
            "width=\"100.0%\" height=\"10\"/></svg></td><td>100.0%</td><td>8.00 µs</td>"
            "<td>75.0%</td><td>6.00 µs</td>"},
        {"cpu/nanoseconds", "m 1", "m 1", "<p>No function has grown in time since calm day.</p>"},
        {"cpu/nanoseconds", "", NULL, "<p>The profile has no samples of time.</p>"},
    };
    const struct tables_options options = {.id = "t", .title = "time"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *page = table_of(cases[i].types, cases[i].profile, cases[i].base, &options);
        must_have(page, cases[i].row);
        free(page);
    }
}

static void test_rows_have_a_limit_and_say_so(void **state)
{
    const struct tables_options options = {.id = "t", .title = "time", .rows = 2};
    (void)state;
    char *page = table_of("cpu/nanoseconds", "a 4\nb 3\nc 2\nd 1", "z 1", &options);
    must_have(page, "<p class=\"rest by-cum\">2 more are smaller.</p>");
    must_have(page, "title=\"b\"");
    must_not_have(page, "title=\"c\"");
    free(page);
}

static void test_links_are_of_the_web_only(void **state)
{
    struct tables_options options = {
        .id = "t", .title = "time", .source = source_of, .source_arg = "https://git.internal"};
    (void)state;
    char *page = table_of("cpu/nanoseconds", "<a> 4", NULL, &options);
    must_have(page, "title=\"&lt;a&gt;&#10;/src/a &quot;b&quot;.go:7\"><a "
                    "href=\"https://git.internal/src/a &quot;b&quot;.go#L7\">&lt;a&gt;</a>");
    free(page);
    options.source_arg = "javascript:alert(1)//";
    page = table_of("cpu/nanoseconds", "<a> 4", NULL, &options);
    must_not_have(page, "javascript");
    must_not_have(page, "<a ");
    free(page);
}

static void test_goroutines_are_told_by_group(void **state)
{
    const char *leak[] = {"main.main", "main.(*Pool).wait", "runtime.gopark"};
    const char *hostile[] = {"<b>"};
    struct goroutine_group groups[] = {
        {.count = 1250,
            .base_count = 0,
            .state = "waiting for a lock",
            .own = leak[1],
            .frames = leak,
            .frame_count = 3},
        {.count = 1, .base_count = 4, .state = "running", .frames = hostile, .frame_count = 1},
    };
    struct goroutines goroutines = {
        .groups = groups, .count = 2, .left_out = 3, .total = 1300, .base_total = 10};
    struct buf out;
    (void)state;
    buf_init(&out, 100000);
    goroutine_table_write(&out, &goroutines, &(struct goroutine_table_options){.then = "calm"});
    must_have(out.data, "<p>1,300 goroutines in 5 groups by stack; calm: 10.</p>");
    must_have(out.data, "<summary>main.(*Pool).wait <small>waiting for a lock</small></summary>"
                        "<ol><li>runtime.gopark<li>main.(*Pool).wait<li>main.main</ol></details>"
                        "</th><td>+1,250</td><td>1,250</td><td>0</td></tr>");
    must_have(out.data, "<summary>&lt;b&gt; <small>running</small></summary><ol><li>&lt;b&gt;</ol>"
                        "</details></th><td>" MINUS "3</td><td>1</td><td>4</td></tr>");
    must_have(out.data, "<p class=\"rest\">3 more groups.</p>");
    buf_clear(&out);
    goroutines.base_total = -1;
    goroutine_table_write(&out, &goroutines, &(struct goroutine_table_options){.rows = 1});
    must_have(out.data, "</details></th><td>1,250</td></tr>\n</tbody>");
    must_have(out.data, "<p class=\"rest\">4 more groups.</p>");
    buf_clear(&out);
    goroutines.left_out = 1;
    goroutine_table_write(&out, &goroutines, &(struct goroutine_table_options){.rows = 2});
    must_have(out.data, "<p class=\"rest\">1 more group.</p>");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_tell_now_and_then),
        cmocka_unit_test(test_rows_have_a_limit_and_say_so),
        cmocka_unit_test(test_links_are_of_the_web_only),
        cmocka_unit_test(test_goroutines_are_told_by_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
