#include "core/roff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *printed(void (*print)(const char *text, FILE *out), const char *text)
{
    char *page = NULL;
    size_t size;
    FILE *out = open_memstream(&page, &size);
    print(text, out);
    fclose(out);
    return page;
}

static void nothing_is_taken_for_a_request(void **state)
{
    (void)state;
    static const struct {
        const char *text, *roff;
    } cases[] = {
        {"plain", "plain"},
        {".TP", "\\&.TP"},
        {"'ab", "\\(aqab"},
        {"a.b", "a.b"},
        {"--app-x", "\\-\\-app\\-x"},
        {"C:\\n", "C:\\en"},
        {"`a` ^ ~ \"b\"", "\\(gaa\\(ga \\(ha \\(ti \\(dqb\\(dq"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *page = printed(roff_text, cases[i].text);
        assert_string_equal(page, cases[i].roff);
        free(page);
    }
}

static void what_is_laid_out_becomes_entries_and_paragraphs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *roff;
    } cases[] = {
        {"one\ntwo\n\nthree\n", ".PP\none\ntwo\n.PP\nthree\n"},
        {"  -c FILE  the file,\n           or not\n  --json   so\n",
            ".TP\n\\fB\\-c FILE\\fR\nthe file,\nor not\n.TP\n\\fB\\-\\-json\\fR\nso\n"},
        {"  --long-one\n      below it\nthen text\n",
            ".TP\n\\fB\\-\\-long\\-one\\fR\nbelow it\n.PP\nthen text\n"},
        {"\n\n", ""},
        {"no line end", ".PP\nno line end\n"},
        {"  ", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *page = printed(roff_layout, cases[i].text);
        assert_string_equal(page, cases[i].roff);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_for_a_request),
        cmocka_unit_test(what_is_laid_out_becomes_entries_and_paragraphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
