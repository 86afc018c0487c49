#include "review/page/html.h"

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_nothing_in_a_text_is_markup(void **state)
{
    static const struct {
        const char *text, *html;
    } cases[] = {
        {"", ""},
        {"main.main", "main.main"},
        {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
        {"a\" onload=\"b & c", "a&quot; onload=&quot;b &amp; c"},
        {"naïve 漢", "naïve 漢"},
        {"\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\u202eb\u202a\u2066\u2069\u200e\u200fc", "a\ufffdb\ufffd\ufffd\ufffd\ufffd\ufffdc"},
        {"a\xc2\x80\xc2\x9f\xc2\xa0", "a\ufffd\ufffd\xc2\xa0"},
        {"\u2029\u202f\u2065\u206a\u200d\u2010", "\u2029\u202f\u2065\u206a\u200d\u2010"},
        {"a\x01\x7f\tb\n", "a\xef\xbf\xbd\xef\xbf\xbd\tb\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init(&out, 1000);
        html_text(&out, cases[i].text);
        assert_string_equal(out.data, cases[i].html);
        buf_free(&out);
    }
}

static void test_arguments_are_escaped_and_the_format_is_not(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    html_printf(&out, "<a title=\"%s\">%d %zu %lld %.1f%%</a>", "<&>", -1, (size_t)2, 3LL, 4.25);
    assert_string_equal(out.data, "<a title=\"&lt;&amp;&gt;\">-1 2 3 4.2%</a>");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_in_a_text_is_markup),
        cmocka_unit_test(test_arguments_are_escaped_and_the_format_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
