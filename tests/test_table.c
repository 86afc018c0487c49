#include "commands/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const titles[] = {"ID", "NAME", "WHY"};

static void expect(struct table *table, const struct table_style *style, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    table_flush(table, out, style);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void add(struct table *table, const char *first, const char *second, const char *third)
{
    table_add(table, (const char *const[]){first, second, third});
}

static void columns_are_as_wide_as_the_first_batch_needs(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 3, titles);
    add(&table, "1", "caf\xc3\xa9", "because");
    add(&table, "20", "x", NULL);
    expect(&table, &(struct table_style){0},
        "ID  NAME  WHY\n"
        "1   caf\xc3\xa9  because\n"
        "20  x\n");
    add(&table, "3", "a longer name", "why not");
    expect(&table, &(struct table_style){.indent = 2}, "  3   a longer name  why not\n");
    expect(&table, &(struct table_style){0}, "");
    table_free(&table);
}

static void the_last_cell_is_cut_to_the_terminal(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 3, NULL);
    add(&table, "1", "n", "caf\xc3\xa9 society");
    expect(&table, &(struct table_style){.columns = 11}, "1  n  caf\xc3\xa9\u2026\n");
    add(&table, "1", "n", "exact");
    expect(&table, &(struct table_style){.columns = 11}, "1  n  exact\n");
    add(&table, "1", "n", "no room");
    expect(&table, &(struct table_style){.columns = 6}, "1  n\n");
    add(&table, "1", "", "no room");
    table.hidden = 1U << 2;
    expect(&table, &(struct table_style){.columns = 80}, "1\n");
    table_free(&table);
}

static void cells_cannot_break_out(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 3, NULL);
    add(&table, "a\nb", "\x1b[1m", "");
    expect(&table, &(struct table_style){0}, "a\\nb  \\x1b[1m\n");
    table_free(&table);
}

static void numbers_stand_right_and_colours_only_where_allowed(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 3, titles);
    table.right = 1U << 1;
    add(&table, "1", "5%", "x");
    table_colour(&table, 1, TABLE_RED);
    add(&table, "2", "", "y");
    table_colour(&table, 1, TABLE_RED); /* of nothing */
    expect(&table, &(struct table_style){0},
        "ID  NAME  WHY\n"
        "1     5%  x\n"
        "2         y\n");
    add(&table, "1", "5%", "x");
    table_colour(&table, 1, TABLE_RED);
    table_colour(&table, 2, TABLE_BOLD);
    expect(&table, &(struct table_style){.colour = true},
        "1     \x1b[31m5%\x1b[0m  \x1b[1mx\x1b[0m\n");
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_the_first_batch_needs),
        cmocka_unit_test(the_last_cell_is_cut_to_the_terminal),
        cmocka_unit_test(cells_cannot_break_out),
        cmocka_unit_test(numbers_stand_right_and_colours_only_where_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
