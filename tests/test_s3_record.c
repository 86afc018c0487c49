#include "core/s3/s3_record.h"

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD "stakeout upload 1\nkey a b/c\nsize 9000000\nchecked 1\nid 2~x-y_z.1\n"

enum { SIZE = 9000000 };

static bool reads(struct s3_record *record, const char *text)
{
    return s3_record_read(record, text, strlen(text));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct s3_record record;
    struct buf text;
    s3_record_init(&record, "a b/c", SIZE);
    assert_int_equal(record.count, 2);
    record.id = strdup("2~x-y_z.1");
    record.checked = true;
    strcpy(record.parts[1].sha256, HASH);
    strcpy(record.parts[1].etag, "\"abc\"");
    buf_init(&text, 10000);
    s3_record_print_head(&record, &text);
    s3_record_print_part(&record, 1, &text);
    assert_string_equal(text.data, HEAD "part 2 " HASH " \"abc\"\n");
    s3_record_free(&record);

    s3_record_init(&record, "a b/c", SIZE);
    assert_true(s3_record_read(&record, text.data, text.size));
    assert_string_equal(record.id, "2~x-y_z.1");
    assert_true(record.checked);
    assert_string_equal(record.parts[0].sha256, "");
    assert_string_equal(record.parts[1].sha256, HASH);
    assert_string_equal(record.parts[1].etag, "\"abc\"");
    s3_record_free(&record);
    buf_free(&text);
}

static void of_anything_else_nothing_is_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "stakeout upload 1\n",
        "stakeout upload 2\nkey a b/c\nsize 9000000\nchecked 1\nid x\n",
        "stakeout upload 1\nkey other\nsize 9000000\nchecked 1\nid x\n",
        "stakeout upload 1\nkey a b/c\nsize 9000001\nchecked 1\nid x\n",
        "stakeout upload 1\nkey a b/c\nsize -1\nchecked 1\nid x\n",
        "stakeout upload 1\nkey a b/c\nsize 99999999999999999999\nchecked 1\nid x\n",
        "stakeout upload 1\nkey a b/c\nsize 9000000\nchecked\nid x\n",
        "stakeout upload 1\nkey a b/c\nsize 9000000\nchecked 1\nid \n",
        "stakeout upload 1\nkey a b/c\nsize 9000000\nchecked 1\nid a b\n",
        "stakeout upload 1\nkey a b/c\nsize 9000000\nchecked 1\nid torn",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct s3_record record;
        s3_record_init(&record, "a b/c", SIZE);
        if (reads(&record, texts[i]))
            fail_msg("text %zu was taken", i);
        assert_null(record.id);
        assert_int_equal(record.count, 2);
        s3_record_free(&record);
    }
}

static void lines_that_do_not_fit_are_passed_over(void **state)
{
    (void)state;
    static const char *const lines[] = {"part 0 " HASH " e\n", "part 3 " HASH " e\n",
        "part 1 " HASH "\n", "part 1 abc e\n", "part 1 " HASH " e f\n", "part x\n", "other\n", "\n",
        "part 1 " HASH " e" /* torn */};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct s3_record record;
        char text[500];
        s3_record_init(&record, "a b/c", SIZE);
        snprintf(text, sizeof text, HEAD "%s", lines[i]);
        assert_true(reads(&record, text));
        if (*record.parts[0].sha256 || *record.parts[1].sha256)
            fail_msg("line %zu was taken", i);
        s3_record_free(&record);
    }
}

static void without_a_key_it_says_which(void **state)
{
    (void)state;
    struct s3_record record = {0};
    assert_true(reads(&record, HEAD));
    assert_string_equal(record.key, "a b/c");
    assert_int_equal(record.size, SIZE);
    assert_int_equal(record.count, 2);
    s3_record_free(&record);
}

static void words_are_bounded_and_printable(void **state)
{
    (void)state;
    char longest[4000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_true(s3_record_takes("\"abc-4\""));
    assert_false(s3_record_takes(""));
    assert_false(s3_record_takes("a b"));
    assert_false(s3_record_takes("a\n"));
    assert_false(s3_record_takes("\xc3\xa4"));
    assert_false(s3_record_takes(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(of_anything_else_nothing_is_taken),
        cmocka_unit_test(lines_that_do_not_fit_are_passed_over),
        cmocka_unit_test(without_a_key_it_says_which),
        cmocka_unit_test(words_are_bounded_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
