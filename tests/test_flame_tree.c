#include "review/compare/flame_tree.h"

#include "core/buf.h"

#include "stacks.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A line a node: as deep as it is, value and base. The caller frees it. */
static char *show(const struct flame_tree *tree)
{
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct flame_node *node = &tree->nodes[i];
        buf_printf(&out, "%*s%s %" PRId64 " %" PRId64 "\n", (int)node->depth, "", node->name,
            node->value, node->base);
    }
    return buf_take(&out);
}

static void test_stacks_become_a_tree(void **state)
{
    static const struct {
        const char *profile, *base, *tree;
    } cases[] = {
        {"", NULL, "all 0 0\n"},
        {"a;b 3\na;c 5\na;b 1\na 2", NULL, "all 11 0\n a 11 0\n  c 5 0\n  b 4 0\n"},
        {"a;b|c|d 3", NULL, "all 3 0\n a 3 0\n  b 3 0\n   c 3 0\n    d 3 0\n"},
        {"a;0x1f 3", NULL, "all 3 0\n a 3 0\n  0x1f 3 0\n"},
        {"a;b -3\na 1\n", NULL, "all 1 0\n a 1 0\n"},
        {"a;b 3\na;c 3", NULL, "all 6 0\n a 6 0\n  b 3 0\n  c 3 0\n"},
        {"a;b 3", "a;c 5\na;b 1", "all 3 6\n a 3 6\n  b 3 1\n  c 0 5\n"},
        {"a;b 3", "z 5", "all 3 5\n a 3 0\n  b 3 0\n z 0 5\n"},
        {"a;b 3", "", "all 3 0\n a 3 0\n  b 3 0\n"},
        {"a 9223372036854775807\nb 9223372036854775807", NULL,
            "all 9223372036854775807 0\n a 9223372036854775807 0\n b 9223372036854775807 0\n"},
        {"(other);a 3", NULL, "all 3 0\n (other) 3 0\n  a 3 0\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *profile = stacks_profile("cpu/nanoseconds", NULL, cases[i].profile);
        struct profile *base = cases[i].base
                                   ? stacks_profile("cpu/nanoseconds", NULL, cases[i].base)
                                   : NULL;
        struct flame_tree tree;
        flame_tree_build(&tree, profile, 0, base, NULL);
        char *text = show(&tree);
        assert_string_equal(text, cases[i].tree);
        free(text);
        flame_tree_free(&tree);
        profile_free(profile);
        profile_free(base);
    }
}

static void test_what_is_small_deep_or_much_is_folded(void **state)
{
    static const struct {
        const char *profile;
        struct flame_tree_limits limits;
        const char *tree;
    } cases[] = {
        {"a;b 900\na;c 60\na;d 40", {.least_percent = 10},
            "all 1000 0\n a 1000 0\n"
            "  b 900 0\n  (other) 100 0\n"},
        {"a;b;c;d;e 5\na;b 1", {.depth = 2}, "all 6 0\n a 6 0\n  b 6 0\n   (deeper) 5 0\n"},
        {"a;b|c 5", {.depth = 2}, "all 5 0\n a 5 0\n  b 5 0\n   (deeper) 5 0\n"},
        {"a;a;a;a 5", {.depth = 3}, "all 5 0\n a 5 0\n  a 5 0\n   a 5 0\n    (deeper) 5 0\n"},
        {"a 5\nb 4\nc 3\nd 2\ne 1", {.nodes = 4}, "all 15 0\n a 5 0\n b 4 0\n (other) 6 0\n"},
        {"a 5\nb 4\nc 3", {.nodes = 4}, "all 12 0\n a 5 0\n b 4 0\n c 3 0\n"},
        {"a;b 5\nc;d 4", {.nodes = 4}, "all 9 0\n a 5 0\n  b 5 0\n (other) 4 0\n"},
        {"a;b 5\nc;d 4", {.nodes = 2}, "all 9 0\n (other) 9 0\n"},
        {"a;b 5", {.nodes = 1}, "all 5 0\n (other) 5 0\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *profile = stacks_profile("cpu/nanoseconds", NULL, cases[i].profile);
        struct flame_tree tree;
        flame_tree_build(&tree, profile, 0, NULL, &cases[i].limits);
        char *text = show(&tree);
        assert_string_equal(text, cases[i].tree);
        free(text);
        flame_tree_free(&tree);
        profile_free(profile);
    }
}

/* What is large only in the base stays, as it is what went away. */
static void test_a_share_of_either_total_counts(void **state)
{
    const struct flame_tree_limits limits = {.least_percent = 10};
    (void)state;
    struct profile *profile = stacks_profile("cpu/nanoseconds", NULL, "a 1000\nb 10");
    struct profile *base = stacks_profile("cpu/nanoseconds", NULL, "b 3\nc 3\nd 1\na 100");
    struct flame_tree tree;
    flame_tree_build(&tree, profile, 0, base, &limits);
    char *text = show(&tree);
    assert_string_equal(text, "all 1010 107\n a 1000 100\n (other) 10 7\n");
    free(text);
    flame_tree_free(&tree);
    profile_free(base);
    base = stacks_profile("cpu/nanoseconds", NULL, "b 3\nc 3\nd 1");
    flame_tree_build(&tree, profile, 0, base, &limits);
    text = show(&tree);
    assert_string_equal(text, "all 1010 7\n a 1000 0\n b 10 3\n c 0 3\n d 0 1\n");
    free(text);
    flame_tree_free(&tree);
    profile_free(profile);
    profile_free(base);
}

static void test_a_node_knows_where_it_is(void **state)
{
    (void)state;
    struct profile *profile = stacks_profile("cpu/nanoseconds", NULL, "a;b;c 3\na;d 2\ne 1");
    struct flame_tree tree;
    flame_tree_build(&tree, profile, 0, NULL, NULL);
    static const struct {
        const char *name;
        uint32_t parent, depth, end;
    } nodes[] = {{"all", FLAME_TREE_NONE, 0, 6}, {"a", 0, 1, 5}, {"b", 1, 2, 4}, {"c", 2, 3, 4},
        {"d", 1, 2, 5}, {"e", 0, 1, 6}};
    assert_int_equal(tree.count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_string_equal(tree.nodes[i].name, nodes[i].name);
        assert_int_equal(tree.nodes[i].parent, nodes[i].parent);
        assert_int_equal(tree.nodes[i].depth, nodes[i].depth);
        assert_int_equal(tree.nodes[i].end, nodes[i].end);
    }
    assert_int_equal(tree.depth, 3);
    assert_string_equal(tree.type, "cpu");
    assert_string_equal(tree.unit, "nanoseconds");
    flame_tree_free(&tree);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_become_a_tree),
        cmocka_unit_test(test_what_is_small_deep_or_much_is_folded),
        cmocka_unit_test(test_a_share_of_either_total_counts),
        cmocka_unit_test(test_a_node_knows_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
