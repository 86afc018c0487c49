#include "review/profile/profile.h"

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

/* A profile of one sample, with everything that can be wrong in it. */
struct shape {
    uint64_t values;          /* of the sample, for one sample type */
    uint64_t type_string;     /* of the sample type */
    uint64_t sample_location; /* an id */
    uint64_t label_key, label_text, label_number, label_unit;
    uint64_t mapping_id, mapping_again, mapping_file;
    uint64_t location_id, location_again, location_mapping;
    uint64_t function_id, function_again, function_name, line_function;
    uint64_t comment, period_type, drop_frames, default_type;
    uint64_t first_string; /* how many characters it has */
    uint64_t times;        /* how often the time is said */
    uint64_t no_types, no_strings;
};

static const struct shape sound = {.values = 1,
    .type_string = 1,
    .sample_location = 7,
    .label_key = 1,
    .label_text = 2,
    .mapping_id = 3,
    .mapping_again = 4,
    .location_id = 7,
    .location_again = 8,
    .location_mapping = 3,
    .function_id = 5,
    .function_again = 6,
    .function_name = 2,
    .line_function = 5,
    .times = 1};

static void put_sample(struct message *profile, const struct shape *shape)
{
    struct message sample = {.size = 0}, label = {.size = 0};
    put_number(&sample, 1, shape->sample_location);
    for (uint64_t i = 0; i < shape->values; i++)
        put_number(&sample, 2, 10);
    put_number(&label, 1, shape->label_key);
    put_number(&label, 2, shape->label_text);
    put_number(&label, 3, shape->label_number);
    put_number(&label, 4, shape->label_unit);
    put_message(&sample, 3, &label);
    put_message(profile, 2, &sample);
}

static void put_mapping(struct message *profile, uint64_t id, uint64_t file)
{
    struct message mapping = {.size = 0};
    put_number(&mapping, 1, id);
    put_number(&mapping, 2, 4096);
    put_number(&mapping, 3, 8192);
    put_number(&mapping, 5, file);
    put_number(&mapping, 7, 1);
    put_message(profile, 3, &mapping);
}

static void put_location(struct message *profile, uint64_t id, uint64_t mapping, uint64_t function)
{
    struct message location = {.size = 0}, line = {.size = 0};
    put_number(&line, 1, function);
    put_number(&line, 2, 173);
    put_number(&location, 1, id);
    put_number(&location, 2, mapping);
    put_number(&location, 3, 5000);
    put_message(&location, 4, &line);
    put_message(profile, 4, &location);
}

static void put_function(struct message *profile, uint64_t id, uint64_t name)
{
    struct message function = {.size = 0};
    put_number(&function, 1, id);
    put_number(&function, 2, name);
    put_number(&function, 4, 1);
    put_message(profile, 5, &function);
}

static void make(struct message *profile, const struct shape *shape)
{
    struct message type = {.size = 0}, period = {.size = 0};
    put_number(&type, 1, shape->type_string);
    put_number(&period, 1, shape->period_type);
    *profile = (struct message){.size = 0};
    if (!shape->no_types)
        put_message(profile, 1, &type);
    put_sample(profile, shape);
    put_mapping(profile, shape->mapping_id, shape->mapping_file);
    put_mapping(profile, shape->mapping_again, 0);
    put_location(profile, shape->location_id, shape->location_mapping, shape->line_function);
    put_location(profile, shape->location_again, 0, shape->function_again);
    put_function(profile, shape->function_id, shape->function_name);
    put_function(profile, shape->function_again, 0);
    if (!shape->no_strings) {
        put_bytes(profile, 6, "xxxx", shape->first_string);
        put_text(profile, 6, "cpu");
        put_text(profile, 6, "main.RematchStreak");
    }
    put_number(profile, 7, shape->drop_frames);
    for (uint64_t i = 0; i < shape->times; i++)
        put_number(profile, 9, 1700000000);
    put_message(profile, 11, &period);
    put_number(profile, 13, shape->comment);
    put_number(profile, 14, shape->default_type);
}

#define MEMBER(name) offsetof(struct shape, name)

static void every_index_is_checked(void **state)
{
    (void)state;
    static const struct {
        size_t member;
        uint64_t value;
        const char *says; /* NULL: it is fine */
    } cases[] = {
        {MEMBER(values), 1, NULL},
        {MEMBER(values), 0, "sample 1 has 0 values for 1 sample type"},
        {MEMBER(values), 2, "sample 1 has 2 values for 1 sample type"},
        {MEMBER(no_types), 1, "sample 1 has 1 value for 0 sample types"},
        {MEMBER(type_string), 3, "sample type 1: it names string 3, of which there are 3"},
        {MEMBER(type_string), UINT64_MAX, "sample type 1: it names string -1"},
        {MEMBER(sample_location), 99, "sample 1 names location 99, which it does not have"},
        {MEMBER(sample_location), 0, "sample 1 names location 0"},
        {MEMBER(sample_location), UINT64_MAX, "sample 1 names location 18446744073709551615"},
        {MEMBER(label_key), 3, "sample 1: it names string 3"},
        {MEMBER(label_text), 3, "sample 1: it names string 3"},
        {MEMBER(label_unit), 3, NULL}, /* nobody asks for a text's unit */
        {MEMBER(mapping_file), 3, "mapping 1: it names string 3"},
        {MEMBER(mapping_id), 0, "a mapping without an id"},
        {MEMBER(mapping_again), 3, "two mappings with the id 3"},
        {MEMBER(location_id), 0, "a location without an id"},
        {MEMBER(location_again), 7, "two locations with the id 7"},
        {MEMBER(location_again), UINT64_MAX, NULL},
        {MEMBER(location_mapping), 0, NULL},
        {MEMBER(location_mapping), 99, NULL}, /* pprof takes that for none */
        {MEMBER(function_id), 0, "a function without an id"},
        {MEMBER(function_id), 9, "location 1 names function 5, which it does not have"},
        {MEMBER(function_again), 5, "two functions with the id 5"},
        {MEMBER(function_name), 3, "function 1: it names string 3"},
        {MEMBER(line_function), 0, "location 1 names function 0, which it does not have"},
        {MEMBER(line_function), 99, "location 1 names function 99"},
        {MEMBER(comment), 3, "comment 1: it names string 3"},
        {MEMBER(period_type), 3, "its period type: it names string 3"},
        {MEMBER(drop_frames), 3, "its drop frames: it names string 3"},
        {MEMBER(default_type), 3, "its default sample type: it names string 3"},
        {MEMBER(first_string), 1, "its first string is not empty"},
        {MEMBER(no_strings), 1, "it has no strings"},
        {MEMBER(times), 2, "it is two profiles, one after the other"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shape shape = sound;
        memcpy((char *)&shape + cases[i].member, &cases[i].value, sizeof cases[i].value);
        static struct message bytes;
        make(&bytes, &shape);
        struct error err = {""};
        struct profile *profile = profile_decode(bytes.bytes, bytes.size, max_bytes, &err);
        if (!cases[i].says)
            assert_non_null(profile);
        else if (profile || !strstr(err.text, cases[i].says))
            fail_msg("\"%s\" is not \"...%s\"", err.text, cases[i].says);
        profile_free(profile);
    }
}

static void a_profile_is_read_with_all_it_has(void **state)
{
    (void)state;
    static struct message bytes;
    make(&bytes, &sound);
    struct error err;
    struct profile *profile = profile_decode(bytes.bytes, bytes.size, max_bytes, &err);
    assert_non_null(profile);
    char *text = show_profile(profile);
    assert_string_equal(text,
        "type cpu/\nevery 0 /\nat 1700000000 for 0\ndrop  keep  default  doc \ncomment \n"
        "sample 10: 0 cpu=main.RematchStreak\n"
        "location 5000 of mapping 0: function 0 line 173,0\n"
        "location 5000 of mapping -1: function 1 line 173,0\n"
        "mapping 4096-8192+0   1000\nmapping 4096-8192+0   1000\n"
        "function main.RematchStreak () cpu:0\nfunction  () cpu:0\n");
    free(text);
    profile_free(profile);
}

/* Packed or not, in any order, between fields that nobody knows. */
static void every_way_to_write_it_is_read(void **state)
{
    (void)state;
    static struct message bytes;
    struct message packed = {.size = 0}, sample = {.size = 0}, type = {.size = 0};
    bytes.size = 0;
    put_text(&bytes, 6, "");
    put_raw(&packed, 300);
    put_raw(&packed, 1000000000000);
    put_number(&sample, 1, 300);
    put_message(&sample, 1, &packed);
    put_number(&sample, 9, 1);
    put_number(&sample, 2, UINT64_MAX);
    put_message(&bytes, 2, &sample);
    put_number(&bytes, 1000, 1);
    put_location(&bytes, 1000000000000, 0, 9);
    put_text(&bytes, 200, "unknown");
    put_message(&bytes, 1, &type);
    put_function(&bytes, 9, 0);
    put_location(&bytes, 300, 0, 9);
    put_text(&bytes, 6, "late");
    struct error err;
    struct profile *profile = profile_decode(bytes.bytes, bytes.size, max_bytes, &err);
    assert_non_null(profile);
    assert_int_equal(profile->stack_count, 3);
    assert_int_equal(profile->stacks[0], 1);
    assert_int_equal(profile->stacks[1], 1);
    assert_int_equal(profile->stacks[2], 0);
    assert_int_equal(profile->values[0], -1);
    assert_string_equal(profile->strings[profile->functions[0].file].text, "late");
    profile_free(profile);
}

static void what_is_no_profile_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } cases[] = {
        {"", 0, "the profile is empty"},
        {"<html>login</html>", 18, "not in pprof's format"},
        {"heap profile: 1: 2 [3: 4] @ heap/1048576", 40, "not in pprof's format"},
        {"\x1f\x8b", 2, "it ends in the middle"},
        {"\x1f\x8bjunkjunkjunkjunkjunk", 22, "broken"},
        {"\x0a\x00", 2, "no strings"},
        {"\x08\x01", 2, "field 1 is of the wrong kind"},
        {"\x72\x01\x00", 3, "field 14 is of the wrong kind"},
        {"\x32\x00\x12\x02\x18\x01", 6, "sample 1: field 3 is of the wrong kind"},
        {"\x32\x00\x12\x02\x0d\x01", 6, "sample 1: it ends in the middle of a field"},
        {"\x32\x00\x22\x02\x20\x01", 6, "location 1: field 4 is of the wrong kind"},
        {"\x32\x00\x1a\x02\x0a\x00", 6, "mapping 1: field 1 is of the wrong kind"},
        {"\x32\x00\x12\x03\x0a\x01\x80", 7, "sample 1: it ends in the middle of a field"},
        {"\x32\x00\x6a\x01\x80", 5, "its comments: it ends in the middle of a field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {""};
        assert_null(profile_decode(cases[i].bytes, cases[i].size, max_bytes, &err));
        if (!strstr(err.text, cases[i].says) || strncmp(err.text, "the profile ", 12) != 0)
            fail_msg("\"%s\" is not \"...%s\"", err.text, cases[i].says);
    }
}

static void every_beginning_of_a_profile_ends_well(void **state)
{
    (void)state;
    static struct message bytes;
    make(&bytes, &sound);
    for (size_t size = 0; size < bytes.size; size++) {
        unsigned char *copy = malloc(size ? size : 1);
        memcpy(copy, bytes.bytes, size);
        struct error err = {""};
        struct profile *profile = profile_decode(copy, size, max_bytes, &err);
        assert_true(profile || err.text[0]);
        profile_free(profile);
        free(copy);
    }
}

static void a_profile_over_the_limit_is_refused(void **state)
{
    (void)state;
    static struct message bytes;
    make(&bytes, &sound);
    struct error err;
    assert_null(profile_decode(bytes.bytes, bytes.size, bytes.size - 1, &err));
    assert_non_null(strstr(err.text, "more than"));
    struct profile *profile = profile_decode(bytes.bytes, bytes.size, bytes.size, &err);
    assert_non_null(profile);
    struct buf gzip;
    buf_init(&gzip, max_bytes);
    assert_int_equal(profile_encode(profile, &gzip, &err), 0);
    assert_null(profile_decode(gzip.data, gzip.size, 50, &err));
    assert_non_null(strstr(err.text, "inflates to more than the 50 bytes"));
    buf_free(&gzip);
    buf_init(&gzip, 20);
    assert_int_equal(profile_encode(profile, &gzip, &err), -1);
    assert_non_null(strstr(err.text, "more than 20 bytes even compressed"));
    buf_free(&gzip);
    profile_free(profile);
}

/* Real ones, and what profiles of these kinds always have. */
static void real_profiles_survive_a_round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *file, *has;
    } cases[] = {
        {"cpu-1", "type samples/count\ntype cpu/nanoseconds\nevery 10000000 cpu/nanoseconds\n"},
        {"cpu-moved", "function main.decodeGames (main.decodeGames) tournament/main.go:0\n"},
        {"cpu-merged-by-go", "division=A round=first"},
        {"heap-1", "type inuse_objects/count\ntype inuse_space/bytes\n"},
        {"allocs", "default alloc_space"},
        {"goroutine-1", "function main.main.func2 "},
        {"mutex-1", "type contentions/count\ntype delay/nanoseconds\n"},
        {"block", "function main.contend "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[100];
        snprintf(path, sizeof path, "fixtures/profiles/%s.pb.gz", cases[i].file);
        struct buf file, gzip;
        struct error err;
        assert_int_equal(fs_read(path, max_bytes, &file, &err), 0);
        struct profile *profile = profile_decode(file.data, file.size, max_bytes, &err);
        buf_free(&file); /* nothing of it is needed any more */
        assert_non_null(profile);
        char *text = show_profile(profile);
        if (!strstr(text, cases[i].has))
            fail_msg("%s has no \"%s\" but:\n%s", path, cases[i].has, text);
        buf_init(&gzip, max_bytes);
        assert_int_equal(profile_encode(profile, &gzip, &err), 0);
        struct profile *again = profile_decode(gzip.data, gzip.size, max_bytes, &err);
        assert_non_null(again);
        char *again_text = show_profile(again);
        assert_string_equal(text, again_text);
        free(text);
        free(again_text);
        buf_free(&gzip);
        profile_free(profile);
        profile_free(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_checked),
        cmocka_unit_test(a_profile_is_read_with_all_it_has),
        cmocka_unit_test(every_way_to_write_it_is_read),
        cmocka_unit_test(what_is_no_profile_is_refused),
        cmocka_unit_test(every_beginning_of_a_profile_ends_well),
        cmocka_unit_test(a_profile_over_the_limit_is_refused),
        cmocka_unit_test(real_profiles_survive_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
