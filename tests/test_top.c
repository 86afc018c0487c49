#include "review/top/top.h"

#include "core/error.h"
#include "stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The end-to-end test has go tool pprof as its judge; these are what it would say, too. */
static const struct top_case {
    const char *types, *stacks, *base;
    struct top_options options;
    const char *expected; /* without the line above the columns' names, and those */
} top_cases[] = {
    {"cpu/nanoseconds", "root;leaf 30000000\nroot 10000000", NULL, {.row_count = 0},
        "40ms, 100% of 40ms total\n"
        "      30ms 75.00% 75.00%       30ms 75.00%  leaf\n"
        "      10ms 25.00%   100%       40ms   100%  root\n"},
    {"cpu/nanoseconds", "root;leaf 30000000\nroot 10000000", NULL, {.by_cum = true, .row_count = 1},
        "10ms, 25.00% of 40ms total\n"
        "Showing top 1 nodes out of 2\n"
        "      10ms 25.00% 25.00%       40ms   100%  root\n"},
    /* small ones go by cum, and are counted */
    {"space/bytes", "a 1048576\nb 1024\nc 3", NULL, {.fraction = 0.1},
        "1MB, 99.90% of 1MB total\n"
        "Dropped 2 nodes (cum <= 0.10MB)\n"
        "       1MB 99.90% 99.90%        1MB 99.90%  a\n"},
    {"space/bytes", "a 1048576\nb 1024\nc 3", NULL, {.row_count = 0},
        "1049603B, 100% of 1049603B total\n"
        "  1048576B 99.90% 99.90%   1048576B 99.90%  a\n"
        "     1024B 0.098%   100%      1024B 0.098%  b\n"
        "        3B 0.00029%   100%         3B 0.00029%  c\n"},
    {"space/count", "a 1\nb 1\nc 1000", NULL, {.fraction = 0.0005},
        "1002, 100% of 1002 total\n"
        "      1000 99.80% 99.80%       1000 99.80%  c\n"
        "         1   0.1% 99.90%          1   0.1%  a\n"
        "         1   0.1%   100%          1   0.1%  b\n"},
    /* what is always inlined, and what is only here and there */
    {"n/count", "root;out|in 1\nroot;out|part 1\nroot;part 1", NULL, {.row_count = 0},
        "3, 100% of 3 total\n"
        "         2 66.67% 66.67%          2 66.67%  part (partial-inline)\n"
        "         1 33.33%   100%          1 33.33%  in (inline)\n"
        "         0     0%   100%          2 66.67%  out\n"
        "         0     0%   100%          3   100%  root\n"},
    {"n/objects", "a;?;0x10 2\na 1", NULL, {.row_count = 0},
        "3objects, 100% of 3objects total\n"
        "  2objects 66.67% 66.67%   2objects 66.67%  <unknown>\n"
        "  1objects 33.33%   100%   3objects   100%  a\n"},
    /* a difference: in per cent of all that differs */
    {"n/count", "main;f 5\nmain;g 2", "main;f 1\nmain;g 4\nh 1", {.row_count = 0},
        "1, 14.29% of 7 total\n"
        "         4 57.14% 57.14%          4 57.14%  f\n"
        "        -2 28.57% 28.57%         -2 28.57%  g\n"
        "        -1 14.29% 14.29%         -1 14.29%  h\n"
        "         0     0% 14.29%          2 28.57%  main\n"},
    {"n/count", "f 5", "f 5", {.row_count = 0}, "0, 0% of 0 total\n"},
    {"n/count", "", NULL, {.row_count = 0}, "0, 0% of 0 total\n"},
    {"a/count b/count", "f 1,2", NULL, {.sample_type = "a"},
        "1, 100% of 1 total\n"
        "         1   100%   100%          1   100%  f\n"},
};

static char *print(const struct top_case *of, char *(*safe)(const char *text), bool json)
{
    struct profile *base = of->base ? stacks_profile(of->types, NULL, of->base) : NULL;
    struct profile *profile = stacks_profile(of->types, NULL, of->stacks);
    struct top top;
    struct error err;
    struct buf out;
    assert_int_equal(top_make(&top, profile, base, &of->options, &err), 0);
    buf_init(&out, 65536);
    if (json)
        top_print_json(&top, &out);
    else
        top_print(&top, safe, &out);
    top_free(&top);
    return buf_take(&out);
}

static void tables_are_pprofs(void **state)
{
    (void)state;
    static const char columns[] = "      flat  flat%   sum%        cum   cum%\n";
    for (size_t i = 0; i < sizeof top_cases / sizeof *top_cases; i++) {
        char *text = print(&top_cases[i], NULL, false);
        char *begin = strstr(text, "accounting for "), *heading = strstr(text, columns);
        assert_non_null(begin);
        assert_non_null(heading);
        begin += strlen("accounting for ");
        memmove(heading, heading + strlen(columns), strlen(heading + strlen(columns)) + 1);
        assert_string_equal(begin, top_cases[i].expected);
        free(text);
    }
}

static char *shout(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; at && *at; at++)
        if (*at == 'x')
            *at = '?';
    return copy;
}

static void text_is_made_safe(void **state)
{
    (void)state;
    static const struct top_case hostile = {"x/xs", "fx 1", NULL, {.row_count = 0}, NULL};
    char *text = print(&hostile, shout, false);
    assert_null(strchr(text, 'x'));
    assert_non_null(strstr(text, "f?"));
    free(text);
}

static void it_is_json_as_well(void **state)
{
    (void)state;
    char *text = print(&top_cases[0], NULL, true);
    assert_non_null(strstr(text, "\"type\": \"cpu\""));
    assert_non_null(strstr(text, "\"unit\": \"nanoseconds\""));
    assert_non_null(strstr(text, "\"total\": 40000000"));
    assert_non_null(strstr(text, "\"name\": \"leaf\""));
    assert_non_null(strstr(text, "\"flat_percent\": 75.0"));
    free(text);
}

static void assert_fails(struct profile *profile, struct profile *base,
    const struct top_options *options, const char *problem)
{
    struct top top;
    struct error err;
    assert_int_equal(top_make(&top, profile, base, options, &err), -1);
    assert_non_null(strstr(err.text, problem));
    top_free(&top);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    static const char stacks[] = "f 1";
    const struct top_options none = {.row_count = 0}, wall = {.sample_type = "wall"};
    assert_fails(stacks_profile("cpu/ns", NULL, stacks), NULL, &wall, "\"wall\"; it has: cpu");
    assert_fails(stacks_profile("cpu/ns", NULL, stacks),
        stacks_profile("space/bytes", NULL, stacks), &none,
        "--base: the profile is of another kind");
    assert_fails(stacks_profile("", NULL, ""), NULL, &none, "no samples");
}

/* A profile with an expression of frames to drop. */
static struct profile *make_dropping(const char *drop, const char *keep, const char *stacks)
{
    struct profile *profile = stacks_profile("n/count", NULL, stacks);
    profile->drop_frames = stacks_add_string(profile, drop);
    profile->keep_frames = stacks_add_string(profile, keep);
    return profile;
}

static const struct drop_case {
    const char *drop, *keep, *stack, *expected; /* names by falling cum and flat */
} drop_cases[] = {
    {"", "", "main;f;malloc 1", "malloc f main"},
    {"malloc", "", "main;f;malloc 1", "f main"},
    {"malloc", "", "main;f;malloc;inner 1", "f main"},
    {"mal", "", "main;f;malloc 1", "malloc f main"},
    {"mal.*", "malloc", "main;f;malloc 1", "malloc f main"},
    {"mal.*", "(", "main;f;malloc 1", "malloc f main"},
    {"(", "", "main;f;malloc 1", "malloc f main"},
    /* nothing else was met before */
    {"main", "", "main;f 1", "f main"},
    {"m", "", "g;m;f 1", "g"},
    /* inlined ones: the inner of a location, and all of it */
    {"a", "", "main;b|a 1", "b main"},
    {"b", "", "main;b|a 1", "main"},
    {"b", "", "main;b|a;x 1", "main"},
    {"a", "", "main;b|a;x 1", "b main"},
};

static void frames_are_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof drop_cases / sizeof *drop_cases; i++) {
        const struct drop_case *expected = &drop_cases[i];
        struct top top;
        struct buf names;
        const struct top_options options = {.row_count = 0};
        buf_init(&names, 4096);
        struct profile *profile = make_dropping(expected->drop, expected->keep, expected->stack);
        assert_int_equal(top_make(&top, profile, NULL, &options, NULL), 0);
        for (size_t j = 0; j < top.row_count; j++)
            buf_printf(
                &names, "%s%.*s", j ? " " : "", (int)top.rows[j].name_size, top.rows[j].name);
        assert_string_equal(names.data, expected->expected);
        buf_free(&names);
        top_free(&top);
    }
}

static void hostile_expressions_end(void **state)
{
    (void)state;
    static const char stacks[] = "main;f 1";
    const struct top_options options = {.row_count = 0};
    char large[60001];
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_fails(make_dropping(large, "", stacks), NULL, &options, "drop_frames is too large");
    assert_fails(make_dropping("a", large, stacks), NULL, &options, "keep_frames is too large");
    assert_fails(make_dropping("\\pL", "", stacks), NULL, &options, "class of Unicode");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_pprofs),
        cmocka_unit_test(text_is_made_safe),
        cmocka_unit_test(it_is_json_as_well),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(frames_are_dropped),
        cmocka_unit_test(hostile_expressions_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
