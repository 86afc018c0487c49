#include "commands/terminal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_cannot_steer_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *safe;
    } cases[] = {
        {"", ""},
        {"cpu 93.1% above 80%", "cpu 93.1% above 80%"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5"},
        {"\x1b[2J\x1b]0;x\a", "\\x1b[2J\\x1b]0;x\\x07"},
        {"a\nb\r\tc\x7f", "a\\nb\\x0d\\x09c\\x7f"},
        {"\xc2\x9b"
         "31m",
            "\\x9b31m"},
        {"\xe2\x80\xae"
         "txt",
            "\\u202etxt"},
        {"\xe2\x80\xa8\xe2\x81\xa6", "\\u2028\\u2066"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc0\x9b", "\\xc0\\x9b"},                   /* overlong ESC-like forms */
        {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},          /* are not UTF-8 */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* nor are surrogates */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* nor what is beyond U+10FFFF */
        {"\xe2\x82", "\\xe2\\x82"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *safe = terminal_safe(cases[i].text);
        assert_string_equal(safe, cases[i].safe);
        free(safe);
    }
}

static void json_means_the_same_without_raw_controls(void **state)
{
    (void)state;
    static const char json[] = "{\"a\": \"\xc2\x9b"
                               "2J\x7f \xc3\xa9 \\u001b\"}\n";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    terminal_print_json(out, json, sizeof json - 1);
    fclose(out);
    assert_string_equal(text, "{\"a\": \"\\u009b2J\\u007f \xc3\xa9 \\u001b\"}\n");
    free(text);
}

static void length_counts_characters(void **state)
{
    (void)state;
    assert_int_equal(terminal_length(""), 0);
    assert_int_equal(terminal_length("caf\xc3\xa9"), 4);
    assert_int_equal(terminal_length("\xf0\x9f\x94\xa5!"), 2);
}

static void a_file_is_no_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(terminal_colour(file));
    assert_int_equal(terminal_columns(file), 0);
    fclose(file);
}

static void a_sparkline_has_the_highest_of_each_part(void **state)
{
    (void)state;
    static const struct {
        double values[6];
        size_t count, width;
        const char *line;
    } cases[] = {
        {{0, 100}, 2, 12, "\u2581\u2588"},
        {{50, 100, 0}, 3, 3, "\u2585\u2588\u2581"},
        {{0, 100, 0, 0, 0, 0}, 6, 3, "\u2588\u2581\u2581"},
        {{100, NAN, 100}, 3, 3, "\u2588 \u2588"},
        {{-1, 0, 1}, 3, 3, "\u2581\u2585\u2588"},
        {{0, 0}, 2, 2, "\u2581\u2581"},
        {{NAN, NAN}, 2, 2, ""},
        {{0}, 0, 2, ""},
        {{INFINITY, 1}, 2, 2, " \u2588"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *line = terminal_sparkline(cases[i].values, cases[i].count, cases[i].width);
        assert_string_equal(line, cases[i].line);
        free(line);
    }
}

static void the_locale_says_what_can_be_shown(void **state)
{
    (void)state;
    static const struct {
        const char *all, *ctype, *lang;
        bool unicode;
    } cases[] = {
        {"", "", "en_GB.UTF-8", true},
        {"", "", "C.utf8", true},
        {"C", "", "en_GB.UTF-8", false},
        {"", "de_DE.ISO-8859-1", "en_GB.UTF-8", false},
        {"", "", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("LC_ALL", cases[i].all, 1);
        setenv("LC_CTYPE", cases[i].ctype, 1);
        setenv("LANG", cases[i].lang, 1);
        assert_int_equal(terminal_unicode(), cases[i].unicode);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_steer_a_terminal),
        cmocka_unit_test(json_means_the_same_without_raw_controls),
        cmocka_unit_test(length_counts_characters),
        cmocka_unit_test(a_file_is_no_terminal),
        cmocka_unit_test(a_sparkline_has_the_highest_of_each_part),
        cmocka_unit_test(the_locale_says_what_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
