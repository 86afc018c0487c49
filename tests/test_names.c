#include "review/page/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_a_name_is_one_line_of_a_bounded_length(void **state)
{
    static const struct {
        const char *name;
        size_t max;
        const char *line;
    } cases[] = {
        {"", 20, ""},
        {"main.main", 20, "main.main"},
        {"01234567890123456789", 20, "01234567890123456789"},
        {"0123456789012345678901", 20,
            "012345\xe2\x80\xa6"
            "12345678901"},
        {"a\nb\tc\r\x7f", 20, "a b c  "},
        {"0123456789012345678901", 0,
            "01234\xe2\x80\xa6"
            "45678901"},
        /* No half characters on either side. */
        {"01234\xc3\xa9"
         "789012345678\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
            20, "01234\xe2\x80\xa6\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *line = names_line(cases[i].name, cases[i].max);
        assert_string_equal(line, cases[i].line);
        free(line);
    }
}

static void test_a_label_leaves_the_path_of_the_package_out(void **state)
{
    static const struct {
        const char *name, *label;
    } cases[] = {
        {"main.main", "main.main"},
        {"woogles/pkg/stores/game.(*DBStore).List", "game.(*DBStore).List"},
        {"a/b.Map[c/d.T]", "b.Map[c/d.T]"},
        {"a/b.(*T[c/d.U]).Get", "b.(*T[c/d.U]).Get"},
        {"a/", "a/"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *label = names_label(cases[i].name, 100);
        assert_string_equal(label, cases[i].label);
        free(label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_one_line_of_a_bounded_length),
        cmocka_unit_test(test_a_label_leaves_the_path_of_the_package_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
