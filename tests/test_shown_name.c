#include "review/top/shown_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct shown_name text(const char *text)
{
    return (struct shown_name){text, strlen(text)};
}

static void assert_name(struct shown_name name, const char *expected)
{
    assert_int_equal(name.size, strlen(expected));
    assert_memory_equal(name.text, expected, name.size);
}

static const struct {
    const char *name, *system_name, *expected;
} name_cases[] = {
    {"main.work", "main.work", "main.work"},
    {"main.work", "", "main.work"},
    {"", "main.work", "main.work"},
    {"f<int>(int)", "_Z1fIiEvi", "f<int>(int)"},
    {"std::vector<int>::at(int)", "std::vector<int>::at(int)", "std::vector::at"},
    {"", "a::b<c<d>, e>(f(g))", "a::b"},
    {"main.Map[...]", "main.Map[...]", "main.Map[...]"},
    {"main.(*List[...]).Add", "main.(*List[...]).Add", "main.(*List[...]).Add"},
    {"java.util.List.<init>(int)", "java.util.List.<init>(int)", "java.util.List.<init>(int)"},
    {"f(int)", "f(int)", "f(int)"},
    {"a::b)(c)", "a::b)(c)", "a::b)(c)"},
    {"a::b(c))<d>", "a::b(c))<d>", "a::b)"},
    {"a::b(c", "a::b(c", "a::b(c"},
};

static void names_lose_what_pprof_takes_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof name_cases / sizeof *name_cases; i++) {
        struct shown_texts texts = {.blocks = NULL};
        assert_name(shown_name(text(name_cases[i].name), text(name_cases[i].system_name), &texts),
            name_cases[i].expected);
        shown_texts_free(&texts);
    }
}

static void plain_names_have_no_parameters(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"f(int)", "f"}, {".f(int)", "f"}, {"f", "f"},
        {"(anonymous namespace)::f(int)", "(anonymous namespace)::f"},
        {"A::operator()(int)", "A::operator()"}, {"(", ""}, {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_name(shown_name_plain(text(cases[i][0])), cases[i][1]);
}

static void names_have_an_order(void **state)
{
    (void)state;
    assert_true(shown_name_compare(text("a"), text("b")) < 0);
    assert_true(shown_name_compare(text("ab"), text("a")) > 0);
    assert_int_equal(shown_name_compare(text(""), text("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lose_what_pprof_takes_away),
        cmocka_unit_test(plain_names_have_no_parameters),
        cmocka_unit_test(names_have_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
