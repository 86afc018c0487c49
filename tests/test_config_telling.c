/* Exporters that tell people, and what their messages link to, with the real kinds. */
#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD   "service: s\napp: {debug: 'http://h/'}\nexport:\n"
#define FOLDER HEAD "  directory: /c\n"
#define BUCKET HEAD "  s3: {bucket: bbb}\n"
#define HOOK   "  webhook: {url: 'https://hooks.slack.com/services/T/B/X'}\n"
#define TOPIC  "  sns: 'arn:aws:sns:eu-west-1:123456789012:spikes'\n"

static const struct {
    const char *text, *problems;
} cases[] = {
    {FOLDER HOOK TOPIC "review_url: 'https://r/{service}/{id}'\n", ""},
    {BUCKET HOOK "report_links: 12h\n", ""},
    {FOLDER HOOK "report_links: off\n", ""},
    {HEAD "  webhook: [{url: 'http://a/', format: json, secret: x}, {url: 'https://b/x', format: "
          "slack}]\n  s3: {bucket: bbb}\n",
        ""},
    {HEAD HOOK TOPIC,
        "f.yaml:3:1: export: names no place to store incidents; give it directory: or s3:\n"},
    {FOLDER HOOK "report_links: 12h\n",
        "f.yaml:6:15: report_links: needs export.s3: presigned links lead there\n"},
    {BUCKET "report_links: 8d\n",
        "f.yaml:5:15: report_links: 8d is out of range; it may be 1m to 7d\n"},
    {FOLDER "review_url: 'https://r/{date}/{id}'\n",
        "f.yaml:5:13: review_url: has \"{date}\", which stands for nothing; it may have {id} and "
        "{service}\n"},
    {FOLDER "review_url: 'https://r/'\n",
        "f.yaml:5:13: review_url: has no {id}, so every link would be the same\n"},
    {FOLDER "review_url: 'https://u:p@r/{id}'\n",
        "f.yaml:5:13: review_url: must not hold a user or a password\n"},
    /* Nothing of a secret is in a message. */
    {FOLDER "  webhook: {url: hidden}\n", "f.yaml:5:18: export.webhook.url: must be a URL, such as "
                                          "https://hooks.slack.com/services/...\n"},
    {FOLDER "  webhook: {url: 'https:///hidden'}\n",
        "f.yaml:5:18: export.webhook.url: must be a URL, such as "
        "https://hooks.slack.com/services/...\n"},
    {FOLDER "  webhook: {url: 'https://h/a hidden'}\n",
        "f.yaml:5:18: export.webhook.url: must not hold spaces or line ends\n"},
    {FOLDER "  webhook: {url: 'hidden', secret: 'hidden'}\n",
        "f.yaml:5:18: export.webhook.url: must be a URL, such as "
        "https://hooks.slack.com/services/...\n"
        "f.yaml:5:36: export.webhook.secret: signs the body of format: json; Slack takes no "
        "signature\n"},
    {FOLDER "  webhook: {format: teams}\n",
        "f.yaml:5:3: export.webhook.url: is missing (where messages are posted to: Slack's "
        "incoming webhook, or a program of yours)\n"
        "f.yaml:5:21: export.webhook.format: \"teams\" is none of slack, json\n"},
    /* As documentation cuts them off. */
    {FOLDER "  s3: {bucket: bbb, encryption: {kms_key: 'arn:...'}}\n  sns: {topic: "
            "'arn:aws:sns:...'}\n",
        ""},
    {FOLDER "  sns: 'arn:aws:sqs:...'\n",
        "f.yaml:5:3: export.sns.topic: \"arn:aws:sqs:...\" is no topic: write its ARN, "
        "arn:aws:sns:<region>:<account>:<name>\n"},
    {FOLDER "  sns: spikes\n",
        "f.yaml:5:3: export.sns.topic: \"spikes\" is no topic: write its ARN, "
        "arn:aws:sns:<region>:<account>:<name>\n"},
    {FOLDER "  sns: {topic: 'arn:aws:sqs:eu-west-1:123456789012:q', role: me}\n",
        "f.yaml:5:16: export.sns.topic: \"arn:aws:sqs:eu-west-1:123456789012:q\" is no topic: "
        "write its ARN, arn:aws:sns:<region>:<account>:<name>\n"
        "f.yaml:5:62: export.sns.role: \"me\" is no role: write its ARN, "
        "arn:aws:iam::<account>:role/<name>\n"},
    {FOLDER "  sns: {topic: 'arn:aws:sns:eu-west-1:123456789012:q', external_id: x}\n",
        "f.yaml:5:69: export.sns.external_id: goes with role, which is not given\n"},
    {FOLDER "  pyroscope: {url: 'http://p', password: x}\n",
        "f.yaml:5:42: export.pyroscope.password: goes with user, which is not given\n"},
};

static void what_tells_is_checked(void **state)
{
    (void)state;
    const struct config_needs needs = {.exporter = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        buf_init(&problems, 10000);
        struct config *config = config_parse(
            cases[i].text, strlen(cases[i].text), "f.yaml", &config_kinds, &needs, &problems);
        assert_string_equal(problems.data, cases[i].problems);
        assert_int_equal(config != NULL, !*cases[i].problems);
        config_free(config, &config_kinds);
        buf_free(&problems);
    }
}

static char *print_parsed(const char *text, struct config **config)
{
    static const struct config_needs needs = {.exporter = true};
    struct buf problems;
    char *printed;
    size_t size;
    buf_init(&problems, 1 << 16);
    *config = config_parse(text, strlen(text), "f.yaml", &config_kinds, &needs, &problems);
    assert_string_equal(problems.data, "");
    buf_free(&problems);
    FILE *out = open_memstream(&printed, &size);
    config_print(*config, &config_kinds, out);
    fclose(out);
    return printed;
}

/* What other readers of YAML take it for is what it is, and what follows is filled in. */
static void what_is_printed_means_the_same_to_others(void **state)
{
    (void)state;
    static const char text[] =
        "service: 007\napp: {debug: 'http://h/'}\ntriggers: {t: {metric: cpu.cores, above: 1.5}}\n"
        "export:\n  directory: /c\n  s3: [{bucket: bbb, expected_bucket_owner: '012345670123', "
        "tags: {since: '2026-11-23', at: '1:30', rest: a}}, {bucket: ccc, endpoint: 'http://h'}]\n";
    static const char *const lines[] = {"service: \"007\"\n", "above: 1.5\n",
        "expected_bucket_owner: \"012345670123\"\n", "since: \"2026-11-23\"\n", "at: \"1:30\"\n",
        "rest: a\n", "path_style: false\n", "path_style: true\n", "follow_up: off\n",
        "hold_off: off\n", "keep: off\n", "report_links: off\n", "listen: off\n",
        "per_day: 500MB\n"};
    struct config *config;
    char *printed = print_parsed(text, &config);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(printed, lines[i]))
            fail_msg("no %s in %s", lines[i], printed);
    free(printed);
    config_free(config, &config_kinds);
}

/* What a program of YAML 1.1 makes of an off when it writes a file anew. */
static void false_is_off_wherever_off_is(void **state)
{
    (void)state;
    static const char *const words[] = {"off", "false", "no", "False"};
    static const char *const lines[] = {"\nlisten: off\n", "\nbaseline: off\n", "\nfleet: off\n",
        "\nfollow_up: off\n", "\nreport_links: off\n", "  hold_off: off\n", "    keep: off\n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = words[i];
        char *text = xasprintf(HEAD "  directory: {path: /c, keep: %s}\nlisten: %s\nbaseline: %s\n"
                                    "fleet: %s\nfollow_up: %s\nreport_links: %s\n"
                                    "limits: {hold_off: %s}\n",
            word, word, word, word, word, word, word);
        struct config *config;
        char *printed = print_parsed(text, &config);
        for (size_t j = 0; j < sizeof lines / sizeof *lines; j++)
            if (!strstr(printed, lines[j]))
                fail_msg("%s: no %s in %s", word, lines[j], printed);
        free(printed);
        free(text);
        config_free(config, &config_kinds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_tells_is_checked),
        cmocka_unit_test(what_is_printed_means_the_same_to_others),
        cmocka_unit_test(false_is_off_wherever_off_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
