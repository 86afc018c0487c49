/* All of the tree for flame.js, as text that nobody sees: a line a name ("o" + name, see
 * flame_owner_letter), an empty line, and a line a node in the tree's order: index of the name,
 * depth, share of now and of the base in 1/1000 of a percent; numbers in base 36, what is 0 at the
 * end of a line left out. */
#include "core/alloc.h"
#include "core/buf.h"
#include "review/page/flame_parts.h"
#include "review/page/html.h"
#include "review/page/names.h"
#include "review/profile/array.h"
#include "review/profile/hash_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX_BYTES = 64 * 1024, PARTS = 100000 };

struct name_list {
    const struct flame_node **nodes; /* the first one of each name */
    uint32_t *index_of;              /* by node */
    uint32_t count, capacity;
    struct hash_index by_name;
};

struct name_key {
    const struct name_list *list;
    const struct flame_node *node;
};

static bool same_name(const void *arg, uint32_t index)
{
    const struct name_key *key = arg;
    const struct flame_node *other = key->list->nodes[index];
    return other->kind == key->node->kind && !strcmp(other->name, key->node->name);
}

static void list_names(struct name_list *list, const struct flame_tree *tree)
{
    *list = (struct name_list){.index_of = xcalloc(tree->count, sizeof *list->index_of)};
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct flame_node *node = &tree->nodes[i];
        struct name_key key = {list, node};
        uint32_t hash = hash_finish(hash_bytes(node->kind, node->name, strlen(node->name)));
        uint32_t index = hash_index_find(&list->by_name, hash, same_name, &key);
        if (index == HASH_INDEX_NONE) {
            index = list->count;
            list->nodes = array_room(
                list->nodes, list->count, 1, &list->capacity, sizeof *list->nodes);
            list->nodes[list->count++] = node;
            hash_index_add(&list->by_name, hash, index);
        }
        list->index_of[i] = index;
    }
}

/* The longest that names may be so that all of them have room. */
static size_t name_max(const struct name_list *list)
{
    static const size_t steps[] = {400, 200, 120, 80, 48};
    size_t last = sizeof steps / sizeof *steps - 1;
    for (size_t i = 0; i < last; i++) {
        size_t sum = 0;
        for (uint32_t j = 0; j < list->count; j++) {
            size_t size = strlen(list->nodes[j]->name);
            sum += size < steps[i] ? size : steps[i];
        }
        if (sum <= NAMES_MAX_BYTES)
            return steps[i];
    }
    return steps[last];
}

static void put_base36(struct buf *out, char before, uint64_t number)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char text[16];
    size_t at = sizeof text;
    do
        text[--at] = digits[number % 36];
    while ((number /= 36) > 0);
    if (before)
        text[--at] = before;
    buf_append(out, text + at, sizeof text - at);
}

static uint64_t parts_of(double percent)
{
    return percent > 0 ? (uint64_t)llround(percent / 100 * PARTS) : 0;
}

static void write_node(const struct flame_page *page, const struct flame_node *node, uint32_t name)
{
    const struct comparison *comparison = &page->tree->comparison;
    uint64_t value = parts_of(flame_percent(page, node));
    uint64_t base = parts_of(comparison_base_percent(comparison, node->base));
    put_base36(page->out, '\0', name);
    put_base36(page->out, ' ', node->depth);
    if (value || base)
        put_base36(page->out, ' ', value);
    if (base)
        put_base36(page->out, ' ', base);
    buf_puts(page->out, "\n");
}

void flame_write_data(const struct flame_page *page)
{
    struct name_list list;
    list_names(&list, page->tree);
    size_t max = name_max(&list);
    buf_puts(page->out, "<pre class=\"flame-data\" hidden>");
    for (uint32_t i = 0; i < list.count; i++) {
        char *name = names_line(list.nodes[i]->name, max);
        html_printf(page->out, "%c%s\n", flame_owner_letter(page, list.nodes[i]), name);
        free(name);
    }
    for (uint32_t i = 0; i < page->tree->count; i++) {
        if (i == 0)
            buf_puts(page->out, "\n");
        write_node(page, &page->tree->nodes[i], list.index_of[i]);
    }
    buf_puts(page->out, "</pre>\n");
    free(list.nodes);
    free(list.index_of);
    hash_index_free(&list.by_name);
}
