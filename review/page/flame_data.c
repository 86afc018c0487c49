/* All of the tree for flame.js, as text that nobody sees. First the names in rising order, a line
 * each: "o" (see flame_owner_letter), how many characters it begins with like the one before, a
 * space, the rest. Then an empty line, and a line a node in the tree's order: which name, depth,
 * share of now and of the base in 1/1000 of a percent. Numbers are in base 36; a 0 at the end of a
 * line is left out. */
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

enum { NAMES_MAX_BYTES = 40 * 1024, PARTS = 100000 };

struct name {
    const struct flame_node *node; /* the first one of that name */
    char *line;
    uint32_t index; /* in the order in which they were found */
    size_t shared;  /* with the line before */
};

struct name_list {
    struct name *names;
    uint32_t count, capacity;
    uint32_t *of_node; /* index in the order in which they are written, by node */
    struct hash_index by_name;
};

struct name_key {
    const struct name_list *list;
    const struct flame_node *node;
};

static bool same_name(const void *arg, uint32_t index)
{
    const struct name_key *key = arg;
    const struct flame_node *other = key->list->names[index].node;
    return other->kind == key->node->kind && !strcmp(other->name, key->node->name);
}

static void find_names(struct name_list *list, const struct flame_tree *tree)
{
    *list = (struct name_list){.of_node = xcalloc(tree->count, sizeof *list->of_node)};
    list->names = array_room(NULL, 0, 1, &list->capacity, sizeof *list->names);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct flame_node *node = &tree->nodes[i];
        struct name_key key = {list, node};
        uint32_t hash = hash_finish(hash_bytes(node->kind, node->name, strlen(node->name)));
        uint32_t index = hash_index_find(&list->by_name, hash, same_name, &key);
        if (index == HASH_INDEX_NONE) {
            index = list->count;
            list->names = array_room(
                list->names, list->count, 1, &list->capacity, sizeof *list->names);
            list->names[list->count++] = (struct name){.node = node, .index = index};
            hash_index_add(&list->by_name, hash, index);
        }
        list->of_node[i] = index;
    }
}

static int compare_names(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    int order = strcmp(a->line, b->line);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Only of characters of one byte, which are one unit to a script as well. */
static size_t shared_of(const char *before, const char *line)
{
    size_t count = 0;
    while (line[count] && line[count] == before[count] && (unsigned char)line[count] < 0x80)
        count++;
    return count;
}

/* Cuts names to at most max bytes and sorts them; what they then take. */
static size_t make_lines(struct name_list *list, size_t max)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->names[i].line);
        list->names[i].line = names_line(list->names[i].node->name, max);
    }
    qsort(list->names, list->count, sizeof *list->names, compare_names);
    size_t sum = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct name *name = &list->names[i];
        name->shared = i > 0 ? shared_of(name[-1].line, name->line) : 0;
        sum += strlen(name->line) - name->shared;
    }
    return sum;
}

static void list_names(struct name_list *list, const struct flame_tree *tree)
{
    static const size_t max_bytes[] = {400, 200, 120, 80, 64, 48};
    find_names(list, tree);
    for (size_t i = 0; i < sizeof max_bytes / sizeof *max_bytes; i++)
        if (make_lines(list, max_bytes[i]) <= NAMES_MAX_BYTES)
            break;
    uint32_t *place = xcalloc(list->count, sizeof *place);
    for (uint32_t i = 0; i < list->count; i++)
        place[list->names[i].index] = i;
    for (uint32_t i = 0; i < tree->count; i++)
        list->of_node[i] = place[list->of_node[i]];
    free(place);
}

static void free_names(struct name_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free(list->names[i].line);
    free(list->names);
    free(list->of_node);
    hash_index_free(&list->by_name);
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
    buf_puts(page->out, "<pre class=\"flame-data\" hidden>");
    for (uint32_t i = 0; i < list.count; i++) {
        const struct name *name = &list.names[i];
        put_base36(page->out, flame_owner_letter(page, name->node), name->shared);
        html_printf(page->out, " %s\n", name->line + name->shared);
    }
    buf_puts(page->out, "\n");
    for (uint32_t i = 0; i < page->tree->count; i++)
        write_node(page, &page->tree->nodes[i], list.of_node[i]);
    buf_puts(page->out, "</pre>\n");
    free_names(&list);
}
