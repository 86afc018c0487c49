#include "review/evidence/evidence.h"

#include "core/incident.h"
#include "core/sha256.h"
#include "review/analysis/analysis.h"
#include "review/profile/profile.h"
#include "review/profile/profile_merge.h"

#include "evidence_rig.h"
#include "profile_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PROFILE(name, file, status)                                                                \
    "{\"name\": \"" name "\", \"file\": \"" file "\", \"status\": \"" status "\"}"

/* A CPU profile of one sample, as gzip. */
static void make_profile(struct buf *gzip)
{
    struct message profile = {.size = 0}, type = {.size = 0}, sample = {.size = 0};
    put_number(&type, 1, 1);
    put_number(&type, 2, 2);
    put_message(&profile, 1, &type);
    put_number(&sample, 2, 7);
    put_message(&profile, 2, &sample);
    put_text(&profile, 6, "");
    put_text(&profile, 6, "cpu");
    put_text(&profile, 6, "nanoseconds");
    struct profile *decoded = profile_decode(profile.bytes, profile.size, 1 << 20, NULL);
    assert_non_null(decoded);
    buf_init(gzip, 1 << 20);
    assert_int_equal(profile_encode(decoded, gzip, NULL), 0);
    profile_free(decoded);
}

static void a_file_that_is_not_what_was_captured_is_damaged(void **state)
{
    struct buf gzip;
    char sha256[SHA256_HEX_SIZE];
    (void)state;
    make_profile(&gzip);
    sha256_hash(gzip.data, gzip.size, sha256);
    const struct {
        const char *file;
        size_t bytes; /* as listed; 0: it is not */
        const char *sha256;
        enum evidence_state state;
        const char *damage; /* a part */
    } cases[] = {
        {"cpu.pb.gz", gzip.size, sha256, EVIDENCE_WHOLE, ""},
        {"cpu.pb.gz", 0, "", EVIDENCE_WHOLE, ""},
        {"cpu.pb.gz", gzip.size + 1, sha256, EVIDENCE_DAMAGED, "were stored"},
        {"cpu.pb.gz", gzip.size, sha256_of_nothing, EVIDENCE_DAMAGED, "its SHA-256 is another one"},
        {"broken.pb.gz", 0, "", EVIDENCE_DAMAGED, "it ends in the middle"},
        {"lost.pb.gz", gzip.size, sha256, EVIDENCE_UNREAD, "there is no file lost.pb.gz"},
        {"cpu.txt", gzip.size + 1, sha256, EVIDENCE_NONE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1000], more[600];
        struct error err = {""};
        snprintf(more, sizeof more,
            "\"kind\": \"spike\", \"profiles\": [{\"name\": \"cpu\", \"file\": \"%s\", "
            "\"status\": \"ok\", \"bytes\": %zu%s%s%s}]",
            cases[i].file, cases[i].bytes, *cases[i].sha256 ? ", \"sha256\": \"" : "",
            cases[i].sha256, *cases[i].sha256 ? "\"" : "");
        rig_incident(json, sizeof json, more);
        const struct rig_file files[] = {{"incident.json", json, 0},
            {"cpu.pb.gz", gzip.data, gzip.size}, {"broken.pb.gz", gzip.data, gzip.size - 9},
            {NULL, NULL, 0}};
        struct evidence *evidence = rig_evidence(files, NULL, 1 << 20, &err);
        if (!evidence)
            fail_msg("case %zu: %s", i, err.text);
        const struct evidence_profile *profile = &evidence->profiles[0];
        if (profile->state != cases[i].state || !strstr(profile->damage.text, cases[i].damage))
            fail_msg("case %zu: %d, %s", i, (int)profile->state, profile->damage.text);
        evidence_free(evidence);
    }
    buf_free(&gzip);
}

struct problem_case {
    const char *profile; /* as listed */
    size_t inflated_bytes;
    const char *problem; /* NULL: there is none */
    bool too_large;
};

static void what_cannot_be_read_says_why(void **state)
{
    static const struct problem_case cases[] = {
        {PROFILE("cpu", "cpu.pb.gz", "ok"), 1 << 20, NULL, false},
        {PROFILE("cpu", "cpu.pb.gz", "truncated"), 1 << 20, NULL, false},
        {PROFILE("cpu", "cpu.pb.gz", "ok"), 20,
            "the profile cpu (31 B inflated) is too large to analyse here within 20 B; `stakeout "
            "report DIR` or `stakeout review` on a larger machine does it",
            true},
        {PROFILE("cpu", "cpu.pb.gz", "ok"), 0,
            "the profile cpu (31 B inflated) is too large to analyse here; `stakeout report DIR` "
            "or `stakeout review` on a larger machine does it",
            true},
        {PROFILE("cpu", "lost.pb.gz", "ok"), 1 << 20, "there is no file lost.pb.gz", false},
        {PROFILE("cpu", "broken.pb.gz", "ok"), 1 << 20,
            "the profile is damaged: it ends in the middle", false},
        {PROFILE("goroutine", "goroutine.txt", "ok"), 1 << 20,
            "it is text and no pprof profile: it is stored, and not analysed", false},
        {PROFILE("trace", "trace.trace", "ok"), 1 << 20,
            "it is an execution trace and no pprof profile: it is stored, and not analysed; `go "
            "tool trace` shows it",
            false},
        {PROFILE("jfr", "jfr.bin", "ok"), 1 << 20,
            "it is no pprof profile: it is stored as it came, and not analysed", false},
        {PROFILE("dump", "dump.gz", "ok"), 1 << 20,
            "it is no pprof profile: it is stored as it came, and not analysed", false},
        {"{\"name\": \"cpu\", \"status\": \"failed\", \"error\": \"404 Not Found\"}", 1 << 20,
            "404 Not Found", false},
        {"{\"name\": \"cpu\", \"status\": \"failed\"}", 1 << 20,
            "it could not be taken, and nothing says why", false},
        {"{\"name\": \"cpu\", \"status\": \"pending\"}", 1 << 20,
            "it was never finished: there is no file", false},
    };
    struct buf gzip;
    (void)state;
    make_profile(&gzip);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1000], more[600];
        struct error err = {""};
        snprintf(more, sizeof more, "\"kind\": \"spike\", \"profiles\": [%s]", cases[i].profile);
        rig_incident(json, sizeof json, more);
        const struct rig_file files[] = {{"incident.json", json, 0},
            {"cpu.pb.gz", gzip.data, gzip.size}, {"broken.pb.gz", gzip.data, gzip.size - 9},
            {NULL, NULL, 0}};
        struct evidence *evidence = rig_evidence(files, NULL, cases[i].inflated_bytes, &err);
        assert_non_null(evidence);
        assert_int_equal(evidence->profile_count, 1);
        const struct evidence_profile *profile = &evidence->profiles[0];
        assert_string_equal(profile->problem.text, cases[i].problem ? cases[i].problem : "");
        assert_int_equal(profile->too_large, cases[i].too_large);
        assert_int_equal(profile->profile != NULL, cases[i].problem == NULL);
        assert_ptr_equal(
            evidence_profile(evidence, profile->name), cases[i].problem ? NULL : profile);
        evidence_free(evidence);
    }
    buf_free(&gzip);
}

static void all_profiles_share_the_limit(void **state)
{
    char json[1000];
    struct buf gzip;
    struct error err = {""};
    (void)state;
    make_profile(&gzip);
    rig_incident(json, sizeof json,
        "\"kind\": \"spike\", \"profiles\": [" PROFILE("cpu", "cpu.pb.gz", "ok") ", " PROFILE(
            "heap", "cpu.pb.gz", "ok") "]");
    const struct rig_file files[] = {
        {"incident.json", json, 0}, {"cpu.pb.gz", gzip.data, gzip.size}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, files, 80, &err);
    assert_non_null(evidence);
    assert_non_null(evidence->profiles[0].profile);
    assert_non_null(evidence->profiles[0].base);
    assert_null(evidence->profiles[1].profile);
    assert_true(evidence->profiles[1].too_large);
    analysis_run(evidence);
    assert_non_null(
        strstr(evidence->incident->analysis.skipped, "the profile heap (31 B inflated)"));
    evidence_free(evidence);
    buf_free(&gzip);
}

static void a_size_that_is_a_lie_is_found_out(void **state)
{
    char json[1000];
    struct buf gzip;
    struct error err = {""};
    (void)state;
    make_profile(&gzip);
    memset(gzip.data + gzip.size - 4, 0, 4);
    gzip.data[gzip.size - 4] = 5; /* inflates to 5 bytes, it says */
    rig_incident(json, sizeof json,
        "\"kind\": \"spike\", \"profiles\": [" PROFILE("cpu", "cpu.pb.gz", "ok") "]");
    const struct rig_file files[] = {
        {"incident.json", json, 0}, {"cpu.pb.gz", gzip.data, gzip.size}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, NULL, 20, &err);
    assert_non_null(evidence);
    assert_null(evidence->profiles[0].profile);
    assert_true(evidence->profiles[0].too_large);
    evidence_free(evidence);
    buf_free(&gzip);
}

static void a_baseline_is_of_the_same_service(void **state)
{
    static const struct {
        const char *baseline, *why; /* baseline NULL: nowhere */
        const char *incident;
    } cases[] = {
        {NULL, "there was no baseline yet when this was captured", "\"kind\": \"spike\""},
        {NULL, "this is a baseline itself", "\"kind\": \"baseline\""},
        {NULL, "the baseline 20261123T090000Z-baseline-1a2b3c is not stored beside it",
            "\"kind\": \"spike\", \"baseline\": \"20261123T090000Z-baseline-1a2b3c\""},
        {"{}", "the baseline cannot be read: it is no incident: it has no schema number",
            "\"kind\": \"spike\""},
        {"{\"schema\": 1, \"id\": \"20261123T090000Z-baseline-1a2b3c\", \"service\": \"other\", "
         "\"kind\": \"baseline\", \"fired\": \"2026-11-23T09:00:00Z\"}",
            "the baseline is one of another service", "\"kind\": \"spike\""},
        {"{\"schema\": 1, \"id\": \"20261123T090000Z-baseline-1a2b3c\", \"service\": \"games\", "
         "\"kind\": \"baseline\", \"fired\": \"2026-11-23T09:00:00Z\"}",
            "", "\"kind\": \"spike\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1000];
        struct error err = {""};
        rig_incident(json, sizeof json, cases[i].incident);
        const struct rig_file files[] = {{"incident.json", json, 0}, {NULL, NULL, 0}};
        const struct rig_file calm[] = {
            {"incident.json", cases[i].baseline ? cases[i].baseline : "", 0}, {NULL, NULL, 0}};
        struct evidence *evidence = rig_evidence(
            files, cases[i].baseline ? calm : NULL, 1000, &err);
        assert_non_null(evidence);
        assert_string_equal(evidence->no_baseline.text, cases[i].why);
        assert_int_equal(evidence->baseline != NULL, !*cases[i].why);
        evidence_free(evidence);
    }
}

static void metrics_are_read_as_far_as_they_go(void **state)
{
    static const struct {
        const char *csv, *problem;
        size_t series, samples; /* of the first series */
    } cases[] = {
        {"time,cpu,memory\n1,1,2\n2,3,\n3,4,5\n", "", 2, 3},
        {"time,cpu\n1,1\n2,x\n3,4\n",
            "metrics.csv:3:3: \"x\" is not a number (a cell without a value stays empty)", 1, 1},
        {"", NULL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1000];
        struct error err = {""};
        rig_incident(
            json, sizeof json, "\"kind\": \"spike\", \"metrics\": {\"file\": \"metrics.csv\"}");
        const struct rig_file files[] = {
            {"incident.json", json, 0}, {"metrics.csv", cases[i].csv, 0}, {NULL, NULL, 0}};
        struct evidence *evidence = rig_evidence(files, NULL, 1000, &err);
        assert_non_null(evidence);
        assert_int_equal(evidence->metrics.count, cases[i].series);
        if (cases[i].series)
            assert_int_equal(evidence->metrics.all[0]->count, cases[i].samples);
        if (cases[i].problem && !*cases[i].problem)
            assert_string_equal(evidence->no_metrics.text, "");
        else
            assert_string_not_equal(evidence->no_metrics.text, "");
        evidence_free(evidence);
    }
}

static void other_fields_outlive_an_analysis(void **state)
{
    struct error err = {""};
    char json[1000];
    (void)state;
    rig_incident(json, sizeof json,
        "\"kind\": \"spike\", \"fleet\": {\"seen_by\": 12}, \"headline\": \"old\", "
        "\"suspect\": {\"function\": \"old\"}");
    const struct rig_file files[] = {{"incident.json", json, 0}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, NULL, 1000, &err);
    struct buf text;
    buf_init(&text, 1000);
    buf_puts(&text, json);
    analysis_run(evidence);
    char *first = analysis_rewrite(&text, evidence, &err);
    assert_non_null(first);
    assert_non_null(strstr(first, "\"seen_by\": 12"));
    assert_null(strstr(first, "old"));
    buf_free(&text);
    buf_init(&text, 10000);
    buf_puts(&text, first);
    char *second = analysis_rewrite(&text, evidence, &err);
    assert_string_equal(first, second);
    free(first);
    free(second);
    buf_free(&text);
    evidence_free(evidence);
}

/* As another program may write it, from the format's description. */
static void a_suspect_without_a_headline_stays(void **state)
{
    struct error err = {""};
    char json[1000];
    (void)state;
    rig_incident(json, sizeof json,
        "\"kind\": \"spike\", \"suspect\": {\"function\": \"main.Given\", \"cum_percent\": 61.2}, "
        "\"runners_up\": [{\"function\": \"main.Other\"}], \"explained\": {\"percent\": 95}");
    const struct rig_file files[] = {{"incident.json", json, 0}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, NULL, 1000, &err);
    analysis_fill_in(evidence);
    const struct incident_analysis *analysis = &evidence->incident->analysis;
    assert_string_equal(analysis->suspect.function, "main.Given");
    assert_int_equal(analysis->runner_up_count, 1);
    assert_true(analysis->explained.percent == 95);
    assert_non_null(strstr(analysis->headline, "Given"));
    assert_non_null(analysis->group);
    evidence_free(evidence);
}

static void what_is_no_incident_is_an_error(void **state)
{
    static const struct rig_file none[] = {{NULL, NULL, 0}};
    static const struct rig_file broken[] = {{"incident.json", "{", 0}, {NULL, NULL, 0}};
    struct error err = {""};
    (void)state;
    assert_null(rig_evidence(none, NULL, 1000, &err));
    assert_string_equal(err.text, "there is no file incident.json");
    assert_null(rig_evidence(broken, NULL, 1000, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_what_was_captured_is_damaged),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(all_profiles_share_the_limit),
        cmocka_unit_test(a_size_that_is_a_lie_is_found_out),
        cmocka_unit_test(a_baseline_is_of_the_same_service),
        cmocka_unit_test(metrics_are_read_as_far_as_they_go),
        cmocka_unit_test(other_fields_outlive_an_analysis),
        cmocka_unit_test(a_suspect_without_a_headline_stays),
        cmocka_unit_test(what_is_no_incident_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
