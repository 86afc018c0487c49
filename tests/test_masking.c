#include "agent/statements/masking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void what_stands_in_quotes_is_masked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"", ""},
        {"SELECT * FROM games WHERE id = $1", "SELECT * FROM games WHERE id = $1"},
        {"ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '?'"},
        {"ALTER ROLE app PASSWORD 'hunter2' LOGIN", "ALTER ROLE app PASSWORD '?' LOGIN"},
        {"SET a = ''", "SET a = ''"},
        {"SET a = 'it''s', 'b'", "SET a = '?', '?'"},
        {"SET a = 'b\\', 'c'", "SET a = '?', '?'"},
        {"SET a = E'b\\'c', 'd'", "SET a = E'?', '?'"},
        {"SET a = e'b\\\\', 'd'", "SET a = e'?', '?'"},
        {"SELECT DATE'b\\', 'c'", "SELECT DATE'?', '?'"},
        {"SELECT U&'b' n'c' x'd'", "SELECT U&'?' n'?' x'?'"},
        {"PASSWORD 'hunt", "PASSWORD '?'"},
        {"PASSWORD 'h", "PASSWORD '?"},
        {"PASSWORD '", "PASSWORD '"},
        {"SET a = E'b\\", "SET a = E'?'"},
        {"DO $$ secret $$ LANGUAGE sql", "DO $$?$$ LANGUAGE sql"},
        {"DO $a_1$ $$ 'secret' $a$ $a_1$;", "DO $$?$$;"},
        {"DO $$ secret", "DO $$?$$"},
        {"DO $$s", "DO $$?"},
        {"DO $$$$", "DO $$?$"},
        {"SELECT $1, $2, 'a', x$y$z FROM a$$b$$", "SELECT $1, $2, '?', x$y$z FROM a$$b$$"},
        {"SELECT 1 $", "SELECT 1 $"},
        {"/* don't */ SELECT 'a' -- isn't\n, 'b'", "/* don't */ SELECT '?' -- isn't\n, '?'"},
        {"SELECT 1 -- isn't\r, 'b'", "SELECT 1 -- isn't\r, '?'"},
        {"SELECT E'a'\n 'b\\'c'", "SELECT E'?'\n '?'"},
        {"SELECT E'a', 'b\\', 'c'", "SELECT E'?', '?', '?'"},
        {"SELECT 'a'\n'b\\', 'c'", "SELECT '?'\n'?', '?'"},
        {"/* a /* isn't */ don't */ SELECT 'a'", "/* a /* isn't */ don't */ SELECT '?'"},
        {"/* don't", "/* don't"},
        {"SELECT \"it's\", \"a\"\"'b\", 'c'", "SELECT \"it's\", \"a\"\"'b\", '?'"},
        {"SELECT \"it's", "SELECT \"it's"},
        {"SELECT \xc3\xa9'a'", "SELECT \xc3\xa9'?'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        strcpy(text, cases[i].text);
        masking_hide_literals(text);
        assert_string_equal(text, cases[i].masked);
    }
}

static void numbers_are_masked_where_nobody_has_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"", ""},
        {"SELECT * FROM t1 WHERE id = 4711 LIMIT 5", "SELECT * FROM t1 WHERE id = ? LIMIT ?"},
        {"WHERE a=-1.5e-10+.5 AND b IN (1,2)", "WHERE a=-?+? AND b IN (?,?)"},
        {"0x1F 1_000 1e+5x 7", "? ? ? ?"},
        {"1", "?"},
        {".5", "?"},
        {".", "."},
        {"a.b . 1.", "a.b . ?"},
        {"SELECT $1, a1, \"2\", '3', $$4$$ -- 5", "SELECT $1, a1, \"2\", '?', $$?$$ -- 5"},
        {"a[1:2] 1e- 1e", "a[?:?] ?- ?"},
        {"\xc3\xa4"
         "1 1\xc3\xa4",
            "\xc3\xa4"
            "1 ?"},
        {"SELECT 1E'it\\'s'", "SELECT ?E'?'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        strcpy(text, cases[i].text);
        masking_hide_constants(text);
        assert_string_equal(text, cases[i].masked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_quotes_is_masked),
        cmocka_unit_test(numbers_are_masked_where_nobody_has_normalised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
