#include "commands/man_page.h"

#include "agent/kinds.h"
#include "commands/command.h"
#include "core/alloc.h"
#include "core/roff.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void print_reference(FILE *out)
{
    config_print_reference(&config_kinds, out);
}

static void print_yaml_page(FILE *out)
{
    config_print_man(&config_kinds, out);
}

static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    print(out);
    fclose(out);
    return text;
}

/* Whether the page has the word, as roff. */
static bool has(const char *page, const char *word, size_t length)
{
    char *roff = NULL, *copy = xstrndup(word, length);
    size_t size;
    FILE *out = open_memstream(&roff, &size);
    roff_text(copy, out);
    fclose(out);
    bool found = strstr(page, roff) != NULL;
    if (!found)
        print_error("the page lacks %s\n", copy);
    free(copy);
    free(roff);
    return found;
}

static void every_command_and_option_is_in_the_page(void **state)
{
    (void)state;
    char *page = printed(man_page_print);
    for (size_t i = 0; command_table[i]; i++) {
        const struct command *command = command_table[i];
        assert_true(has(page, command->name, strlen(command->name)));
        assert_true(has(page, command->summary, strlen(command->summary)));
        size_t options = 0;
        for (const char *at = strstr(command->help, "--"); at; at = strstr(at + 2, "--")) {
            size_t length = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
            assert_true(has(page, at, length));
            options++;
        }
        assert_true(options > 0 || !strstr(command->usage, "--"));
    }
    free(page);
}

/* The reference's lines that are not indented are keys; those of metrics are indented by two. */
static void every_key_and_metric_is_in_the_page(void **state)
{
    (void)state;
    char *page = printed(print_yaml_page), *reference = printed(print_reference);
    size_t words = 0;
    for (char *line = reference; *line;) {
        size_t indent = strspn(line, " ");
        size_t length = strcspn(line + indent, " \n");
        if (indent <= 2 && length) {
            assert_true(has(page, line + indent, length));
            words++;
        }
        line += strcspn(line, "\n") + 1;
    }
    assert_in_range(words, 150, 1000);
    free(reference);
    free(page);
}

/* Else roff would need to be told of it: nothing else is in a table so far. */
static void the_pages_are_ascii(void **state)
{
    (void)state;
    void (*const pages[])(FILE * out) = {man_page_print, print_yaml_page};
    for (size_t i = 0; i < 2; i++) {
        char *page = printed(pages[i]);
        for (const char *at = page; *at; at++)
            assert_true(*at == '\n' || isprint((unsigned char)*at));
        assert_int_equal(strncmp(page, ".TH STAKEOUT", 12), 0);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_and_option_is_in_the_page),
        cmocka_unit_test(every_key_and_metric_is_in_the_page),
        cmocka_unit_test(the_pages_are_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
