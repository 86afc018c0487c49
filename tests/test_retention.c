/* Which incidents of a folder go, by table. */
#include "exporters/retention.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { DAY = 24, MOST = 16 };
static const int64_t hour_ms = 3600000;
static const int64_t noon_ms = 1795435200000; /* 2026-11-23T12:00:00Z */

/* Incidents as text: "baseline@30 spike@20+", the trigger and how many hours ago it fired. Each has
 * 10 bytes; + is held, ? is not complete. */
static size_t read_incidents(const char *text, struct retained *incidents)
{
    size_t count = 0;
    int hours, used;
    char trigger[16];
    for (; sscanf(text, " %15[a-z]@%d%n", trigger, &hours, &used) == 2; count++) {
        struct retained *incident = &incidents[count];
        int64_t fired_s = noon_ms / 1000 - hours * INT64_C(3600);
        struct tm tm;
        time_t when = (time_t)fired_s;
        gmtime_r(&when, &tm);
        char stamp[32];
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
        *incident = (struct retained){.bytes = 10, .complete = true};
        snprintf(incident->id, sizeof incident->id, "%s-%s-%06zx", stamp, trigger, count);
        for (text += used; *text && !isspace((unsigned char)*text); text++) {
            incident->held = incident->held || *text == '+';
            incident->complete = incident->complete && *text != '?';
        }
    }
    return count;
}

/* Which go: their places, such as "0 2". */
static void tell(const struct retained *incidents, size_t count, char *told, size_t size)
{
    size_t used = 0;
    told[0] = '\0';
    for (size_t i = 0; i < count; i++)
        if (incidents[i].goes)
            used += (size_t)snprintf(told + used, size - used, "%s%zu", used ? " " : "", i);
}

static const struct {
    const char *incidents;
    int keep_h;
    uint64_t size, besides; /* bytes: the limit, and what is not listed */
    bool more;
    const char *go;
} cases[] = {
    {"", 1, 1, 0, false, ""},
    {"spike@900 spike@800 spike@1", 0, 0, 0, false, ""},
    /* By age. */
    {"spike@25 spike@24 spike@1", DAY, 0, 0, false, "0"},
    {"spike@25 spike@24 spike@1", 1, 0, 0, false, "0 1"},
    {"spike@25", DAY, 0, 0, false, "0"},
    {"spike@30 spike@-500", DAY, 0, 0, false, "0"},
    {"spike@30+ spike@29? spike@28", DAY, 0, 0, false, "2"},
    /* By size: the oldest, no more than have to. */
    {"spike@3 spike@2 spike@1", 0, 30, 0, false, ""},
    {"spike@3 spike@2 spike@1", 0, 29, 0, false, "0"},
    {"spike@3 spike@2 spike@1", 0, 20, 0, false, "0"},
    {"spike@3 spike@2 spike@1", 0, 19, 0, false, "0 1"},
    {"spike@3 spike@2 spike@1", 0, 1, 0, false, "0 1"},
    {"spike@1", 0, 1, 0, false, ""},
    {"spike@3 spike@2 spike@1", 0, 1, 0, true, "0 1 2"},
    {"spike@3 spike@2 spike@1", 0, 100, 85, true, "0 1"},
    {"spike@4+ spike@3? spike@2 spike@1", 0, 30, 0, false, "2"},
    {"spike@4+ spike@3? spike@2+ spike@1", 0, 1, 0, false, ""},
    /* By both: what is too old anyway counts for the size. */
    {"spike@50 spike@3 spike@2 spike@1", DAY, 30, 0, false, "0"},
    {"spike@50 spike@3 spike@2 spike@1", DAY, 25, 0, false, "0 1"},
    /* Baselines stay for what may be compared with them. */
    {"baseline@30 spike@20", DAY, 0, 0, false, ""},
    {"baseline@80 spike@20", DAY, 0, 0, false, "0"},
    {"baseline@50 spike@40 spike@20", 30, 0, 0, false, "1"},
    {"baseline@70 spike@40 spike@20", 30, 0, 0, false, "0 1"},
    {"baseline@30 baseline@28 baseline@1", DAY, 0, 0, false, "0 1"},
    {"baseline@30 spike@20?", DAY, 0, 0, false, ""},
    {"baseline@30", DAY, 0, 0, true, ""},
    {"baseline@9 spike@8 spike@7 spike@6", 0, 30, 0, false, "1"},
    {"baseline@9 spike@8 spike@7 spike@6", 0, 10, 0, false, "1 2"},
    {"baseline@90 spike@89 spike@7 spike@6", 0, 20, 0, false, "0 1"},
    {"baseline@90 spike@89 spike@7 spike@6", 0, 30, 0, false, "1"},
    {"baseline@90 baseline@89 spike@88 spike@7", 0, 20, 0, false, "0 2"},
    {"baseline@2 baseline@1", 0, 10, 0, false, "0"},
};

static void no_more_go_than_have_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct retained incidents[MOST];
        size_t count = read_incidents(cases[i].incidents, incidents);
        const struct retention retention = {.keep_ms = cases[i].keep_h * hour_ms,
            .size_bytes = cases[i].size,
            .total_bytes = count * 10 + cases[i].besides,
            .more = cases[i].more};
        size_t chosen = retention_choose(incidents, count, &retention, noon_ms);
        char told[100];
        tell(incidents, count, told, sizeof told);
        if (strcmp(told, cases[i].go) != 0)
            fail_msg("%s: \"%s\" go, not \"%s\"", cases[i].incidents, told, cases[i].go);
        for (size_t j = 0; j < count; j++)
            chosen -= incidents[j].goes;
        assert_int_equal(chosen, 0);
    }
}

static void why_one_goes_is_known(void **state)
{
    (void)state;
    struct retained incidents[MOST];
    size_t count = read_incidents("spike@50 spike@3 spike@2", incidents);
    const struct retention retention = {
        .keep_ms = DAY * hour_ms, .size_bytes = 15, .total_bytes = 30};
    assert_int_equal(retention_choose(incidents, count, &retention, noon_ms), 2);
    assert_true(incidents[0].too_old);
    assert_false(incidents[1].too_old);
}

static void a_note_is_one_of_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool note;
    } marks[] = {{"{\"schema\": 1, \"looked\": \"2026-11-23T16:00:00.000Z\"}", false},
        {"{\"schema\": 1, \"note\": \"\"}", false}, {"{\"schema\": 1, \"note\": \"fixed\"}", true},
        {"{\"schema\": 2, \"note\": \"fixed\"}", true}, {"{\"note\": 1}", false}, {"", true},
        {"fixed in revision 8", true}, {"[]", true}, {"{", true}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        assert_int_equal(retention_is_note(marks[i].text, strlen(marks[i].text)), marks[i].note);
    static char large[RETENTION_MARKS_MAX + 1] = "{}";
    memset(large + 2, ' ', sizeof large - 2);
    assert_true(retention_is_note(large, sizeof large));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_go_than_have_to),
        cmocka_unit_test(why_one_goes_is_known),
        cmocka_unit_test(a_note_is_one_of_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
