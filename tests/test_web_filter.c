#include "core/buf.h"
#include "core/error.h"
#include "review/web/web_filter.h"
#include "review/web/web_form.h"
#include "review/web/web_summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = INT64_C(1795446246000); /* 2026-11-23T15:04:06Z */

/* The query as it is written again, "!" when it means nothing. */
static void expect(const char *query, const char *written)
{
    struct web_form form;
    struct web_filter filter;
    struct error err = {""};
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(web_form_parse(query, strlen(query), &form, &err), 0);
    if (web_filter_parse(&form, now_ms, &filter, &err) < 0) {
        assert_false(web_filter_is_set(&filter));
        assert_true(*err.text);
        buf_puts(&out, "!");
    }
    web_filter_format(&filter, filter.page, &out);
    if (strcmp(out.data, written) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", query, out.data, written);
    web_form_free(&form);
    buf_free(&out);
}

static void a_filter_is_in_the_url(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"service=&trigger=&q=&page=1&looked=&verdict=", ""},
        {"service=a&q=b+c", "?q=b%20c&service=a"},
        {"page=2&trigger=cpu-high&app=api&kind=all", "?app=api&trigger=cpu-high&kind=all&page=2"},
        {"since=7d", "?since=7d"},
        {"since=2026-11-20", "?since=2026-11-20"},
        {"since=2026-11-20T10:00:00Z", "?since=2026-11-20T10%3A00%3A00Z"},
        {"verdict=worse&looked=no", "?verdict=worse&looked=no"},
        {"verdict=new&looked=yes&group=0123456789abcdef",
            "?verdict=new&looked=yes&group=0123456789abcdef"},
        {"utm_source=x", ""},
        {"since=yesterday", "!"},
        {"since=7", "!"},
        {"since=7y", "!"},
        {"since=9999999d", "!"},
        {"since=d", "!"},
        {"page=0", "!"},
        {"page=-1", "!"},
        {"page=1x", "!"},
        {"page=99999999999999999999", "!"},
        {"verdict=guilty", "!"},
        {"looked=maybe", "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i][0], cases[i][1]);
}

static void since_is_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int64_t since_ms;
    } cases[] = {
        {"", INT64_MIN},
        {"since=90m", INT64_C(1795446246000) - 5400000},
        {"since=1w", INT64_C(1795446246000) - 604800000},
        {"since=2026-11-23", INT64_C(1795392000000)},
        {"since=2026-11-23T15:04:06Z", INT64_C(1795446246000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_form form;
        struct web_filter filter;
        assert_int_equal(web_form_parse(cases[i].query, strlen(cases[i].query), &form, NULL), 0);
        assert_int_equal(web_filter_parse(&form, now_ms, &filter, NULL), 0);
        assert_int_equal(filter.since_ms, cases[i].since_ms);
        web_form_free(&form);
    }
}

static void incidents_are_let_through_or_not(void **state)
{
    (void)state;
    char note[] = "an empty ID";
    const struct web_summary summary = {.id = "20261123T150406Z-cpu-high-000001",
        .service = "games",
        .app = "api",
        .kind = "spike",
        .trigger = "cpu-high",
        .metric = "cpu",
        .headline = "CPU rose from 12% to 97%",
        .suspect = "GetRematchStreak",
        .revision = "7",
        .problem = "",
        .group = "0123456789abcdef",
        .fired_ms = INT64_C(1795446246000),
        .looked_ms = 5,
        .note = note};
    static const struct {
        const char *query;
        bool matches;
    } cases[] = {
        {"", true}, {"service=games&trigger=cpu-high&app=api", true}, {"service=game", false},
        {"trigger=cpu", false}, {"app=app", false}, {"kind=spike", true}, {"kind=all", true},
        {"kind=baseline", false}, {"q=rematch", true}, {"q=97%25", true}, {"q=empty+id", true},
        {"q=000001", true}, {"q=nothing", false}, {"looked=yes", true}, {"looked=no", false},
        {"since=1h", true}, {"since=2026-11-23T15:04:06.001Z", false},
        {"group=0123456789abcdef", true}, {"group=0123456789abcdee", false},
        {"verdict=gone", true}, /* which is a group's */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_form form;
        struct web_filter filter;
        assert_int_equal(web_form_parse(cases[i].query, strlen(cases[i].query), &form, NULL), 0);
        assert_int_equal(web_filter_parse(&form, now_ms, &filter, NULL), 0);
        if (web_filter_matches(&filter, &summary) != cases[i].matches)
            fail_msg("%s", cases[i].query);
        web_form_free(&form);
    }
}

static void baselines_are_shown_when_asked_for(void **state)
{
    (void)state;
    const struct web_summary baseline = {.kind = "baseline", .fired_ms = 1};
    struct web_filter filter = {.since_ms = INT64_MIN};
    assert_false(web_filter_matches(&filter, &baseline));
    filter.kind = "all";
    assert_true(web_filter_matches(&filter, &baseline));
    filter.kind = "baseline";
    assert_true(web_filter_matches(&filter, &baseline));
}

static void duplicates_are_shown_with_every_kind(void **state)
{
    (void)state;
    const struct web_summary duplicate = {.kind = "spike", .fired_ms = 1, .duplicate = true};
    struct web_filter filter = {.since_ms = INT64_MIN};
    assert_false(web_filter_matches(&filter, &duplicate));
    filter.kind = "spike";
    assert_false(web_filter_matches(&filter, &duplicate));
    filter.kind = "all";
    assert_true(web_filter_matches(&filter, &duplicate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_is_in_the_url),
        cmocka_unit_test(since_is_a_time),
        cmocka_unit_test(incidents_are_let_through_or_not),
        cmocka_unit_test(baselines_are_shown_when_asked_for),
        cmocka_unit_test(duplicates_are_shown_with_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
