#include "agent/detection/learned_json.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIGGERS = 3, MOST = 300 };

static const char *const cpu_spike[] = {"cpu-spike"}, *const burst[] = {"burst"};
static char rounds_name[] = "rounds", bursts_name[] = "bursts", spike_name[] = "cpu-spike";

/* Two triggers that learn, each of another one, and one that does not. */
static struct trigger_config triggers[TRIGGERS] = {
    {.name = rounds_name, .scope = {.members = cpu_spike, .member_count = 1}},
    {.name = bursts_name, .scope = {.members = burst, .member_count = 1}},
    {.name = spike_name},
};
static const struct config some = {.triggers = triggers, .trigger_count = TRIGGERS};

#define ROUNDS(onsets) "{\"rounds\":{\"of\":\"cpu-spike\",\"onsets\":[" onsets "]}}"
#define LEARNED(object)                                                                            \
    "{\"schema\":1,\"saved\":\"2026-11-23T15:04:01.000Z\",\"learned\":" object "}"
#define T(second) "\"2026-11-23T15:04:" second "Z\""

static const struct {
    const char *text;
    const char *kept; /* the value of "learned" that is written from it; NULL: it is refused */
} text_cases[] = {
    {LEARNED("{}"), "{}"},
    {LEARNED(ROUNDS(T("01.250") "," T("02.000"))), ROUNDS(T("01.250") "," T("02.000"))},
    {"{\"learned\":{\"rounds\":{\"onsets\":[\"2026-11-23T16:04:01+01:00\"],\"x\":1,"
     "\"of\":\"cpu-spike\"}},\"schema\":1,\"new\":2}",
        ROUNDS(T("01.000"))},
    /* In no order, twice, and after now (15:04:30). */
    {LEARNED(ROUNDS(T("02.000") "," T("30.001") "," T("01.000") "," T("30.000") "," T("02.000"))),
        ROUNDS(T("01.000") "," T("02.000") "," T("30.000"))},
    {LEARNED(ROUNDS("\"9999-12-31T23:59:59Z\"")), "{}"},
    {LEARNED(ROUNDS("")), "{}"},
    /* A trigger that is gone; one that is of another one now; one that looks at none. */
    {LEARNED("{\"gone\":{\"of\":\"cpu-spike\",\"onsets\":[" T("01.000") "]}}"), "{}"},
    {LEARNED("{\"bursts\":{\"of\":\"cpu-spike\",\"onsets\":[" T("01.000") "]}}"), "{}"},
    {LEARNED("{\"cpu-spike\":{\"of\":\"cpu-spike\",\"onsets\":[" T("01.000") "]}}"), "{}"},
    {LEARNED("{\"bursts\":{\"of\":\"burst\",\"onsets\":[" T("01.000") "]}}"),
        "{\"bursts\":{\"of\":\"burst\",\"onsets\":[" T("01.000") "]}}"},
    {"", NULL},
    {"null", NULL},
    {"[]", NULL},
    {"{}", NULL},
    {"{\"schema\":1}", NULL},
    {"{\"schema\":2,\"learned\":{}}", NULL},
    {"{\"schema\":\"1\",\"learned\":{}}", NULL},
    {LEARNED("[]"), NULL},
    {LEARNED("{\"rounds\":[]}"), NULL},
    {LEARNED("{\"rounds\":{\"onsets\":[]}}"), NULL},
    {LEARNED("{\"rounds\":{\"of\":1,\"onsets\":[]}}"), NULL},
    {LEARNED("{\"rounds\":{\"of\":\"cpu-spike\",\"onsets\":{}}}"), NULL},
    {LEARNED(ROUNDS(T("01.000") ",1")), NULL},
    {LEARNED(ROUNDS("\"yesterday\"")), NULL},
    {LEARNED(ROUNDS("\"2026-11-23T15:04:01Z\\u0000\"")), NULL},
    {LEARNED(ROUNDS(T("01.000")) ",\"learned\":{}"), NULL},
    {LEARNED("{}") " and more", NULL},
};

static void texts_are_taken_whole_or_not_at_all(void **state)
{
    const struct config *config = &some;
    (void)state;
    int64_t now_ms;
    assert_int_equal(rfc3339_parse("2026-11-23T15:04:30Z", 20, &now_ms), 0);
    for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++) {
        struct error err = {""};
        struct learned_onsets onsets[TRIGGERS] = {{0}};
        bool partial;
        int status = learned_parse(
            config, text_cases[i].text, strlen(text_cases[i].text), now_ms, onsets, &partial, &err);
        assert_int_equal(status, text_cases[i].kept ? 0 : -1);
        assert_true(text_cases[i].kept || err.text[0]);
        assert_false(partial);
        char *written = learned_text(config, onsets, false, now_ms - 29000), *to = written;
        for (const char *from = written; *from; from++)
            if (*from != ' ' && *from != '\n')
                *to++ = *from;
        *to = '\0';
        char *expected = xasprintf("{\"schema\":1,\"saved\":" T("01.000") ",\"learned\":%s}",
            text_cases[i].kept ? text_cases[i].kept : "{}");
        assert_string_equal(written, expected);
        learned_onsets_clear(onsets, TRIGGERS);
        free(expected);
        free(written);
    }
}

static void the_newest_of_very_many_are_kept(void **state)
{
    const struct config *config = &some;
    (void)state;
    struct learned_onsets onsets[TRIGGERS] = {{xcalloc(5000, sizeof(int64_t)), 5000}};
    for (int64_t i = 0; i < 5000; i++)
        onsets[0].wall_ms[i] = i;
    char *text = learned_text(config, onsets, true, 5000);
    bool partial = false;
    learned_onsets_clear(onsets, TRIGGERS);
    assert_true(strlen(text) < LEARNED_MAX_BYTES);
    assert_int_equal(learned_parse(config, text, strlen(text), 5000, onsets, &partial, NULL), 0);
    assert_true(partial);
    assert_int_equal(onsets[0].count, 256);
    assert_int_equal(onsets[0].wall_ms[255], 4999);
    learned_onsets_clear(onsets, TRIGGERS);
    free(text);
}

/* When as many triggers learn as there can be, what is written can be read. */
static void the_text_has_room_for_every_trigger(void **state)
{
    (void)state;
    enum { MANY = 64, LOG = 96 }; /* triggers; what one of them remembers at the most */
    static char names[MANY][41];
    struct trigger_config *many = xcalloc(MANY, sizeof *many);
    struct learned_onsets *onsets = xcalloc(MANY, sizeof *onsets);
    struct config config = {.triggers = many, .trigger_count = MANY};
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%040zu", i);
        many[i].name = names[i];
        many[i].scope = (struct trigger_scope){.members = cpu_spike, .member_count = 1};
        onsets[i] = (struct learned_onsets){xcalloc(MOST, sizeof(int64_t)), MOST};
        for (int64_t j = 0; j < MOST; j++)
            onsets[i].wall_ms[j] = j;
    }
    bool partial;
    char *text = learned_text(&config, onsets, false, 0);
    assert_true(strlen(text) < LEARNED_MAX_BYTES);
    learned_onsets_clear(onsets, MANY);
    assert_int_equal(learned_parse(&config, text, strlen(text), MOST, onsets, &partial, NULL), 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(onsets[i].count, LOG);
        assert_int_equal(onsets[i].wall_ms[LOG - 1], MOST - 1);
    }
    learned_onsets_clear(onsets, MANY);
    free(onsets);
    free(many);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_whole_or_not_at_all),
        cmocka_unit_test(the_newest_of_very_many_are_kept),
        cmocka_unit_test(the_text_has_room_for_every_trigger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
