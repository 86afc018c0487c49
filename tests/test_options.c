#include "commands/options.h"

#include "commands/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WORDS = 8 };

static void command_lines_are_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words[MAX_WORDS];
        int status;
        const char *file, *argument;
        bool loud;
    } cases[] = {
        {.words = {"try"}},
        {.words = {"try", "-c", "a"}, .file = "a"},
        {.words = {"try", "-ca"}, .file = "a"},
        {.words = {"try", "--config", "a"}, .file = "a"},
        {.words = {"try", "--config=a", "--loud"}, .file = "a", .loud = true},
        {.words = {"try", "-c", "a", "-c", "b"}, .file = "b"},
        {.words = {"try", "there"}, .argument = "there"},
        {.words = {"try", "there", "--loud"}, .argument = "there", .loud = true},
        {.words = {"try", "--", "--loud"}, .argument = "--loud"},
        {.words = {"try", "-"}, .argument = "-"},
        {.words = {"try", "-c"}, .status = EXIT_USAGE},
        {.words = {"try", "--config"}, .status = EXIT_USAGE},
        {.words = {"try", "--loud=1"}, .status = EXIT_USAGE},
        {.words = {"try", "-l"}, .status = EXIT_USAGE},
        {.words = {"try", "--quiet"}, .status = EXIT_USAGE},
        {.words = {"try", "one", "two"}, .status = EXIT_USAGE},
    };
    static const struct command command = {.name = "try"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *file = NULL;
        bool loud = false;
        char words[MAX_WORDS][16], *argv[MAX_WORDS + 1] = {NULL}, *argument = NULL;
        int argc = 0;
        for (; cases[i].words[argc]; argc++)
            argv[argc] = strcpy(words[argc], cases[i].words[argc]);
        const struct command_option options[] = {{.name = "config", .letter = 'c', .text = &file},
            {.name = "loud", .flag = &loud}, {.name = NULL}};
        int status = options_read(&command, argc, argv, options, &argument);
        assert_int_equal(status, cases[i].status);
        if (status != EXIT_DONE)
            continue;
        assert_string_equal(file ? file : "", cases[i].file ? cases[i].file : "");
        assert_string_equal(argument ? argument : "", cases[i].argument ? cases[i].argument : "");
        assert_true(loud == cases[i].loud);
    }
}

static void a_command_without_arguments_takes_none(void **state)
{
    (void)state;
    static const struct command command = {.name = "try"};
    static const struct command_option options[] = {{.name = NULL}};
    char name[] = "try", word[] = "there", *argv[] = {name, word, NULL};
    assert_int_equal(options_read(&command, 1, argv, options, NULL), EXIT_DONE);
    assert_int_equal(options_read(&command, 2, argv, options, NULL), EXIT_USAGE);
}

static void any_number_of_arguments_is_listed(void **state)
{
    (void)state;
    static const struct command command = {.name = "try"};
    char words[][8] = {"try", "one", "-c", "a", "two", "--", "--three"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL};
    const char *file = NULL;
    const struct command_option options[] = {
        {.name = "config", .letter = 'c', .text = &file}, {.name = NULL}};
    char **arguments;
    int count;
    assert_int_equal(options_read_list(&command, 7, argv, options, &arguments, &count), EXIT_DONE);
    assert_string_equal(file, "a");
    assert_int_equal(count, 3);
    assert_string_equal(arguments[0], "one");
    assert_string_equal(arguments[2], "--three");
    assert_int_equal(options_read_list(&command, 1, argv, options, &arguments, &count), EXIT_DONE);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines_are_taken_or_refused),
        cmocka_unit_test(a_command_without_arguments_takes_none),
        cmocka_unit_test(any_number_of_arguments_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
