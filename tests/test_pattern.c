#include "review/top/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What Go's regexp says of the same. */
static const struct match_case {
    const char *pattern, *text;
    bool matches;
} match_cases[] = {
    {"", "", true},
    {"b", "abc", true},
    {"^b", "abc", false},
    {"^(a)|(b)$", "xb", true},
    {"^(main\\..*|runtime\\.mcall)$", "main.work", true},
    {"^(main\\..*|runtime\\.mcall)$", "runtime.mcall", true},
    {"^(main\\..*|runtime\\.mcall)$", "runtime.mcallx", false},
    {"^a*$", "aaaa", true},
    {"^a+$", "", false},
    {"^a?b$", "b", true},
    {"^a{2,3}$", "a", false},
    {"^a{2,3}$", "aaa", true},
    {"^a{2,3}$", "aaaa", false},
    {"^a{2,}$", "aaaaa", true},
    {"^a{0}b$", "b", true},
    {"^a{,2}$", "a{,2}", true},
    {"^a{02}$", "a{02}", true},
    {"^(a|b)*?c$", "ababc", true},
    {"^(|a)*b$", "aab", true},
    {"^[a-c]+$", "abc", true},
    {"^[^a-c]$", "\n", true},
    {"^[]a]+$", "]a", true},
    {"^[^]a]$", "b", true},
    {"^[a-]+$", "a-", true},
    {"^[\\d_]+$", "1_2", true},
    {"^[^\\d]$", "1", false},
    {"^[[:alpha:]]+$", "aZ", true},
    {"^[[:^alpha:]]$", "a", false},
    {"^[[:space:]]$", "\v", true},
    {"^\\s$", "\v", false},
    {"^[[:cntrl:]]$", "\x7f", true},
    {"^[[:ascii:]]$", "\xce\xbc", false},
    {"^.$", "\n", false},
    {"(?s)^.$", "\n", true},
    {"^.$", "\xce\xbc", true},
    {"^..$", "\xce\xbc", false},
    {"^..$", "\xce\xff", true},
    {"^\xce\xbc$", "\xce\xbc", true},
    {"(?i)^main$", "MaIn", true},
    {"(?i)^k$", "\xe2\x84\xaa", true},
    {"^(?i:a)b$", "Ab", true},
    {"^(?i:a)b$", "AB", false},
    {"(?i)^(?-i:a)b$", "aB", true},
    {"(?i)^[^a]$", "A", false},
    {"(?m)^b$", "a\nb\nc", true},
    {"^b$", "a\nb\nc", false},
    {"\\bb\\b", "a b c", true},
    {"\\bb\\b", "abc", false},
    {"a\\Bb", "ab", true},
    {"\\Ab\\z", "b", true},
    {"^\\Qa.b\\E$", "a.b", true},
    {"^\\Qa.b\\E$", "axb", false},
    {"^\\Qab\\E*$", "abbb", true},
    {"^\\Qa|b", "a|b", true},
    {"^\\x41\\x{3bc}\\101$",
        "A\xce\xbc"
        "A",
        true},
    {"^\\t\\.\\_$", "\t._", true},
    {"^(?P<name>a)$", "a", true},
    {"^a(?i)*$", "aa", true},
    {"x*", "", true},
};

static void it_matches_as_gos_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof match_cases / sizeof *match_cases; i++) {
        const struct match_case *expected = &match_cases[i];
        struct pattern *pattern;
        uint64_t steps = 100000;
        assert_int_equal(
            pattern_compile(expected->pattern, strlen(expected->pattern), &pattern), PATTERN_OK);
        bool matches = pattern_matches(pattern, expected->text, strlen(expected->text), &steps);
        if (matches != expected->matches)
            fail_msg("%s and \"%s\"", expected->pattern, expected->text);
        pattern_free(pattern);
    }
}

static const struct refused_case {
    const char *pattern;
    enum pattern_status status;
} refused_cases[] = {
    {"(", PATTERN_WRONG},
    {")", PATTERN_WRONG},
    {"a)b", PATTERN_WRONG},
    {"*", PATTERN_WRONG},
    {"(|*)", PATTERN_WRONG},
    {"(?i)*", PATTERN_WRONG},
    {"a**", PATTERN_WRONG},
    {"a{2}{3}", PATTERN_WRONG},
    {"a{1001}", PATTERN_WRONG},
    {"a{3,2}", PATTERN_WRONG},
    {"(a{100}){100}", PATTERN_WRONG},
    {"[a", PATTERN_WRONG},
    {"[]", PATTERN_WRONG},
    {"[b-a]", PATTERN_WRONG},
    {"[[:nothing:]]", PATTERN_WRONG},
    {"\\", PATTERN_WRONG},
    {"\\y", PATTERN_WRONG},
    {"\\1", PATTERN_WRONG},
    {"\\C", PATTERN_WRONG},
    {"\\x1", PATTERN_WRONG},
    {"\\x{110000}", PATTERN_WRONG},
    {"\\x{}", PATTERN_WRONG},
    {"(?", PATTERN_WRONG},
    {"(?x)", PATTERN_WRONG},
    {"(?i-)", PATTERN_WRONG},
    {"(?<n>a)", PATTERN_WRONG},
    {"(?P<>a)", PATTERN_WRONG},
    {"(?P<a-b>a)", PATTERN_WRONG},
    {"\xff", PATTERN_WRONG},
    {"\\pL", PATTERN_NOT_SUPPORTED},
    {"[\\P{Greek}]", PATTERN_NOT_SUPPORTED},
    {"(abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij){1000}", PATTERN_TOO_LARGE},
};

static void what_is_none_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_cases / sizeof *refused_cases; i++) {
        struct pattern *pattern;
        const char *text = refused_cases[i].pattern;
        if (pattern_compile(text, strlen(text), &pattern) != refused_cases[i].status)
            fail_msg("%s", text);
        assert_null(pattern);
    }
}

/* One that other engines need exponential time for takes so many steps, and no more. */
static void time_is_bounded(void **state)
{
    (void)state;
    static const char text[] = "^(a*)*(a*)*(a|a)*b$";
    char subject[2000];
    struct pattern *pattern;
    memset(subject, 'a', sizeof subject);
    assert_int_equal(pattern_compile(text, strlen(text), &pattern), PATTERN_OK);
    uint64_t steps = 1000 * 1000;
    assert_false(pattern_matches(pattern, subject, sizeof subject, &steps));
    assert_true(steps > 0);
    steps = 100;
    pattern_matches(pattern, subject, sizeof subject, &steps);
    assert_int_equal(steps, 0);
    pattern_free(pattern);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    enum { DEPTH = 20000 };
    char *text = malloc(DEPTH);
    struct pattern *pattern;
    assert_non_null(text);
    memset(text, '(', DEPTH);
    assert_int_equal(pattern_compile(text, DEPTH, &pattern), PATTERN_WRONG);
    /* What is only long is fine. */
    memset(text, 'a', DEPTH);
    assert_int_equal(pattern_compile(text, DEPTH, &pattern), PATTERN_OK);
    pattern_free(pattern);
    for (size_t i = 1; i < DEPTH; i += 2)
        text[i] = '|';
    assert_int_equal(pattern_compile(text, DEPTH, &pattern), PATTERN_OK);
    pattern_free(pattern);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_matches_as_gos_do),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
