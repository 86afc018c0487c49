#include "agent/self/crash_report.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char whole[] = "crash 1\n"
                            "version 0.1.0\n"
                            "time 2026-11-23T15:04:01.000Z\n"
                            "process 4711\n"
                            "thread disk\n"
                            "signal SIGSEGV\n"
                            "reason nothing is mapped there\n"
                            "address 0x8\n"
                            "#0 stakeout+0x1b2c3 (build id 5f0c)\n"
                            "#1 0x7f0000001000\n"
                            "end complete\n";

static int parse(const char *text, struct crash_report *report)
{
    struct error err;
    char *copy = malloc(strlen(text) + 1); /* so that reading beyond its end is seen */
    memcpy(copy, text, strlen(text));
    int status = crash_report_parse(copy, strlen(text), report, &err);
    free(copy);
    return status;
}

static void a_report_is_read(void **state)
{
    (void)state;
    struct crash_report report;
    assert_int_equal(parse(whole, &report), 0);
    assert_string_equal(report.version, "0.1.0");
    assert_string_equal(report.thread, "disk");
    assert_string_equal(report.signal, "SIGSEGV");
    assert_string_equal(report.reason, "nothing is mapped there");
    assert_string_equal(report.address, "0x8");
    assert_int_equal(report.time_ms, 1795446241000);
    assert_int_equal(report.frame_count, 2);
    assert_string_equal(report.frames[0], "stakeout+0x1b2c3");
    assert_string_equal(report.frames[1], "0x7f0000001000");
    assert_true(report.complete);
}

static void a_report_that_was_cut_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    for (size_t size = strlen("crash 1\n"); size < strlen(whole) - 1; size++) {
        char text[sizeof whole];
        struct crash_report report;
        memcpy(text, whole, size);
        text[size] = '\0';
        assert_int_equal(parse(text, &report), 0);
        assert_false(report.complete);
    }
}

static void what_is_no_report_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "crash 1", "crash 2\n", "\ncrash 1\n", "{}"};
    struct crash_report report;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(parse(texts[i], &report), -1);
    char *large = calloc(1, CRASH_REPORT_BYTES + 2);
    memset(large, '\n', CRASH_REPORT_BYTES + 1);
    memcpy(large, "crash 1\n", 8);
    assert_int_equal(parse(large, &report), -1);
    large[CRASH_REPORT_BYTES] = '\0';
    assert_int_equal(parse(large, &report), 0);
    free(large);
}

static void hostile_texts_are_cut_and_cleaned(void **state)
{
    (void)state;
    struct crash_report report;
    char text[2048] = "crash 1\ntime yesterday\nreason \x1b[2J\xff\nthread ";
    size_t used = strlen(text);
    memset(text + used, 'x', 500);
    strcpy(text + used + 500, "\n#\n# \n#0\n#1  \n");
    for (int i = 0; i < 20; i++)
        strcat(text, "#9 a+0x1 b\n");
    assert_int_equal(parse(text, &report), 0);
    assert_int_equal(report.time_ms, 0);
    assert_string_equal(report.reason, "?[2J?");
    assert_int_equal(strlen(report.thread), sizeof report.thread - 1);
    assert_int_equal(report.frame_count, CRASH_REPORT_FRAMES);
}

static void it_is_described_in_words(void **state)
{
    (void)state;
    const struct {
        const char *text, *described;
    } cases[] = {
        {whole, "SIGSEGV, nothing is mapped there, at address 0x8, in thread disk of stakeout "
                "0.1.0"},
        {"crash 1\nsignal SIGABRT\nreason raised by itself\nthread stakeout\n",
            "SIGABRT, raised by itself, in thread stakeout"},
        {"crash 1\n", "a signal that is not known"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crash_report report;
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(parse(cases[i].text, &report), 0);
        crash_report_describe(&report, &out);
        assert_string_equal(out.data, cases[i].described);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_read),
        cmocka_unit_test(a_report_that_was_cut_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_is_no_report_is_refused),
        cmocka_unit_test(hostile_texts_are_cut_and_cleaned),
        cmocka_unit_test(it_is_described_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
