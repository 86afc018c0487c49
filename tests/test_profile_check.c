#include "agent/capture/profile_settle.h"
#include "core/error.h"
#include "core/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* A profile with a sample type, a sample, a string and a duration of 5 s; outermost fields only. */
static const unsigned char small_profile[] = {
    0x0a, 0x04, 0x08, 0x01, 0x10, 0x02,    /* sample_type */
    0x12, 0x03, 0x12, 0x01, 0x07,          /* sample */
    0x32, 0x00, 0x32, 0x03, 'c', 'p', 'u', /* string_table */
    0x50, 0x80, 0xe4, 0x97, 0xd0, 0x12,    /* duration_nanos 5,000,000,000 */
};

static size_t compress_gzip(const void *data, size_t size, unsigned char *out, size_t room)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)(uintptr_t)data;
    stream.avail_in = (unsigned)size;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t used = room - stream.avail_out;
    deflateEnd(&stream);
    return used;
}

/* Feeds in steps of `step` bytes, so that every boundary falls everywhere once. */
static void judge(
    const void *data, size_t size, size_t step, enum profile_form form, struct profile_facts *facts)
{
    struct profile_check *check = profile_check_open(form);
    for (size_t at = 0; at < size; at += step)
        profile_check_feed(check, (const char *)data + at, size - at < step ? size - at : step);
    profile_check_close(check, facts);
}

static void a_whole_profile_is_whole_however_it_is_cut_into_blocks(void **state)
{
    (void)state;
    unsigned char gzip[256];
    size_t size = compress_gzip(small_profile, sizeof small_profile, gzip, sizeof gzip);
    for (size_t step = 1; step <= size; step++) {
        struct profile_facts facts;
        judge(gzip, size, step, PROFILE_FORM_PPROF, &facts);
        assert_int_equal(facts.soundness, PROFILE_WHOLE);
        assert_int_equal(facts.duration_ns, 5000000000);
        assert_int_equal(facts.bytes, size);
    }
}

static void every_beginning_of_a_profile_is_cut(void **state)
{
    (void)state;
    unsigned char gzip[256];
    size_t size = compress_gzip(small_profile, sizeof small_profile, gzip, sizeof gzip);
    for (size_t length = 2; length < size; length++) {
        struct profile_facts facts;
        judge(gzip, length, length, PROFILE_FORM_PPROF, &facts);
        assert_int_equal(facts.soundness, PROFILE_CUT);
    }
}

static void what_is_no_profile_is_named(void **state)
{
    (void)state;
    unsigned char text[256], other[256], behind[300], damaged[256];
    size_t text_size = compress_gzip("hello, hello", 12, text, sizeof text);
    static const unsigned char no_strings[] = {0x0a, 0x00};
    size_t other_size = compress_gzip(no_strings, sizeof no_strings, other, sizeof other);
    size_t size = compress_gzip(small_profile, sizeof small_profile, behind, 256);
    memcpy(damaged, behind, size);
    damaged[size / 2] ^= 0x55;
    memcpy(behind + size, "tail", 4);
    const struct {
        const void *data;
        size_t size;
        const char *says;
    } cases[] = {
        {"", 0, "the answer is empty"},
        {"<html>login</html>", 18, "it is a web page, not a profile"},
        {"heap profile: 1: 2 [3: 4] @ heap/1048576", 40,
            "it is text, not a gzip-compressed pprof profile (an entry with `path` keeps text)"},
        {"\1\2\3\4\5\6\7", 7, "it is not a gzip-compressed pprof profile"},
        {text, text_size, "it is gzip, but not a pprof profile inside"},
        {other, other_size, "not a pprof profile"},
        {behind, size + 4, "behind the end"},
        {damaged, size, "the gzip data is damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile_facts facts;
        judge(cases[i].data, cases[i].size, 7, PROFILE_FORM_PPROF, &facts);
        assert_int_equal(facts.soundness, PROFILE_FOREIGN);
        assert_non_null(strstr(facts.why, cases[i].says));
        assert_true(facts.why[0]);
    }
}

static void a_gzip_bomb_is_given_up_in_constant_memory(void **state)
{
    (void)state;
    /* One string of 2 GiB of zeroes: a tag, its length, and nothing but zeroes after it. */
    unsigned char head[] = {0x32, 0x80, 0x80, 0x80, 0x80, 0x08};
    unsigned char *zeroes = calloc(1, 1 << 20);
    size_t room = 8 << 20;
    unsigned char *out = malloc(room);
    z_stream stream = {.next_out = out, .avail_out = (unsigned)room};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = head;
    stream.avail_in = sizeof head;
    assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
    for (int i = 0; i < 1100; i++) {
        stream.next_in = zeroes;
        stream.avail_in = 1 << 20;
        assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
    }
    deflate(&stream, Z_FINISH);
    size_t size = room - stream.avail_out;
    deflateEnd(&stream);
    struct profile_facts facts;
    judge(out, size, 65536, PROFILE_FORM_PPROF, &facts);
    assert_int_equal(facts.soundness, PROFILE_FOREIGN);
    assert_non_null(strstr(facts.why, "1 GiB"));
    free(out);
    free(zeroes);
}

static void a_trace_is_known_by_its_first_line(void **state)
{
    (void)state;
    struct profile_facts facts;
    judge("go 1.19 trace\0\0\0....", 20, 20, PROFILE_FORM_TRACE, &facts);
    assert_int_equal(facts.soundness, PROFILE_WHOLE);
    judge("Unknown profile\n....", 20, 20, PROFILE_FORM_TRACE, &facts);
    assert_int_equal(facts.soundness, PROFILE_FOREIGN);
    judge("go 1.19", 7, 7, PROFILE_FORM_TRACE, &facts);
    assert_int_equal(facts.soundness, PROFILE_FOREIGN);
}

static void what_a_path_answers_is_known_by_its_form(void **state)
{
    (void)state;
    unsigned char profile[256], text[256], page[256];
    size_t profile_size = compress_gzip(small_profile, sizeof small_profile, profile, 256);
    size_t text_size = compress_gzip("hello, hello", 12, text, sizeof text);
    size_t page_size = compress_gzip("\n<html>", 7, page, sizeof page);
    const struct {
        const void *data;
        size_t size;
        enum profile_soundness soundness;
        enum profile_form form;
        const char *says;
    } cases[] = {
        {"", 0, PROFILE_FOREIGN, 0, "empty"},
        {"<!DOCTYPE html>", 15, PROFILE_FOREIGN, 0, "web page"},
        {"\xef\xbb\xbf\r\n <html>", 12, PROFILE_FOREIGN, 0, "web page"},
        {page, page_size, PROFILE_FOREIGN, 0, "web page"},
        {"heap_v2/524288\n  t*: 1: 2", 25, PROFILE_WHOLE, PROFILE_FORM_TEXT, ""},
        {"\nthis begins like protobuf", 26, PROFILE_WHOLE, PROFILE_FORM_TEXT, ""},
        {"{\"nodes\":[]}", 12, PROFILE_WHOLE, PROFILE_FORM_TEXT, ""},
        {"go 1.19 trace\0\0\0....", 20, PROFILE_WHOLE, PROFILE_FORM_TRACE, ""},
        {profile, profile_size, PROFILE_WHOLE, PROFILE_FORM_PPROF, ""},
        {profile, profile_size - 9, PROFILE_CUT, PROFILE_FORM_PPROF, "in the middle"},
        {small_profile, sizeof small_profile, PROFILE_WHOLE, PROFILE_FORM_PPROF, ""},
        {small_profile, sizeof small_profile - 1, PROFILE_CUT, PROFILE_FORM_PPROF, "in the middle"},
        {small_profile, 11, PROFILE_CUT, PROFILE_FORM_PPROF, "in the middle"},
        {text, text_size, PROFILE_WHOLE, PROFILE_FORM_GZIP, ""},
        {"FLR\0\1\2", 6, PROFILE_WHOLE, PROFILE_FORM_OTHER, ""},
        {"\x1f\x00", 2, PROFILE_WHOLE, PROFILE_FORM_OTHER, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step <= 7; step += 6) {
            struct profile_facts facts;
            judge(cases[i].data, cases[i].size, step, PROFILE_FORM_ANY, &facts);
            if (facts.soundness != cases[i].soundness || !strstr(facts.why, cases[i].says) ||
                (facts.soundness != PROFILE_FOREIGN && facts.form != cases[i].form))
                fail_msg("case %zu: %d, form %d: %s", i, facts.soundness, facts.form, facts.why);
        }
}

static void names_of_files_tell_the_form(void **state)
{
    (void)state;
    static const struct {
        const char *file, *name;
        enum profile_form form;
    } cases[] = {
        {"heap-end.pb.gz", "heap-end", PROFILE_FORM_PPROF},
        {"trace.trace", "trace", PROFILE_FORM_TRACE},
        {"a.b.txt", "a.b", PROFILE_FORM_TEXT},
        {"x.gz", "x", PROFILE_FORM_GZIP},
        {"x.bin", "x", PROFILE_FORM_OTHER},
        {"x.part", "x", PROFILE_FORM_ANY},
        {"metrics.csv", NULL, 0},
        {"incident.json", NULL, 0},
        {".txt", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum profile_form form = 0;
        char *name = profile_file_split(cases[i].file, &form);
        assert_int_equal(form, cases[i].form);
        assert_string_equal(name ? name : "none", cases[i].name ? cases[i].name : "none");
        char *file = name ? profile_file_name(name, form) : NULL;
        assert_string_equal(file ? file : cases[i].file, cases[i].file);
        free(file);
        free(name);
    }
}

static void write_bytes(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void a_plain_profile_gets_its_gzip(void **state)
{
    (void)state;
    char path[] = "/tmp/stakeout-settle-XXXXXX";
    int fd = mkstemp(path);
    struct profile_facts facts, again;
    struct error err;
    assert_true(fd >= 0);
    close(fd);
    for (size_t size = sizeof small_profile - 1; size <= sizeof small_profile; size++) {
        bool whole = size == sizeof small_profile;
        write_bytes(path, small_profile, size);
        assert_int_equal(profile_settle_file(path, PROFILE_FORM_PPROF, &facts, &err), 0);
        assert_int_equal(facts.soundness, whole ? PROFILE_WHOLE : PROFILE_CUT);
        assert_int_equal(facts.form, PROFILE_FORM_PPROF);
        assert_int_equal(facts.duration_ns, whole ? 5000000000 : 0);
        assert_int_equal(profile_check_file(path, PROFILE_FORM_ANY, &again, &err), 0);
        assert_int_equal(again.form, whole ? PROFILE_FORM_PPROF : PROFILE_FORM_GZIP);
        assert_int_equal(again.bytes, facts.bytes);
        assert_string_equal(again.sha256, facts.sha256);
    }
    write_bytes(path, "text", 4);
    assert_int_equal(profile_settle_file(path, PROFILE_FORM_ANY, &facts, &err), 0);
    assert_int_equal(facts.bytes, 4);
    unlink(path);
    assert_int_equal(profile_settle_file(path, PROFILE_FORM_ANY, &facts, &err), -1);
}

static void a_file_has_its_hash(void **state)
{
    (void)state;
    char path[] = "/tmp/stakeout-profile-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "abc", 3), 3);
    close(fd);
    struct profile_facts facts;
    struct error err;
    assert_int_equal(profile_check_file(path, PROFILE_FORM_PPROF, &facts, &err), 0);
    /* FIPS 180-2, appendix B.1 */
    assert_string_equal(
        facts.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(facts.bytes, 3);
    unlink(path);
    assert_int_equal(profile_check_file(path, PROFILE_FORM_PPROF, &facts, &err), -1);
    assert_non_null(strstr(err.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_profile_is_whole_however_it_is_cut_into_blocks),
        cmocka_unit_test(every_beginning_of_a_profile_is_cut),
        cmocka_unit_test(what_is_no_profile_is_named),
        cmocka_unit_test(a_gzip_bomb_is_given_up_in_constant_memory),
        cmocka_unit_test(a_trace_is_known_by_its_first_line),
        cmocka_unit_test(what_a_path_answers_is_known_by_its_form),
        cmocka_unit_test(names_of_files_tell_the_form),
        cmocka_unit_test(a_plain_profile_gets_its_gzip),
        cmocka_unit_test(a_file_has_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
