#include "commands/view.h"
#include "commands/view_parts.h"
#include "core/incident.h"
#include "review/history/history.h"
#include "review/store/store.h"

#include "evidence_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"woogles\", "     \
    "\"kind\": \"spike\", \"fired\": \"2026-11-23T15:04:01Z\", "
#define PROFILE                                                                                    \
    "\"profiles\": [{\"name\": \"cpu\", \"status\": \"ok\", \"file\": \"cpu.pb.gz\", "             \
    "\"seconds\": 25, \"bytes\": 2048}]}"

typedef void printer(struct view *view, FILE *out);

static char *print(printer *print_show, const char *json, const char *location, const char *url)
{
    struct error err;
    struct store_incident stored = {.location = (char *)(uintptr_t)location};
    stored.incident = incident_from_text(json, strlen(json), &err);
    if (!stored.incident)
        fail_msg("%s", err.text);
    struct view view;
    const struct view_extras extras = {.endpoint = url};
    view_init(&view, &stored, &extras);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print_show(&view, out);
    fclose(out);
    view_free(&view);
    incident_free(stored.incident);
    return text;
}

static void expect(printer *print_show, const char *json, const char *location, const char *url,
    const char *const *phrases)
{
    char *text = print(print_show, json, location, url);
    for (; *phrases; phrases++)
        if (!strstr(text, *phrases))
            fail_msg("no \"%s\" in:\n%s", *phrases, text);
    free(text);
}

static void an_incident_is_told_with_units_and_distances(void **state)
{
    (void)state;
    static const char json[] = HEAD
        "\"app\": \"api\", \"trigger\": {\"name\": \"cpu-high\", \"metric\": \"api.cpu\", "
        "\"value\": 93.1, \"limit\": 80, \"reason\": \"api.cpu 93.1% above 80% for 10 s\"}, "
        "\"onset\": \"2026-11-23T15:03:51Z\", \"finished\": \"2026-11-23T15:06:06Z\", "
        "\"joined\": [{\"name\": \"db-burst\", \"time\": \"2026-11-23T15:03:59Z\"}], "
        "\"target\": {\"started\": \"2026-11-21T14:04:01Z\"}, "
        "\"metrics\": {\"peak\": {\"db.received\": 3.1e8, \"own\": 7}}, " PROFILE;
    static const char *const phrases[] = {"api.cpu 93.1% above 80% for 10 s\n\nid ",
        "trigger    cpu-high: api.cpu 93.1% against 80.0%, 13.1 points above\n",
        "fired      2026-11-23T15:04:01.000Z, 10.0 s after the onset\n",
        "finished   2026-11-23T15:06:06.000Z, 2 min 5 s after the fire\n",
        "joined     db-burst, 2.0 s before the fire\n",
        "started    2026-11-21T14:04:01.000Z, 2 d 1 h before the fire\n",
        "PROFILE  STATUS  SECONDS  SIZE      FILE       NOTE\n",
        "cpu      ok      25.0     2.00 KiB  cpu.pb.gz\n", "db.received  310 MB/s",
        "own          7", "go tool pprof /captures/cpu.pb.gz\n", NULL};
    expect(view_print_text, json, "/captures", NULL, phrases);
}

static void what_is_known_of_the_spike_s_time_is_told(void **state)
{
    (void)state;
    static const char json[] =
        "{\"schema\": 1, \"id\": \"20261123T150401Z-follow_up-1a2b3c\", \"service\": \"woogles\", "
        "\"kind\": \"follow_up\", \"fired\": \"2026-11-23T15:04:01Z\", "
        "\"follows\": \"20261123T150001Z-cpu-high-1a2b3c\", \"onset\": \"2026-11-23T15:03:51Z\", "
        "\"ended\": \"2026-11-23T15:04:11Z\", "
        "\"usage_during_capture\": {\"cpu_mean\": 91, \"memory_max\": 61.5}, \"profiles\": "
        "[{\"name\": "
        "\"cpu\", \"status\": \"ok\", \"file\": \"cpu.pb.gz\", \"seconds\": 12.5, "
        "\"onset_covered\": true, \"covered_percent\": 66.7, \"ended_early\": true}, "
        "{\"name\": \"mutex\", \"status\": \"ok\", \"file\": \"mutex.pb.gz\", \"seconds\": 1, "
        "\"covered_percent\": 0, \"ended_early\": true}]}";
    static const char *const phrases[] = {"follows    20261123T150001Z-cpu-high-1a2b3c\n",
        "over       2026-11-23T15:04:11.000Z, 20.0 s after the onset\n",
        "usage      cpu 91.0% on average, memory at most 61.5% during the capture\n",
        "was running at the onset, covers 67% of the spike, ended with it\n",
        "was begun when the spike was over\n", NULL};
    expect(view_print_text, json, "/captures", NULL, phrases);
}

static void little_is_told_of_an_incident_that_says_little(void **state)
{
    (void)state;
    char *text = print(view_print_text, HEAD "\"profiles\": []}", "/x", NULL);
    assert_string_equal(text, "spike\n\n"
                              "id         20261123T150401Z-cpu-high-1a2b3c\n"
                              "kind       spike\n"
                              "group      1638174ba6007fb2\n"
                              "service    woogles\n"
                              "fired      2026-11-23T15:04:01.000Z\n"
                              "stored in  /x\n");
    free(text);
}

static void commands_can_be_pasted(void **state)
{
    (void)state;
    static const struct {
        const char *location, *url, *command;
    } cases[] = {
        {"/captures/a b", NULL, "  go tool pprof '/captures/a b/cpu.pb.gz'\n"},
        {"/x/$(id)", NULL, "  go tool pprof '/x/$(id)/cpu.pb.gz'\n"},
        {"/it's", NULL, "  go tool pprof '/it'\\''s/cpu.pb.gz'\n"},
        {"s3://b/p", NULL, "  aws s3 cp s3://b/p/cpu.pb.gz . && go tool pprof ./cpu.pb.gz\n"},
        {"s3://b/p", "https://s3.internal:9000",
            "  aws s3 cp --endpoint-url https://s3.internal:9000 s3://b/p/cpu.pb.gz . && "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(view_print_text, HEAD PROFILE, cases[i].location, cases[i].url,
            (const char *const[]){cases[i].command, NULL});
}

static void markdown_from_outside_stays_text(void **state)
{
    (void)state;
    static const char json[] = HEAD
        "\"trigger\": {\"name\": \"a\", \"reason\": \"@all `x` | <img src=x>\\n# #1\"}, "
        "\"target\": {\"image\": \"a|b``c\", \"host\": \"\\u001b[2J\"}, \"profiles\": []}";
    static const char *const phrases[] = {
        "### &#64;all \\`x\\` \\| &#60;img src\\=x&#62;\\\\n&#35; &#35;1\n",
        "| image | ``` a\\|b``c ``` |\n", "| host | `\\x1b[2J` |\n", NULL};
    expect(view_print_markdown, json, "/x", NULL, phrases);
}

static void sentences_in_markdown_are_no_code_and_no_links(void **state)
{
    (void)state;
    static const char json[] = HEAD "\"headline\": \"CPU rose, 61% of it in (*Store).Get_all of "
                                    "https://a.b www.a.b GH-1 [x](y)\", " PROFILE;
    static const char *const phrases[] = {"### CPU rose, 61% of it in \\(\\*Store\\).Get\\_all of "
                                          "https&#58;//a.b www&#46;a.b GH&#45;1 "
                                          "\\[x\\]\\(y\\)\n",
        NULL};
    expect(view_print_markdown, json, "/x", NULL, phrases);
}

static void markdown_has_the_tables(void **state)
{
    (void)state;
    static const char *const phrases[] = {"| | |\n| --- | --- |\n| id | `20261123T150401Z-",
        "| profile | status | seconds | size | file | note |\n| --- | --- | --- | --- | --- | --- "
        "|\n| `cpu` | `ok` | `25.0` | `2.00 KiB` | `cpu.pb.gz` |  |\n",
        "\n    go tool pprof /captures/cpu.pb.gz\n", NULL};
    expect(view_print_markdown, HEAD PROFILE, "/captures", NULL, phrases);
}

#define SUSPECT                                                                                    \
    "\"suspect\": {\"function\": \"a.com/me/app/db.(*Store).Get\", \"file\": \"/src/db/s.go\", "   \
    "\"line\": 17, \"profile\": \"cpu\", \"sample\": \"cpu\", \"cum_percent\": 61.2, "             \
    "\"baseline_percent\": 0.3, \"path\": [\"main.main\", \"a.com/me/app/db.(*Store).Get\"], "     \
    "\"why\": \"it grew most\"}, \"runners_up\": [{\"function\": \"main.x\", \"sample\": "         \
    "\"inuse_space\", \"cum_percent\": 12}], \"explained\": {\"percent\": 95}, "

static void the_suspect_is_a_card(void **state)
{
    (void)state;
    static const char *const phrases[] = {"CPU rose\n\nsuspect    (*Store).Get\n",
        "function   a.com/me/app/db.(*Store).Get\n", "in         /src/db/s.go:17\n",
        "share      61.2% of the CPU time, 0.3% on a calm day: 60.9 points more\n",
        "way        main.main > (*Store).Get\n", "why        it grew most\n",
        "or         main.x, 12.0% of the heap in use\n",
        "explained  95% of the container's CPU time is in the profile\n\nid ", NULL};
    expect(
        view_print_text, HEAD "\"headline\": \"CPU rose\", " SUSPECT PROFILE, "/x", NULL, phrases);
    static const char *const none[] = {"CPU rose\n\nno suspect    the heap is as it was\n"
                                       "not analysed  too large\n\nid ",
        NULL};
    expect(view_print_text,
        HEAD "\"headline\": \"CPU rose\", \"no_suspect\": \"the heap is as it was\", "
             "\"analysis_skipped\": \"too large\", " PROFILE,
        "/x", NULL, none);
}

static void a_link_stands_around_code_and_is_none_of_its_own(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    static char link[] = "https://git/me/app/blob/1a2b3c4/db/s.go#L17";
    static const struct view_extras extras = {0};
    struct error err;
    struct store_incident stored = {.location = (char *)(uintptr_t) "/x"};
    static const char json[] = HEAD SUSPECT PROFILE;
    stored.incident = incident_from_text(json, strlen(json), &err);
    struct view view;
    view_init(&view, &stored, &extras);
    view.source = strdup(link);
    FILE *out = open_memstream(&text, &size);
    view_print_markdown(&view, out);
    fclose(out);
    assert_non_null(strstr(
        text, "| suspect | [`(*Store).Get`](https://git/me/app/blob/1a2b3c4/db/s.go#L17) |\n"));
    assert_non_null(strstr(text, "| function | `a.com/me/app/db.(*Store).Get` |\n"));
    view_free(&view);
    incident_free(stored.incident);
    free(text);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *json, *wanted, *not_wanted;
    } cases[] = {
        {HEAD "\"explained\": {\"percent\": 119}, " PROFILE, "explained  119% of", "is wrong"},
        {HEAD "\"explained\": {\"percent\": 121}, " PROFILE, "so one of the two is wrong", "xyz"},
        {HEAD "\"metrics\": {\"peak\": {\"oom_kills\": 0, \"restarts\": 1, \"db.received\": "
              "0}}, " PROFILE,
            "restarts     1", "oom_kills"},
        {"{\"schema\": 1, \"id\": \"20261123T150401Z-manual-1a2b3c\", \"service\": \"a\", "
         "\"kind\": "
         "\"manual\", \"fired\": \"2026-11-23T15:04:01Z\", \"trigger\": {\"name\": \"manual\", "
         "\"metric\": \"cpu\", \"value\": 12, \"limit\": 80}, " PROFILE,
            "trigger    manual: cpu 12.0%\n", "below"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = print(view_print_text, cases[i].json, "/x", NULL);
        if (!strstr(text, cases[i].wanted) || strstr(text, cases[i].not_wanted))
            fail_msg("case %zu:\n%s", i, text);
        free(text);
    }
}

static void what_grew_adds_up(void **state)
{
    (void)state;
    static const struct made_stack now[] = {{"main.main;main.hold", 1200}, {NULL, 0}};
    static const struct made_stack calm[] = {{"main.main;main.hold", 200}, {NULL, 0}};
    static const struct {
        const char *profile, *types, *title;
        bool has_base;
        const char *cells[5];
    } cases[] = {
        {"goroutine", "goroutine/count", "What grew in goroutines, against the baseline", true,
            {"+1,000", "1,200", "200", "1,200", "main.hold"}},
        {"heap", "inuse_space/bytes", "What grew in the heap in use, against the baseline", true,
            {"+1000 B", "1.17 KiB", "200 B", "1.17 KiB", "main.hold"}},
        {"cpu", "cpu/nanoseconds", "What has most of CPU time; there is no baseline", false,
            {"100.0%", "100.0%", "main.hold"}},
        {"mutex", "delay/nanoseconds",
            "What grew in time waited for locks, in points against the baseline", true, {NULL}},
        {"mine", "own/count", "What has most of mine (own); there is no baseline", false,
            {"100.0%", "100.0%", "main.hold"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evidence *evidence = make_evidence("cpu");
        add_made(evidence, cases[i].profile, stacks_list(cases[i].types, "/a.go", now),
            cases[i].has_base ? stacks_list(cases[i].types, "/a.go", calm) : NULL);
        struct view view = {.headline = NULL};
        view_add_growth(&view, evidence);
        assert_string_equal(view.growth_title, cases[i].title);
        assert_int_equal(view.growth.rows > 0, cases[i].cells[0] != NULL);
        for (size_t j = 0; j < 5 && cases[i].cells[j]; j++)
            assert_string_equal(view.growth.cells[j], cases[i].cells[j]);
        view_free(&view);
        free_made(evidence);
    }
}

static void the_history_is_one_line(void **state)
{
    (void)state;
    static char frequency[] = "14th time since 2 November", gone[] = "gone since revision 8, today";
    static char trend[] = "the peak grows";
    static const struct {
        struct history history;
        const char *line;
    } cases[] = {
        {{.verdict = VERDICT_SEEN, .frequency = frequency}, "seen: 14th time since 2 November"},
        {{.verdict = VERDICT_WORSE, .frequency = frequency, .trend = trend},
            "worse: 14th time since 2 November; the peak grows"},
        {{.verdict = VERDICT_WORSE, .known = true, .frequency = frequency, .trend = trend},
            "known, and worse: 14th time since 2 November; the peak grows"},
        {{.verdict = VERDICT_GONE, .frequency = frequency, .verdict_text = gone},
            "gone: 14th time since 2 November; gone since revision 8, today"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct store_incident stored = {.location = (char *)(uintptr_t) "/x"};
        static const char json[] = HEAD PROFILE;
        stored.incident = incident_from_text(json, strlen(json), &err);
        const struct view_extras extras = {.history = &cases[i].history};
        struct view view;
        view_init(&view, &stored, &extras);
        assert_string_equal(view.verdict, cases[i].line);
        view_free(&view);
        incident_free(stored.incident);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_incident_is_told_with_units_and_distances),
        cmocka_unit_test(what_is_known_of_the_spike_s_time_is_told),
        cmocka_unit_test(little_is_told_of_an_incident_that_says_little),
        cmocka_unit_test(commands_can_be_pasted),
        cmocka_unit_test(markdown_from_outside_stays_text),
        cmocka_unit_test(sentences_in_markdown_are_no_code_and_no_links),
        cmocka_unit_test(markdown_has_the_tables),
        cmocka_unit_test(the_suspect_is_a_card),
        cmocka_unit_test(a_link_stands_around_code_and_is_none_of_its_own),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(what_grew_adds_up),
        cmocka_unit_test(the_history_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
