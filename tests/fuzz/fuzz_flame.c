/* Any two profiles as a flame graph and a table: the first two bytes say how long the first one is.
 * The tree keeps its limits, each node has its children within it, and nothing on the page is
 * markup but our own. */
#include "core/buf.h"
#include "review/compare/flame_tree.h"
#include "review/compare/growth.h"
#include "review/page/flame.h"
#include "review/page/tables.h"
#include "review/profile/profile.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t max_bytes = 1 << 18;
static const struct flame_tree_limits limits = {.nodes = 100, .depth = 20, .least_percent = 0.1};

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_tree(const struct flame_tree *tree)
{
    must(tree->count >= 1 && tree->count <= limits.nodes && tree->depth <= limits.depth + 2);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct flame_node *node = &tree->nodes[i];
        uint64_t value = 0;
        must(node->end > i && node->end <= tree->count && node->value >= 0 && node->base >= 0);
        must(i == 0 ? node->parent == FLAME_TREE_NONE : node->parent < i);
        for (uint32_t child = i + 1; child < node->end; child = tree->nodes[child].end) {
            must(tree->nodes[child].parent == i && tree->nodes[child].depth == node->depth + 1);
            must(tree->nodes[child].value <= node->value && tree->nodes[child].base <= node->base);
            value += (uint64_t)tree->nodes[child].value;
        }
        must(value <= (uint64_t)node->value || node->value == INT64_MAX);
    }
}

/* Nothing that we never write. */
static void check_page(const char *page)
{
    static const char *const foreign[] = {"<script", "<img", "<a ", "\r", "\x01", "\n\n\n"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        must(!strstr(page, foreign[i]));
}

static void draw(const struct profile *profile, const struct profile *base)
{
    for (uint32_t type = 0; type < profile->sample_type_count && type < 2; type++) {
        struct flame_tree tree;
        struct growth growth;
        struct buf out;
        buf_init(&out, (size_t)1 << 24);
        flame_tree_build(&tree, profile, type, base, &limits);
        check_tree(&tree);
        flame_write(&out, &tree, &(struct flame_options){.id = "f", .title = "CPU"});
        growth_of(&growth, profile, type, base);
        tables_write_growth(&out, &growth, &(struct tables_options){.id = "t", .title = "CPU"});
        check_page(out.data);
        growth_free(&growth);
        flame_tree_free(&tree);
        buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t first = (size_t)data[0] << 8 | data[1];
    data += 2;
    size -= 2;
    first = first < size ? first : size;
    struct profile *profile = profile_decode(data, first, max_bytes, NULL);
    struct profile *base = profile_decode(data + first, size - first, max_bytes, NULL);
    if (profile) {
        draw(profile, NULL);
        draw(profile, base);
        draw(profile, profile);
    }
    profile_free(profile);
    profile_free(base);
    return 0;
}
