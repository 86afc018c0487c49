#include "exporters/notice_text.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "exporters/notice.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-0a1b2c\", \"service\": \"woogles\", "     \
    "\"app\": \"api\", \"kind\": \"spike\", \"onset\": \"2026-11-23T15:04:00.000Z\", "             \
    "\"fired\": \"2026-11-23T15:04:01.000Z\", \"profiles\": [], "
#define TRIGGER                                                                                    \
    "\"trigger\": {\"name\": \"cpu-high\", \"metric\": \"cpu\", \"value\": 93.1, \"limit\": 80, "  \
    "\"reason\": \"cpu 93.1% above 80%\"}"
#define PEAK ", \"metrics\": {\"file\": \"metrics.csv\", \"peak\": {\"cpu\": 97.2}}"
/* Parts of a minute: two before the onset, two after. */
#define SPARKLINE                                                                                  \
    ", \"sparkline\": {\"metric\": \"cpu\", \"from\": \"2026-11-23T15:02:00.000Z\", \"to\": "      \
    "\"2026-11-23T15:06:00.000Z\", \"values\": [10, 14, 95, 20]}"
#define SUSPECT                                                                                    \
    ", \"suspect\": {\"function\": "                                                               \
    "\"liwords/pkg/stores/game.(*DBStore).GetRematchStreak\", \"profile\": \"cpu\", "              \
    "\"cum_percent\": 61.2, \"baseline_percent\": 0.3, \"delta_points\": 60.9}, \"runners_up\": "  \
    "[{\"function\": \"a/b.F[c/d.T]\", \"cum_percent\": 12, \"delta_points\": 9.1}, "              \
    "{\"function\": \"encoding/json.Unmarshal\", \"cum_percent\": 80, \"delta_points\": 70}, "     \
    "{\"function\": \"d.G\", \"cum_percent\": 3, \"delta_points\": 1}]"

static struct incident *incident_of(const char *text)
{
    struct error err;
    struct incident *incident = incident_from_text(text, strlen(text), &err);
    if (!incident)
        fail_msg("%s", err.text);
    return incident;
}

static char *plain_of(const char *text, struct notice notice)
{
    struct incident *incident = incident_of(text);
    notice.incident = incident;
    char *plain = notice_plain(&notice);
    incident_free(incident);
    return plain;
}

static const struct {
    const char *incident;
    struct notice notice;
    const char *plain;
} plains[] = {
    {HEAD TRIGGER PEAK SPARKLINE SUSPECT ", \"headline\": \"CPU rose from 12% to 97%\", "
                                         "\"recurrence\": {\"period_s\": 1800, \"onsets\": 5, "
                                         "\"next\": \"2026-11-23T15:34:01.000Z\"}}",
        {.stored = "s3://b/x",
            .times = 5,
            .times_since_ms = 1795190520000,
            .more = 14,
            .more_since_ms = 1795445000000,
            .review_url = "https://review.internal/x",
            .report_url = "https://s3/report.html?a=1&b=2",
            .report_expires_ms = 1795450000000},
        "woogles: cpu 12.0% → 97.2%\n\nCPU rose from 12% to 97%\n\n"
        "Suspect: game.(*DBStore).GetRematchStreak: 61.2% of cpu, 0.3% on a calm day\n"
        "Grew most:\n  json.Unmarshal +70.0 points\n  game.(*DBStore).GetRematchStreak +60.9 "
        "points\n  b.F[c/d.T] +9.1 points\n"
        "How often: 5 times since 2026-11-20 16:02 UTC; every 30 min, next about 15:34 UTC; 14 "
        "more since 14:43 UTC\n"
        "Review: https://review.internal/x\n"
        "Report: https://s3/report.html?a=1&b=2\n  (that link ends at 2026-11-23 16:06 UTC)\n"
        "Stored: s3://b/x\n"
        "trigger cpu-high · app api · fired 2026-11-23 15:04 UTC · incident "
        "20261123T150401Z-cpu-high-0a1b2c\n"},
    /* Neither analysed nor measured for long. */
    {HEAD TRIGGER "}", {.times = 1},
        "woogles: cpu 93.1%\n\ncpu 93.1% above 80%\n\n"
        "How often: the first that this agent has seen\n"
        "trigger cpu-high · app api · fired 2026-11-23 15:04 UTC · incident "
        "20261123T150401Z-cpu-high-0a1b2c\n"},
    /* Low is what it fired for. */
    {HEAD "\"trigger\": {\"name\": \"idle\", \"metric\": \"cpu\", \"value\": 3, \"direction\": "
          "\"down\", \"reason\": \"r\"}, \"sparkline\": {\"metric\": \"cpu\", \"from\": "
          "\"2026-11-23T15:02:00.000Z\", \"to\": \"2026-11-23T15:06:00.000Z\", \"values\": [50, "
          "52, 2.5, 3]}, \"no_suspect\": \"nothing grew\"}",
        {0},
        "woogles: cpu 51.0% → 2.5%\n\nr\n\nSuspect: nothing grew\n"
        "trigger idle · app api · fired 2026-11-23 15:04 UTC · incident "
        "20261123T150401Z-cpu-high-0a1b2c\n"},
    /* By hand; of another metric is the sparkline. */
    {HEAD "\"trigger\": {\"name\": \"manual\", \"reason\": \"a look\"}" SPARKLINE "}", {0},
        "woogles: taken by hand\n\na look\n\n"
        "trigger manual · app api · fired 2026-11-23 15:04 UTC · incident "
        "20261123T150401Z-cpu-high-0a1b2c\n"},
};

static void plain_text_says_what_there_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
        char *plain = plain_of(plains[i].incident, plains[i].notice);
        assert_string_equal(plain, plains[i].plain);
        free(plain);
    }
}

static const struct {
    const char *text;
    size_t characters;
    enum notice_style style;
    const char *put;
} puts_of[] = {
    {"plain", 10, NOTICE_PLAIN, "plain"},
    {"plain", 5, NOTICE_PLAIN, "plain"},
    {"plain", 4, NOTICE_PLAIN, "pla…"},
    {"häää", 3, NOTICE_PLAIN, "hä…"},
    {"a&b <!channel> <https://x|y>", 99, NOTICE_SLACK,
        "a&amp;b &lt;!channel&gt; &lt;https://x|y&gt;"},
    {"<&>", 99, NOTICE_PLAIN, "<&>"},
    {"a\nb\x1b[31m\x7f", 99, NOTICE_PLAIN, "a b [31m "},
    {"a\xe2\x80\xaetxt\xe2\x80\xa8", 99, NOTICE_PLAIN, "a txt "},
    {"a\xffz\xc3", 99, NOTICE_PLAIN, "a\xef\xbf\xbdz\xef\xbf\xbd"},
    {"", 9, NOTICE_SLACK, ""},
};

static void outside_text_is_cut_and_tamed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof puts_of / sizeof *puts_of; i++) {
        struct buf out;
        buf_init(&out, 1000);
        notice_put(&out, puts_of[i].style, puts_of[i].text, puts_of[i].characters);
        assert_string_equal(out.data, puts_of[i].put);
        buf_free(&out);
    }
}

static const char *block_text(const json_t *message, size_t index)
{
    const json_t *block = json_array_get(json_object_get(message, "blocks"), index);
    return json_string_value(json_object_get(json_object_get(block, "text"), "text"));
}

static json_t *slack_of(const char *text, struct notice notice)
{
    struct incident *incident = incident_of(text);
    notice.incident = incident;
    char *slack = notice_slack(&notice);
    json_t *message = json_loads(slack, 0, NULL);
    assert_non_null(message);
    free(slack);
    incident_free(incident);
    return message;
}

static void slack_is_understood_at_a_glance(void **state)
{
    (void)state;
    json_t *message = slack_of(plains[0].incident, plains[0].notice);
    assert_string_equal(block_text(message, 0), "woogles: cpu 12.0% → 97.2%");
    assert_string_equal(block_text(message, 1), "CPU rose from 12% to 97%");
    assert_string_equal(block_text(message, 2),
        "*Suspect*\n`game.(*DBStore).GetRematchStreak`: 61.2% of cpu, 0.3% on a calm day");
    assert_string_equal(block_text(message, 3),
        "*Grew most*\n• `json.Unmarshal` +70.0 points\n• `game.(*DBStore).GetRematchStreak` +60.9 "
        "points\n• `b.F[c/d.T]` +9.1 points");
    assert_string_equal(block_text(message, 4),
        "*How often*\n5 times since <!date^1795190520^{date_short} {time}|2026-11-20 16:02 UTC>; "
        "every 30 min, next about <!date^1795448041^{time}|15:34 UTC>; 14 more since "
        "<!date^1795445000^{time}|14:43 UTC>");
    assert_string_equal(block_text(message, 5), "<https://review.internal/x|Look at it>");
    assert_string_equal(block_text(message, 6),
        "<https://s3/report.html?a=1&amp;b=2|Open the report> (that link ends at "
        "<!date^1795450000^{date_short} {time}|2026-11-23 16:06 UTC>)");
    assert_true(json_is_false(json_object_get(message, "unfurl_links")));
    assert_true(json_is_false(json_object_get(message, "unfurl_media")));
    assert_string_equal(json_string_value(json_object_get(message, "text")),
        "woogles: cpu 12.0% → 97.2%: CPU rose from 12% to 97%");
    json_decref(message);
}

/* What an app or a stranger may call things, at any length. */
static void slack_keeps_its_limits_whatever_comes(void **state)
{
    (void)state;
    enum { LONG = 20000 };
    static const char *const bad[] = {"<!channel>", "&", "`", "*_~", "\\n", "\\u202e", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf name;
        buf_init(&name, LONG + 16);
        while (name.size < LONG)
            buf_puts(&name, bad[i]);
        char *text = xasprintf(HEAD "\"trigger\": {\"name\": \"%s\", \"metric\": \"%s\", "
                                    "\"value\": 1, \"reason\": \"%s\"}, \"headline\": \"%s\", "
                                    "\"suspect\": {\"function\": \"%s\", \"profile\": \"%s\", "
                                    "\"cum_percent\": 1}, \"target\": {\"host\": \"%s\"}}",
            name.data, name.data, name.data, name.data, name.data, name.data, name.data);
        json_t *message = slack_of(
            text, (struct notice){.stored = name.data, .review_url = name.data});
        size_t index;
        json_t *block;
        json_array_foreach(json_object_get(message, "blocks"), index, block)
        {
            const char *type = json_string_value(json_object_get(block, "type"));
            const char *shown = block_text(message, index);
            if (!shown)
                continue;
            assert_true(strlen(shown) > 0 && strlen(shown) <= 3000);
            assert_true(strcmp(type, "header") != 0 || strlen(shown) <= 160);
            assert_null(strstr(shown, "<!channel>"));
        }
        json_decref(message);
        free(text);
        buf_free(&name);
    }
}

static void a_subject_is_short_ascii(void **state)
{
    (void)state;
    struct incident *incident = incident_of(plains[0].incident);
    struct notice notice = {.incident = incident};
    char *subject = notice_subject(&notice);
    assert_string_equal(subject, "woogles: cpu 12.0% -> 97.2%");
    free(subject);
    free(incident->trigger.metric);
    incident->trigger.metric = xasprintf("ü%0200d", 1);
    subject = notice_subject(&notice);
    assert_int_equal(strlen(subject), 100);
    assert_memory_equal(subject, "woogles: ?0", 11);
    free(subject);
    incident_free(incident);
}

static void json_has_what_incident_json_has_and_more(void **state)
{
    (void)state;
    struct incident *incident = incident_of(plains[0].incident);
    struct notice notice = plains[0].notice;
    notice.incident = incident;
    char *text = notice_json(&notice);
    json_t *body = json_loads(text, 0, NULL);
    json_t *wanted = json_loads(
        "{\"notice\": 1, \"event\": \"incident\", \"id\": \"20261123T150401Z-cpu-high-0a1b2c\", "
        "\"from\": 12, \"to\": 97.2, \"unit\": \"%\", \"times\": 5, \"times_since\": "
        "\"2026-11-20T16:02:00.000Z\", \"more\": 14, \"more_since\": \"2026-11-23T14:43:20.000Z\","
        "\"stored\": \"s3://b/x\", \"review_url\": \"https://review.internal/x\", \"report_url\": "
        "\"https://s3/report.html?a=1&b=2\", \"report_expires\": \"2026-11-23T16:06:40.000Z\", "
        "\"grew\": [{\"function\": \"encoding/json.Unmarshal\", \"cum_percent\": 80, "
        "\"delta_points\": 70}, {\"function\": "
        "\"liwords/pkg/stores/game.(*DBStore).GetRematchStreak\", \"cum_percent\": 61.2, "
        "\"delta_points\": 60.9}, {\"function\": \"a/b.F[c/d.T]\", \"cum_percent\": 12, "
        "\"delta_points\": 9.1}]}",
        0, NULL);
    const char *key;
    json_t *value;
    json_object_foreach(wanted, key, value)
        assert_true(json_equal(json_object_get(body, key), value));
    assert_non_null(json_object_get(body, "suspect"));
    assert_non_null(json_object_get(body, "trigger"));
    assert_null(json_object_get(body, "profiles"));
    json_decref(wanted);
    json_decref(body);
    free(text);
    incident_free(incident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_says_what_there_is),
        cmocka_unit_test(outside_text_is_cut_and_tamed),
        cmocka_unit_test(slack_is_understood_at_a_glance),
        cmocka_unit_test(slack_keeps_its_limits_whatever_comes),
        cmocka_unit_test(a_subject_is_short_ascii),
        cmocka_unit_test(json_has_what_incident_json_has_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
