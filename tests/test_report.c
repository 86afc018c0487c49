#include "review/page/report.h"

#include "core/incident.h"
#include "review/analysis/analysis.h"
#include "review/evidence/evidence.h"

#include "evidence_rig.h"
#include "profile_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOSTILE "</script><script>alert(1)</script><img src=x onerror='alert(2)'>"

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* Of samples: its name and its unit, as numbers of strings. */
static void put_type(struct message *profile, unsigned name, unsigned unit)
{
    struct message type = {.size = 0};
    put_number(&type, 1, name);
    put_number(&type, 2, unit);
    put_message(profile, 1, &type);
}

/* The only one, at the only location; its name and its file are one string. */
static void put_function(struct message *profile, unsigned name)
{
    struct message line = {.size = 0}, location = {.size = 0}, function = {.size = 0};
    put_number(&line, 1, 1);
    put_number(&location, 1, 1);
    put_message(&location, 4, &line);
    put_message(profile, 4, &location);
    put_number(&function, 1, 1);
    put_number(&function, 2, name);
    put_number(&function, 4, name);
    put_message(profile, 5, &function);
}

/* A CPU profile whose functions have that name, one inside the other. */
static void make_profile(struct message *profile, const char *name)
{
    struct message sample = {.size = 0};
    *profile = (struct message){.size = 0};
    put_type(profile, 1, 2);
    put_number(&sample, 1, 1);
    put_number(&sample, 2, 1000000000);
    put_message(profile, 2, &sample);
    put_function(profile, 3);
    put_text(profile, 6, "");
    put_text(profile, 6, "cpu");
    put_text(profile, 6, "nanoseconds");
    put_text(profile, 6, name);
}

static void write_report(struct buf *out, const char *json, const char *csv, const char *name)
{
    struct message profile;
    struct error err = {""};
    make_profile(&profile, name);
    const struct rig_file files[] = {{"incident.json", json, 0}, {"metrics.csv", csv, 0},
        {"cpu.pb", profile.bytes, profile.size}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, NULL, 1 << 20, &err);
    if (!evidence)
        fail_msg("%s", err.text);
    analysis_run(evidence);
    buf_init(out, REPORT_MAX);
    report_write(out, evidence, NULL);
    evidence_free(evidence);
}

static void check_whole(const struct buf *page)
{
    assert_int_equal(strncmp(page->data, "<!doctype html>", 15), 0);
    assert_string_equal(page->data + page->size - strlen("</html>\n"), "</html>\n");
    assert_int_equal(strlen(page->data), page->size);
    assert_int_equal(count_of(page->data, "<main"), 1);
    assert_int_equal(count_of(page->data, "<h1"), 1);
    assert_int_equal(count_of(page->data, "<section"), count_of(page->data, "</section>"));
    assert_int_equal(count_of(page->data, "<details"), count_of(page->data, "</details>"));
}

static void nothing_hostile_is_markup(void **state)
{
    static const char json[] =
        "{\"schema\": 1, \"id\": \"20261123T150406Z-cpu-high-1a2b3c\", \"service\": \"games\", "
        "\"app\": \"" HOSTILE "\", \"fired\": \"2026-11-23T15:04:06.000Z\", \"kind\": \"spike\", "
        "\"onset\": \"2026-11-23T15:04:01.000Z\", \"trigger\": {\"name\": \"" HOSTILE
        "\", \"metric\": \"" HOSTILE "\", \"reason\": \"" HOSTILE
        "\", \"value\": 5, \"limit\": 3}, "
        "\"joined\": [{\"name\": \"" HOSTILE "\", \"metric\": \"cpu\", \"reason\": \"" HOSTILE
        "\"}], "
        "\"agent\": {\"version\": \"" HOSTILE "\"}, \"target\": {\"task_arn\": \"" HOSTILE
        "\", \"family\": \"" HOSTILE "\", \"revision\": \"" HOSTILE "\", \"image\": \"" HOSTILE
        "\", \"host\": \"" HOSTILE "\"}, \"metrics\": {\"file\": \"metrics.csv\"}, \"profiles\": ["
        "{\"name\": \"cpu\", \"file\": \"cpu.pb\", \"status\": \"ok\", \"seconds\": 1, "
        "\"requested\": \"2026-11-23T15:04:06.000Z\"}, "
        "{\"name\": \"" HOSTILE "\", \"file\": \"cpu.pb\", \"status\": \"ok\"}, "
        "{\"name\": \"" HOSTILE "\", \"status\": \"failed\", \"error\": \"" HOSTILE "\"}]}";
    static const char csv[] = "time,cpu,"
                              "<script>alert(1)</script>"
                              ",db.<img src=x>.received\n"
                              "1795446230,1,1,1\n1795446231,1,1,1\n1795446232,1,1,1\n"
                              "1795446242,90,90,9000000\n1795446243,90,90,9000000\n";
    struct buf page;
    (void)state;
    write_report(&page, json, csv, "main." HOSTILE);
    check_whole(&page);
    assert_non_null(strstr(page.data, "alert(1)"));
    assert_null(strstr(page.data, "<script>alert"));
    assert_null(strstr(page.data, "<img"));
    assert_null(strstr(page.data, "onerror='"));
    assert_int_equal(count_of(page.data, "<script"), 2);
    assert_int_equal(count_of(page.data, "<script"), count_of(page.data, "</script>"));
    assert_int_equal(count_of(page.data, "'sha256-"), 4);
    assert_null(strstr(page.data, "style=\""));
    buf_free(&page);
}

static void the_least_incident_has_a_page(void **state)
{
    char json[600];
    struct buf page;
    (void)state;
    rig_incident(json, sizeof json, "\"kind\": \"spike\"");
    write_report(&page, json, "", "main.work");
    check_whole(&page);
    assert_non_null(strstr(page.data, "A trigger fired at 15:04:06 UTC"));
    assert_non_null(strstr(page.data, "the incident has no metrics"));
    assert_non_null(strstr(page.data, "No profile was asked for."));
    buf_free(&page);
}

/* Five seconds in which the profile has one second of CPU time, and the container so many cores. */
static void what_the_profile_explains_is_said(void **state)
{
    static const struct {
        double cores;
        const char *says;
    } cases[] = {
        {1, "explains 20% of the container"},
        {0.2, "explains all of the container"},
        {0.1, "has 200% of the CPU time that the container used: <strong>one of the two is wrong"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1000];
        struct buf page, csv;
        rig_incident(json, sizeof json,
            "\"kind\": \"spike\", \"metrics\": {\"file\": \"metrics.csv\"}, \"profiles\": "
            "[{\"name\": \"cpu\", \"file\": \"cpu.pb\", \"status\": \"ok\", \"requested\": "
            "\"2026-11-23T15:04:06.000Z\", \"finished\": \"2026-11-23T15:04:11.000Z\"}]");
        buf_init(&csv, 10000);
        buf_puts(&csv, "time,cpu.cores\n");
        for (int second = 0; second < 20; second++)
            buf_printf(&csv, "%d,%g\n", 1795446240 + second, cases[i].cores);
        write_report(&page, json, csv.data, "main.work");
        if (!strstr(page.data, cases[i].says))
            fail_msg("the page does not say: %s", cases[i].says);
        buf_free(&page);
        buf_free(&csv);
    }
}

static void many_metrics_fit(void **state)
{
    enum { METRICS = 250, ROWS = 300 };
    char json[600];
    struct buf page, csv;
    (void)state;
    buf_init(&csv, 4 << 20);
    buf_puts(&csv, "time");
    for (int i = 0; i < METRICS; i++)
        buf_printf(&csv, ",a_metric_with_quite_a_long_name_that_somebody_scraped_%d", i);
    for (int row = 0; row < ROWS; row++) {
        buf_printf(&csv, "\n%d", 1795446000 + row);
        for (int i = 0; i < METRICS; i++)
            buf_printf(
                &csv, ",%d", (row * 7919 + i * 104729) % 1009 + (row > 241) * 5000 * (i % 3));
    }
    buf_puts(&csv, "\n");
    rig_incident(json, sizeof json,
        "\"kind\": \"spike\", \"onset\": \"2026-11-23T15:04:01.000Z\", \"metrics\": {\"file\": "
        "\"metrics.csv\"}");
    write_report(&page, json, csv.data, "main.work");
    check_whole(&page);
    assert_null(strstr(page.data, "would make this page too large"));
    assert_non_null(strstr(page.data, "more are in metrics.csv"));
    buf_free(&page);
    buf_free(&csv);
}

/* Of a heap profile: two sample types. */
static void make_heap(struct message *profile)
{
    struct message sample = {.size = 0};
    *profile = (struct message){.size = 0};
    put_type(profile, 1, 3);
    put_type(profile, 2, 3);
    put_number(&sample, 1, 1);
    put_number(&sample, 2, 4096);
    put_number(&sample, 2, 1000000);
    put_message(profile, 2, &sample);
    put_function(profile, 4);
    put_text(profile, 6, "");
    put_text(profile, 6, "alloc_space");
    put_text(profile, 6, "inuse_space");
    put_text(profile, 6, "bytes");
    put_text(profile, 6, "main.work");
}

/* What the heap has to say besides is shown where no other profile needs its place. */
static void every_profile_comes_before_the_heap_s_second_view(void **state)
{
    static const char second[] = "Allocated since the start";
    static const struct {
        const char *others[2];
        bool has_second;
    } cases[] = {
        {{"heap-end", NULL}, true},
        {{"heap-end", "fgprof"}, false},
        {{"fgprof", "wall"}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[2000], more[1000];
        struct buf page;
        struct message cpu, heap;
        struct error err = {""};
        make_profile(&cpu, "main.work");
        make_heap(&heap);
        size_t used = (size_t)snprintf(more, sizeof more,
            "\"kind\": \"spike\", \"profiles\": [{\"name\": \"cpu\", \"file\": \"cpu.pb\", "
            "\"status\": \"ok\"}, {\"name\": \"heap\", \"file\": \"heap.pb\", \"status\": "
            "\"ok\"}");
        for (size_t j = 0; j < 2 && cases[i].others[j]; j++)
            used += (size_t)snprintf(more + used, sizeof more - used,
                ", {\"name\": \"%s\", \"file\": \"%s\", \"status\": \"ok\"}", cases[i].others[j],
                strstr(cases[i].others[j], "heap") ? "heap.pb" : "cpu.pb");
        snprintf(more + used, sizeof more - used, "]");
        rig_incident(json, sizeof json, more);
        const struct rig_file files[] = {{"incident.json", json, 0},
            {"cpu.pb", cpu.bytes, cpu.size}, {"heap.pb", heap.bytes, heap.size}, {NULL, NULL, 0}};
        struct evidence *evidence = rig_evidence(files, NULL, 1 << 20, &err);
        if (!evidence)
            fail_msg("%s", err.text);
        buf_init(&page, REPORT_MAX);
        report_write(&page, evidence, NULL);
        assert_non_null(strstr(page.data, "Heap in use"));
        assert_int_equal(strstr(page.data, second) != NULL, cases[i].has_second);
        for (size_t j = 0; j < 2 && cases[i].others[j]; j++) {
            char title[64];
            snprintf(title, sizeof title, "<summary>%s</summary>", cases[i].others[j]);
            if (!strstr(page.data, title))
                fail_msg("%zu: no %s", i, title);
        }
        evidence_free(evidence);
        buf_free(&page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_hostile_is_markup),
        cmocka_unit_test(the_least_incident_has_a_page),
        cmocka_unit_test(what_the_profile_explains_is_said),
        cmocka_unit_test(many_metrics_fit),
        cmocka_unit_test(every_profile_comes_before_the_heap_s_second_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
