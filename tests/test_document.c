#include "config/document.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
    struct node *root;
    struct buf problems;
};

static struct parsed parse(const char *text, size_t size)
{
    struct problems found = {0};
    struct parsed parsed = {.root = document_parse(text, size, &found)};
    buf_init(&parsed.problems, 1 << 16);
    problems_write(&found, "f", &parsed.problems);
    problems_free(&found);
    return parsed;
}

static void parsed_free(struct parsed *parsed)
{
    document_free(parsed->root);
    buf_free(&parsed->problems);
}

static void nodes_know_where_they_were_written(void **state)
{
    (void)state;
    static const char text[] = "# comment\n"
                               "a: 1\n"
                               "bé:\n"
                               "  - x\n"
                               "  - {k: \"v\", 'l': [m]}\n";
    struct parsed parsed = parse(text, strlen(text));
    assert_string_equal(parsed.problems.data, "");
    const struct node *a = node_get(parsed.root, "a");
    assert_string_equal(a->text, "1");
    assert_false(a->quoted);
    assert_int_equal(a->key_line, 2);
    assert_int_equal(a->key_column, 1);
    assert_int_equal(a->line, 2);
    assert_int_equal(a->column, 4);
    const struct node *b = node_get(parsed.root, "bé");
    assert_int_equal(b->type, NODE_SEQUENCE);
    assert_int_equal(b->count, 2);
    const struct node *k = node_get(b->children[1], "k");
    assert_int_equal(k->line, 5);
    assert_int_equal(k->key_column, 6);
    assert_int_equal(k->column, 9);
    assert_true(k->quoted);
    assert_null(node_get(parsed.root, "c"));
    parsed_free(&parsed);
}

static void problems_name_the_path(void **state)
{
    (void)state;
    static const char text[] = "a:\n  - b: {c: 1}\n";
    struct parsed parsed = parse(text, strlen(text));
    const struct node *b = node_get(node_get(parsed.root, "a")->children[0], "b");
    const struct node *c = node_get(b, "c");
    struct problems found = {0};
    node_missing(&found, b, "d", "is missing");
    node_key_problem(&found, c, "key %d", 1);
    node_problem(&found, c, "value\n\x1b[31m");
    problems_write(&found, "f", &parsed.problems);
    assert_string_equal(parsed.problems.data, "f:2:5: a[0].b.d: is missing\n"
                                              "f:2:9: a[0].b.c: key 1\n"
                                              "f:2:12: a[0].b.c: value??[31m\n");
    problems_free(&found);
    parsed_free(&parsed);
}

static void many_problems_are_counted_but_not_all_kept(void **state)
{
    (void)state;
    struct problems found = {0};
    struct buf out;
    buf_init(&out, 1 << 16);
    for (int i = 0; i < PROBLEMS_MAX + 7; i++)
        problems_add(&found, 1000 - i, 1, NULL, "x");
    problems_write(&found, "f", &out);
    assert_non_null(strstr(out.data, "f:901:1: x\nf:902:1: x\n"));
    assert_non_null(strstr(out.data, "f:1000:1: x\nf: and 7 more problems\n"));
    problems_free(&found);
    buf_free(&out);
}

static void empty_text_is_an_empty_mapping(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a comment\n", "\n\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct parsed parsed = parse(texts[i], strlen(texts[i]));
        assert_string_equal(parsed.problems.data, "");
        assert_int_equal(parsed.root->type, NODE_MAPPING);
        assert_int_equal(parsed.root->count, 0);
        parsed_free(&parsed);
    }
}

struct refused {
    const char *text;
    const char *problems;
    bool usable; /* a tree is left */
};

static void what_is_not_taken_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"a: [1",
            "f:2:1: not valid YAML: did not find expected ',' or ']'; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"a: {b: 1",
            "f:2:1: not valid YAML: did not find expected ',' or '}'; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"a:\n\tb: 1",
            "f:2:1: not valid YAML: found character that cannot start any token; indent with "
            "spaces, YAML takes no tabs\n",
            false},
        {"é: \tx\n\t: y",
            "f:2:1: not valid YAML: found a tab character that violates indentation; indent with "
            "spaces, YAML takes no tabs\n",
            false},
        {"a: @x",
            "f:1:4: not valid YAML: found character that cannot start any token; put the value in "
            "quotes\n",
            false},
        {"é: `x",
            "f:1:4: not valid YAML: found character that cannot start any token; put the value in "
            "quotes\n",
            false},
        {"a: %x",
            "f:1:4: not valid YAML: found character that cannot start any token; put the value in "
            "quotes\n",
            false},
        {"a: b: c",
            "f:1:5: not valid YAML: mapping values are not allowed in this context; check the "
            "indentation, or put a value with \": \" in quotes\n",
            false},
        {"a: \"x",
            "f:1:6: not valid YAML: found unexpected end of stream; check the indentation and the "
            "quotes and brackets before it\n",
            false},
        {"a: b\n c: d",
            "f:2:3: not valid YAML: mapping values are not allowed in this context; check the "
            "indentation, or put a value with \": \" in quotes\n",
            false},
        {"a: \xff",
            "f:1:4: not text that YAML can hold: invalid leading UTF-8 octet; save the file as "
            "UTF-8\n",
            false},
        {"- a\nb: c",
            "f:2:1: not valid YAML: did not find expected '-' indicator; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"]",
            "f:1:1: not valid YAML: did not find expected node content; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"listen: [::1]:9797\n",
            "f:1:10: not valid YAML: did not find expected node content; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"a: &x 1", "f:1:4: a: anchors (&name) are not taken; write the value out\n", true},
        {"a: &x {b: 1}", "f:1:4: a: anchors (&name) are not taken; write the value out\n", true},
        {"&x a: 1", "f:1:1: a key takes no anchor (&name) and no tag (!name)\n", true},
        {"a: [&x [1]]", "f:1:5: a[0]: anchors (&name) are not taken; write the value out\n", true},
        {"a: *x", "f:1:4: a: aliases (*name) are not taken; write the value out\n", true},
        {"<<: *x", "f:1:5: <<: aliases (*name) are not taken; write the value out\n", true},
        {"*x : a", "f:1:1: a key must be plain text\n", false},
        {"a: !!str x", "f:1:4: a: tags (!name) are not taken; leave it out\n", true},
        {"a: !x {b: 1}", "f:1:4: a: tags (!name) are not taken; leave it out\n", true},
        {"a: ! x", "f:1:4: a: tags (!name) are not taken; leave it out\n", true},
        {"--- 1\n--- 2", "f:2:1: a second document begins here; one file holds one\n", false},
        {"a: 1\n...\nb: 2",
            "f:3:1: not valid YAML: did not find expected <document start>; check the indentation "
            "and the quotes and brackets before it\n",
            false},
        {"a: 1\n---\n", "f:2:1: a second document begins here; one file holds one\n", false},
        {"? [a]\n: b", "f:1:3: a key must be plain text\n", false},
        {"? {a: b}\n: c", "f:1:3: a key must be plain text\n", false},
        {"? |\n  a\n: c", "", true},
        {": x",
            "f:1:1: not valid YAML: did not find expected key; check the indentation and the "
            "quotes and brackets before it\n",
            false},
        {"\"\": x\na: 1", "f:1:1: a key is missing before \":\"\n", true},
        {"{a, b: }", "", true},
        {"a: 1\na: 2", "f:2:1: a: is given twice, first on line 1\n", true},
        {"a: {b: 1, b: {c: 1}}\nx: y", "f:1:11: a.b: is given twice, first on line 1\n", true},
        {"a: \"x\\0y\"", "f:1:4: a: holds a NUL character\n", true},
        {"\"a\\0\": x", "f:1:1: a key must be plain text\n", true},
        {"%YAML 9.9\n--- a",
            "f:1:1: not valid YAML: found incompatible YAML document; check the indentation and "
            "the quotes and brackets before it\n",
            false},
        {"%FOO\n---\na: 1",
            "f:1:5: not valid YAML: found unknown directive name; check the indentation and the "
            "quotes and brackets before it\n",
            false},
        {"a: ${",
            "f:1:4: a: \"${\" without a closing \"}\"; write $${ for the characters themselves\n",
            true},
        {"a: ${T_UNSET}",
            "f:1:4: a: the environment variable T_UNSET is not set; set it, or give a default as "
            "in ${T_UNSET:-default}\n",
            true},
        {"a: \"x ${T_UNSET:-y} ${T_UNSET}\"\nb: ${T_UNSET}",
            "f:1:4: a: the environment variable T_UNSET is not set; set it, or give a default as "
            "in ${T_UNSET:-default}\nf:2:4: b: the environment variable T_UNSET is not set; set "
            "it, or give a default as in ${T_UNSET:-default}\n",
            true},
        {"a: \"${}\"",
            "f:1:4: a: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ "
            "for "
            "the characters themselves\n",
            true},
        {"a: \"${1A}\"",
            "f:1:4: a: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ "
            "for "
            "the characters themselves\n",
            true},
        {"a: \"${A-B}\"",
            "f:1:4: a: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ "
            "for "
            "the characters themselves\n",
            true},
        {"a: \"${A:B}\"",
            "f:1:4: a: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ "
            "for "
            "the characters themselves\n",
            true},
        {"a: \"${ A}\"",
            "f:1:4: a: holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ "
            "for "
            "the characters themselves\n",
            true},
        {"a: \"${A\"\nb: x}",
            "f:1:4: a: \"${\" without a closing \"}\"; write $${ for the characters themselves\n",
            true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed parsed = parse(cases[i].text, strlen(cases[i].text));
        if (strcmp(parsed.problems.data, cases[i].problems) != 0)
            print_error("case %zu: %s\n", i, cases[i].text);
        assert_string_equal(parsed.problems.data, cases[i].problems);
        assert_int_equal(parsed.root != NULL, cases[i].usable);
        parsed_free(&parsed);
    }
}

static void a_nul_byte_is_no_text(void **state)
{
    (void)state;
    struct parsed parsed = parse("a: x\0y", 6);
    assert_null(parsed.root);
    assert_string_equal(parsed.problems.data,
        "f:1:5: not text that YAML can hold: control characters are not allowed; save the file as "
        "UTF-8\n");
    parsed_free(&parsed);
}

/* `count` times `unit` between `begin` and `end`. */
static char *repeated(const char *begin, const char *unit, size_t count, const char *end)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    buf_puts(&text, begin);
    for (size_t i = 0; i < count; i++)
        buf_puts(&text, unit);
    buf_puts(&text, end);
    return buf_take(&text);
}

static void check_bound(char *text, const char *problem)
{
    struct parsed parsed = parse(text, strlen(text));
    assert_string_equal(parsed.problems.data, problem);
    parsed_free(&parsed);
    free(text);
}

static void size_depth_count_and_keys_are_bounded(void **state)
{
    (void)state;
    check_bound(repeated("#", "x", DOCUMENT_SIZE_MAX - 1, ""), "");
    check_bound(repeated("#", "x", DOCUMENT_SIZE_MAX, ""),
        "f:1:1: larger than 1 MiB; no configuration needs so much\n");
    check_bound(repeated("", "[", 16, "]]]]]]]]]]]]]]]]"), "");
    check_bound(
        repeated("", "[", 17, "]]]]]]]]]]]]]]]]]"), "f:1:17: nested deeper than 16 levels\n");
    check_bound(repeated("", "[", 100000, ""), "f:1:17: nested deeper than 16 levels\n");
    check_bound(repeated("", "- x\n", 9999, ""), "");
    check_bound(repeated("", "- x\n", 10000, ""),
        "f:10000:3: more than 10000 values; nothing here needs so many\n");
    check_bound(repeated("", "k", 128, ": v"), "");
    check_bound(repeated("", "k", 129, ": v"), "f:1:1: a key may be 128 bytes long at most\n");
}

static void check_filled(const char *text, const char *expected)
{
    struct parsed parsed = parse(text, strlen(text));
    assert_string_equal(parsed.problems.data, "");
    assert_string_equal(node_get(parsed.root, "a")->text, expected);
    parsed_free(&parsed);
}

static void the_environment_is_filled_in(void **state)
{
    (void)state;
    setenv("T_ONE", "one", 1);
    setenv("T_YAML", "x: [1, 2]\nb: &c *d # ${T_ONE}", 1);
    setenv("T_EMPTY", "", 1);
    unsetenv("T_UNSET");
    check_filled("a: ${T_ONE}", "one");
    check_filled("a: <${T_ONE}-${T_ONE}>", "<one-one>");
    check_filled("a: \"${T_UNSET:-x y}\"", "x y");
    check_filled("a: \"${T_UNSET:-}\"", "");
    check_filled("a: ${T_EMPTY}", "");
    check_filled("a: ${T_EMPTY:-none}", "none");
    check_filled("a: ${T_ONE:-none}", "one");
    check_filled("a: ${T_UNSET:-http://h:1/}", "http://h:1/");
    check_filled("a: $T_ONE $ $$ {T_ONE}", "$T_ONE $ $$ {T_ONE}");
    check_filled("a: $${T_ONE}", "${T_ONE}");
    check_filled("a: $$${T_ONE}", "$${T_ONE}");
    /* What comes from the environment is never read again: neither as YAML nor as a reference. */
    check_filled("a: ${T_YAML}", "x: [1, 2]\nb: &c *d # ${T_ONE}");
}

static void values_of_the_environment_are_bounded_and_text(void **state)
{
    (void)state;
    char *big = repeated("", "x", 100000, "");
    setenv("T_BIG", big, 1);
    setenv("T_LATIN", "caf\xe9", 1);
    setenv("T_SURROGATE", "\xed\xa0\x80", 1);
    free(big);
    check_bound(repeated("a: \"", "${T_BIG}", 11, "\""),
        "f:1:4: a: is larger than 1 MiB with the environment filled in\n");
    check_bound(
        xstrdup("a: ${T_LATIN}"), "f:1:4: a: is not UTF-8 once the environment is filled in\n");
    check_bound(
        xstrdup("a: ${T_SURROGATE}"), "f:1:4: a: is not UTF-8 once the environment is filled in\n");
}

static void quoted_text_reads_back_as_itself(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plain", "/captures", "http://h:1/x", "80%", "20MB/s",
        "null", "Off", "a: b", "a:", ":", "- x", "#", "a #b", "\"", "\\", "it's", "tab\there",
        "line\nbreak", "\x1b", "é", "{x}", "[::1]:9", "${HOME}", "$${HOME}", "$$${", "*a", "&a",
        "!a", "%a", "@a", "`a", "a,b", "?", "-", "~", "12", "1e3", "0x1f", "1:30", " a ",
        "a\xc2\xa0z"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *quoted = document_quote(texts[i]);
        char *block = xasprintf("a: %s\n", quoted);
        char *flow = xasprintf("{b: [{a: %s}, %s], a: %s}\n", quoted, quoted, quoted);
        check_filled(block, texts[i]);
        check_filled(flow, texts[i]);
        free(quoted);
        free(block);
        free(flow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_where_they_were_written),
        cmocka_unit_test(problems_name_the_path),
        cmocka_unit_test(many_problems_are_counted_but_not_all_kept),
        cmocka_unit_test(empty_text_is_an_empty_mapping),
        cmocka_unit_test(what_is_not_taken_is_told_with_its_place),
        cmocka_unit_test(a_nul_byte_is_no_text),
        cmocka_unit_test(size_depth_count_and_keys_are_bounded),
        cmocka_unit_test(the_environment_is_filled_in),
        cmocka_unit_test(values_of_the_environment_are_bounded_and_text),
        cmocka_unit_test(quoted_text_reads_back_as_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
