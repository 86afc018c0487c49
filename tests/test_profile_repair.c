/* A profile that is cut at every byte: what is whole of it is read by others. */
#include "review/profile/profile_repair.h"

#include "core/buf.h"
#include "core/error.h"
#include "review/profile/gzip.h"
#include "review/profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t most = 1 << 20;

/* As Go writes them: types, then locations and functions before the samples of them, the strings
 * last. Three samples of one sample type. */
static const unsigned char whole[] = {0x0a, 4, 8, 1, 16, 2, /* sample_type: "cpu" "nanoseconds" */
    0x22, 6, 8, 1, 0x22, 2, 8, 1,                           /* location 1: a line of function 1 */
    0x2a, 4, 8, 1, 16, 3,                                   /* function 1 is "main" */
    0x12, 6, 0x0a, 1, 1, 0x12, 1, 10,                       /* a sample of 10 at 1 */
    0x22, 6, 8, 2, 0x22, 2, 8, 2,                           /* location 2: a line of function 2 */
    0x2a, 4, 8, 2, 16, 4,                                   /* function 2 is "work" */
    0x12, 7, 0x0a, 2, 2, 1, 0x12, 1, 20,                    /* a sample of 20 at 2, called by 1 */
    0x12, 6, 0x0a, 1, 9, 0x12, 1, 30,                       /* a sample of 30 at 9, which follows */
    0x22, 6, 8, 9, 0x22, 2, 8, 2,                           /* location 9 */
    0x32, 0, 0x32, 3, 'c', 'p', 'u',                        /* the strings */
    0x32, 11, 'n', 'a', 'n', 'o', 's', 'e', 'c', 'o', 'n', 'd', 's', /**/
    0x32, 4, 'm', 'a', 'i', 'n', 0x32, 4, 'w', 'o', 'r', 'k'};

/* Ends of fields in it. */
enum { FIRST_SAMPLE = 6 + 8 + 6 + 8, SECOND = FIRST_SAMPLE + 8 + 6 + 9, THIRD = SECOND + 8 };
enum { LOCATION_9 = THIRD + 8, CPU = LOCATION_9 + 2 + 5, MAIN = CPU + 13 + 6 };

static void each_beginning_has_what_is_whole(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        struct profile_repair has;
        const char *names[5]; /* of the strings 1 to 4; NULL ends them */
    } cases[] = {
        {FIRST_SAMPLE, {1, 0, 3}, {"lost 1", "lost 2", "lost 3", NULL}},
        {FIRST_SAMPLE + 3, {1, 0, 3}, {"lost 1", "lost 2", "lost 3", NULL}},
        {SECOND, {2, 0, 4}, {"lost 1", "lost 2", "lost 3", "lost 4", NULL}},
        {THIRD, {2, 1, 4}, {"lost 1", "lost 2", "lost 3", "lost 4", NULL}},
        {LOCATION_9, {3, 0, 4}, {"lost 1", "lost 2", "lost 3", "lost 4", NULL}},
        {CPU, {3, 0, 3}, {"cpu", "lost 2", "lost 3", "lost 4", NULL}},
        {MAIN, {3, 0, 1}, {"cpu", "nanoseconds", "main", "lost 4", NULL}},
        {MAIN + 3, {3, 0, 1}, {"cpu", "nanoseconds", "main", "lost 4", NULL}},
        {sizeof whole, {3, 0, 0}, {"cpu", "nanoseconds", "main", "work", NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile_repair has;
        struct buf out;
        struct error err;
        buf_init(&out, most);
        if (profile_repair(whole, cases[i].size, most, &out, &has, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
        assert_memory_equal(&has, &cases[i].has, sizeof has);
        struct profile *profile = profile_decode(out.data, out.size, most, &err);
        assert_non_null(profile);
        assert_int_equal(profile->sample_count, has.samples);
        for (size_t j = 0; cases[i].names[j]; j++)
            assert_string_equal(profile->strings[j + 1].text, cases[i].names[j]);
        profile_free(profile);
        buf_free(&out);
    }
}

/* Of each beginning of the file and of the gzip file there is a profile, or a sentence. */
static void no_beginning_is_trusted(void **state)
{
    (void)state;
    struct buf gzip;
    struct gzip_writer writer;
    buf_init(&gzip, most);
    gzip_writer_init(&writer, &gzip);
    gzip_writer_put(&writer, whole, sizeof whole);
    assert_int_equal(gzip_writer_finish(&writer), 0);
    size_t readable = 0;
    for (int zipped = 0; zipped < 2; zipped++) {
        size_t size = zipped ? gzip.size : sizeof whole;
        for (size_t length = 0; length <= size; length++) {
            unsigned char *copy = malloc(length + 1);
            memcpy(copy, zipped ? (const void *)gzip.data : whole, length);
            struct profile_repair has;
            struct error err = {""};
            struct buf out;
            buf_init(&out, most);
            bool repaired = profile_repair(copy, length, most, &out, &has, &err) == 0;
            assert_int_equal(repaired, err.text[0] == '\0');
            if (!zipped && repaired != (length >= FIRST_SAMPLE))
                fail_msg("%zu bytes: %s", length, err.text);
            readable += repaired;
            buf_free(&out);
            free(copy);
        }
    }
    assert_true(readable > sizeof whole - FIRST_SAMPLE); /* of the gzip files, too */
    buf_free(&gzip);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *says;
    } cases[] = {
        {"", "ends before its first sample"}, {"<html>", "the profile"},
        {"\x12\x04\x0a\x02\xff\xff", "the profile"},
        {"\x0a\x06\x08\xff\xff\xff\xff\x0f", "more names than it can have"},
        {"\x0a\x02\x08\xff", "damaged"},
        {"\x2d\x01\x01\x01\x01", "first sample"}, /* a function of four bytes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile_repair has;
        struct error err = {""};
        struct buf out;
        buf_init(&out, most);
        assert_int_equal(
            profile_repair(cases[i].bytes, strlen(cases[i].bytes), most, &out, &has, &err), -1);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%zu: %s", i, err.text);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_beginning_has_what_is_whole),
        cmocka_unit_test(no_beginning_is_trusted),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
