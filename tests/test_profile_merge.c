#include "review/profile/profile_merge.h"

#include "core/error.h"
#include "core/fs.h"
#include "profile_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t max_bytes = 1 << 20;

/* The strings that every profile of these tests has, in this order. */
enum { NONE, CPU, NANOSECONDS, SECONDS, BYTES, GAMES, MAIN_GO, BINARY, BUILD, ROUND, FIRST, NOTE };
static const char *const strings[] = {"", "cpu", "nanoseconds", "seconds", "bytes", "main.Games",
    "main.go", "/srv/games", "abcdef", "round", "first", "note"};

/* A profile of one location in one mapping, and of one sample a value. */
struct plan {
    int64_t values[4];
    uint64_t labels[4]; /* 0: none, 1: round=first, 2: round=300 bytes, 3: both */
    uint64_t start;     /* of the mapping; the location is 16 bytes behind it */
    uint64_t build_id, line, unit, period, time, duration, default_type;
    uint64_t comments[3];
};

static void put_type(struct message *profile, unsigned field, uint64_t type, uint64_t unit)
{
    struct message message = {.size = 0};
    put_number(&message, 1, type);
    put_number(&message, 2, unit);
    put_message(profile, field, &message);
}

static void put_labels(struct message *sample, uint64_t labels)
{
    struct message number = {.size = 0}, text = {.size = 0};
    put_number(&number, 1, ROUND);
    put_number(&number, 3, 300);
    put_number(&number, 4, BYTES);
    put_number(&text, 1, ROUND);
    put_number(&text, 2, FIRST);
    if (labels & 2)
        put_message(sample, 3, &number);
    if (labels & 1)
        put_message(sample, 3, &text);
}

static void put_parts(struct message *profile, const struct plan *plan)
{
    struct message mapping = {.size = 0}, line = {.size = 0}, location = {.size = 0};
    struct message function = {.size = 0};
    put_number(&mapping, 1, 1);
    put_number(&mapping, 2, plan->start);
    put_number(&mapping, 3, plan->start + 8192);
    put_number(&mapping, 5, BINARY);
    put_number(&mapping, 6, plan->build_id);
    put_message(profile, 3, &mapping);
    put_number(&line, 1, 1);
    put_number(&line, 2, plan->line);
    put_number(&location, 1, 1);
    put_number(&location, 2, 1);
    put_number(&location, 3, plan->start + 16);
    put_message(&location, 4, &line);
    put_message(profile, 4, &location);
    put_number(&function, 1, 1);
    put_number(&function, 2, GAMES);
    put_number(&function, 4, MAIN_GO);
    put_message(profile, 5, &function);
}

static struct profile *make(const struct plan *plan)
{
    static struct message bytes;
    bytes.size = 0;
    put_type(&bytes, 1, CPU, plan->unit);
    for (size_t i = 0; i < 4 && plan->values[i] != INT64_MIN; i++) {
        struct message sample = {.size = 0};
        put_number(&sample, 1, 1);
        put_number(&sample, 2, (uint64_t)plan->values[i]);
        put_labels(&sample, plan->labels[i]);
        put_message(&bytes, 2, &sample);
    }
    put_parts(&bytes, plan);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        put_text(&bytes, 6, strings[i]);
    put_number(&bytes, 9, plan->time);
    put_number(&bytes, 10, plan->duration);
    put_type(&bytes, 11, CPU, plan->unit);
    put_number(&bytes, 12, plan->period);
    for (size_t i = 0; i < 3 && plan->comments[i]; i++)
        put_number(&bytes, 13, plan->comments[i]);
    put_number(&bytes, 14, plan->default_type);
    struct error err;
    struct profile *profile = profile_decode(bytes.bytes, bytes.size, max_bytes, &err);
    if (!profile)
        fail_msg("%s", err.text);
    return profile;
}

#define END INT64_MIN
static const struct plan first = {.values = {5, END},
    .start = 4096,
    .build_id = BUILD,
    .line = 10,
    .unit = NANOSECONDS,
    .period = 10,
    .time = 2000,
    .duration = 7,
    .comments = {NOTE}};
/* What comes of `first` and another profile. */
static const struct {
    struct plan second;
    const char *merged;
} sums[] = {
    {{{3, END}, {0}, 4096, BUILD, 10, NANOSECONDS, 10, 3000, 8, CPU, {NOTE, GAMES}},
        "type cpu/nanoseconds\nevery 10 cpu/nanoseconds\nat 2000 for 15\n"
        "drop  keep  default cpu doc \ncomment note\ncomment main.Games\nsample 8: 0\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nfunction main.Games () main.go:0\n"},
    /* loaded elsewhere; earlier, with a longer period */
    {{{3, END}, {0}, 65536, BUILD, 10, NANOSECONDS, 20, 1000, 8, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 20 cpu/nanoseconds\nat 1000 for 15\n"
        "drop  keep  default  doc \ncomment note\nsample 8: 0\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nfunction main.Games () main.go:0\n"},
    /* another build; no time */
    {{{3, END}, {0}, 65536, NONE, 10, NANOSECONDS, 10, 0, 0, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 10 cpu/nanoseconds\nat 2000 for 7\n"
        "drop  keep  default  doc \ncomment note\nsample 5: 0\nsample 3: 1\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "location 65552 of mapping 1: function 0 line 10,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nmapping 65536-73728+0 /srv/games  0000\n"
        "function main.Games () main.go:0\n"},
    /* another line; samples of one profile add up, too */
    {{{3, 4, END}, {0}, 4096, BUILD, 11, NANOSECONDS, 10, 2000, 0, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 10 cpu/nanoseconds\nat 2000 for 7\n"
        "drop  keep  default  doc \ncomment note\nsample 5: 0\nsample 7: 1\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "location 4112 of mapping 0: function 0 line 11,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nfunction main.Games () main.go:0\n"},
    /* labels, in one order; zeroes are left out */
    {{{3, 4, 0, 6}, {1, 3, 2, 1}, 4096, BUILD, 10, NANOSECONDS, 10, 2000, 0, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 10 cpu/nanoseconds\nat 2000 for 7\n"
        "drop  keep  default  doc \ncomment note\nsample 5: 0\n"
        "sample 9: 0 round=first\nsample 4: 0 round=first round=300bytes\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nfunction main.Games () main.go:0\n"},
    /* what adds up to nothing is gone, with what only it referred to */
    {{{-5, END}, {0}, 4096, BUILD, 10, NANOSECONDS, 10, 2000, 0, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 10 cpu/nanoseconds\nat 2000 for 7\n"
        "drop  keep  default  doc \ncomment note\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\n"},
    /* a coarser unit */
    {{{3, END}, {0}, 4096, BUILD, 10, SECONDS, 2, 2000, 0, NONE, {NONE}},
        "type cpu/nanoseconds\nevery 2000000000 cpu/nanoseconds\nat 2000 for 7\n"
        "drop  keep  default  doc \ncomment note\nsample 3000000005: 0\n"
        "location 4112 of mapping 0: function 0 line 10,0\n"
        "mapping 4096-12288+0 /srv/games abcdef 0000\nfunction main.Games () main.go:0\n"},
};

static void every_way_to_be_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        struct profile *a = make(&first), *b = make(&sums[i].second);
        struct profile_merge *merge = profile_merge_open();
        struct error err;
        assert_int_equal(profile_merge_add(merge, a, &err), 0);
        profile_free(a);
        assert_int_equal(profile_merge_add(merge, b, &err), 0);
        profile_free(b);
        struct profile *merged = profile_merge_close(merge);
        char *text = show_profile(merged);
        if (strcmp(text, sums[i].merged) != 0)
            fail_msg("case %zu is:\n%s", i, text);
        free(text);
        profile_free(merged);
    }
}

/* The finer unit comes second: what is there already is converted. */
static void the_finest_unit_wins(void **state)
{
    (void)state;
    struct plan plan = {.values = {3, END}, .unit = SECONDS, .period = 2};
    struct profile *seconds = make(&plan);
    plan.unit = NANOSECONDS;
    struct profile *nanoseconds = make(&plan);
    struct profile_merge *merge = profile_merge_open();
    struct error err;
    assert_int_equal(profile_merge_add(merge, seconds, &err), 0);
    assert_int_equal(profile_merge_add(merge, nanoseconds, &err), 0);
    struct profile *merged = profile_merge_close(merge);
    assert_int_equal(merged->values[0], 3000000003);
    assert_int_equal(merged->period, 2000000000);
    assert_string_equal(merged->strings[merged->sample_types[0].unit].text, "nanoseconds");
    assert_string_equal(merged->strings[merged->period_type.unit].text, "nanoseconds");
    profile_free(seconds);
    profile_free(nanoseconds);
    profile_free(merged);
}

static void other_kinds_are_refused_by_name(void **state)
{
    (void)state;
    struct plan plan = {.values = {3, END}, .unit = NANOSECONDS};
    struct profile *time = make(&plan);
    plan.unit = BYTES;
    struct profile *bytes = make(&plan);
    struct profile_merge *merge = profile_merge_open();
    struct error err;
    assert_int_equal(profile_merge_add(merge, time, &err), 0);
    assert_int_equal(profile_merge_add(merge, bytes, &err), -1);
    assert_string_equal(err.text, "the profile is of another kind than those before it: "
                                  "cpu/bytes, not cpu/nanoseconds");
    /* and the merge goes on */
    assert_int_equal(profile_merge_add(merge, time, &err), 0);
    struct profile *merged = profile_merge_close(merge);
    assert_int_equal(merged->sample_count, 1);
    assert_int_equal(merged->values[0], 6);
    profile_free(time);
    profile_free(bytes);
    profile_free(merged);
}

static void nothing_merged_is_an_empty_profile(void **state)
{
    (void)state;
    struct profile *merged = profile_merge_close(profile_merge_open());
    assert_int_equal(merged->sample_count, 0);
    assert_int_equal(merged->string_count, 1);
    profile_free(merged);
    profile_merge_free(profile_merge_open());
    profile_merge_free(NULL);
}

static struct profile *read_fixture(const char *name)
{
    char path[100];
    struct buf file;
    struct error err;
    snprintf(path, sizeof path, "fixtures/profiles/%s.pb.gz", name);
    if (fs_read(path, max_bytes, &file, &err) < 0)
        fail_msg("%s", err.text);
    struct profile *profile = profile_decode(file.data, file.size, max_bytes, &err);
    if (!profile)
        fail_msg("%s: %s", path, err.text);
    buf_free(&file);
    return profile;
}

/* pprof's own merge is the judge, in its order. */
static void real_profiles_merge_as_pprof_merges_them(void **state)
{
    (void)state;
    static const struct {
        const char *files[4], *judge;
    } cases[] = {
        {{"cpu-1", "cpu-2", "cpu-moved"}, "cpu-merged-by-go"},
        {{"heap-1", "heap-moved"}, "heap-merged-by-go"},
        {{"cpu-merged-by-go"}, "cpu-merged-by-go"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile_merge *merge = profile_merge_open();
        for (const char *const *file = cases[i].files; *file; file++) {
            struct profile *profile = read_fixture(*file);
            struct error err;
            assert_int_equal(profile_merge_add(merge, profile, &err), 0);
            profile_free(profile);
        }
        struct profile *merged = profile_merge_close(merge);
        struct profile *judge = read_fixture(cases[i].judge);
        char *ours = show_profile(merged), *theirs = show_profile(judge);
        assert_string_equal(ours, theirs);
        free(ours);
        free(theirs);
        profile_free(merged);
        profile_free(judge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_be_equal),
        cmocka_unit_test(the_finest_unit_wins),
        cmocka_unit_test(other_kinds_are_refused_by_name),
        cmocka_unit_test(nothing_merged_is_an_empty_profile),
        cmocka_unit_test(real_profiles_merge_as_pprof_merges_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
