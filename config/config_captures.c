#include "config/config_parts.h"
#include "config/fields_text.h"
#include "core/alloc.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 64, ENTRIES_MAX = 32, CPU_SECONDS = 25, TRACE_SECONDS = 5 };

/* What depends on the profile: how long is recorded, and gc. */
static void complete_entry(
    struct config_reader *reader, struct capture_entry *entry, const struct node *node)
{
    const struct node *gc = node->type == NODE_MAPPING ? node_get(node, "gc") : NULL;
    bool heap = !strcmp(entry->profile, "heap");
    if (!entry->seconds && !strcmp(entry->profile, "cpu"))
        entry->seconds = CPU_SECONDS;
    if (!entry->seconds && !strcmp(entry->profile, "trace"))
        entry->seconds = TRACE_SECONDS;
    if (!gc)
        entry->gc = heap;
    else if (!heap)
        node_key_problem(reader->problems, gc, "is only for the profile heap");
    if (!strcmp(entry->profile, "profile"))
        node_problem(reader->problems, node, "the CPU profile is called cpu here");
}

static void read_entry(
    struct config_reader *reader, struct capture_set *set, const struct node *node)
{
    static const struct field short_form = {.type = FIELD_NAME};
    struct problems *problems = reader->problems;
    struct capture_entry *entry = &set->entries[set->count++];
    struct error err;
    if (node->wrong)
        return;
    if (node->type == NODE_SCALAR) {
        if (fields_read_text(&short_form, &entry->profile, node->text, &err) < 0)
            node_problem(problems, node, "%s", err.text);
    } else {
        struct binding binding = {config_capture_fields, entry};
        fields_bind(&binding, 1, node, problems);
    }
    if (!entry->profile)
        return;
    complete_entry(reader, entry, node);
    for (size_t i = 0; i + 1 < set->count; i++)
        if (set->entries[i].profile && !strcmp(set->entries[i].profile, entry->profile))
            node_problem(problems, node, "%s is in this set twice", entry->profile);
}

/* The set of that name, emptied when it is there (one of the file replaces a default one). */
static struct capture_set *set_of_name(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->capture_count; i++) {
        struct capture_set *set = &config->captures[i];
        if (strcmp(set->name, name) != 0)
            continue;
        for (size_t j = 0; j < set->count; j++)
            free(set->entries[j].profile);
        set->count = 0;
        return set;
    }
    config->captures = xrealloc(
        config->captures, config->capture_count + 1, sizeof *config->captures);
    struct capture_set *set = &config->captures[config->capture_count++];
    *set = (struct capture_set){.name = xstrdup(name)};
    return set;
}

static void read_set(struct config_reader *reader, const struct node *node)
{
    struct capture_set *set = set_of_name(reader->config, node->key);
    set->line = node->key_line;
    set->column = node->key_column;
    if (!fields_is_name(node->key, 64))
        node_key_problem(reader->problems, node,
            "a set's name is letters, digits, . _ - (1 to 64), no dot first");
    if (node->wrong)
        return;
    if (node->type != NODE_SEQUENCE || node->count == 0 || node->count > ENTRIES_MAX) {
        node_problem(reader->problems, node,
            "must be a list of 1 to %d profiles, such as [cpu, heap, goroutine]", ENTRIES_MAX);
        return;
    }
    free(set->entries);
    set->entries = xcalloc(node->count, sizeof *set->entries);
    for (size_t i = 0; i < node->count; i++)
        read_entry(reader, set, node->children[i]);
}

static void read_sets(struct config_reader *reader, const struct node *sets)
{
    if (sets->count > SETS_MAX)
        node_problem(
            reader->problems, sets, "holds %zu sets; %d are allowed", sets->count, SETS_MAX);
    else
        for (size_t i = 0; i < sets->count; i++)
            read_set(reader, sets->children[i]);
}

void config_read_captures(struct config_reader *reader, const struct node *root)
{
    const struct node *captures = node_get(root, "captures");
    struct node *defaults = document_parse(
        config_default_captures, strlen(config_default_captures), reader->problems);
    if (defaults)
        read_sets(reader, defaults);
    document_free(defaults);
    for (size_t i = 0; i < reader->config->capture_count; i++)
        reader->config->captures[i].line = reader->config->captures[i].column = 0;
    if (captures && config_is_mapping(reader, captures, "a mapping of names to lists"))
        read_sets(reader, captures);
}

/* off, or a mapping; without the key the defaults of the mapping hold. */
void config_read_baseline(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "baseline"), none = {.type = NODE_MAPPING};
    if (node && node->wrong)
        return;
    bool scalar = node && node->type == NODE_SCALAR && !node_not_given(node);
    if (scalar && !node_is_null(node) && !strcmp(node->text, "off"))
        return;
    struct binding binding = {config_baseline_fields, &reader->config->baseline};
    if (scalar || (node && node->type == NODE_SEQUENCE))
        node_key_problem(reader->problems, node, "must be off or a mapping, such as {every: 6h}");
    else
        fields_bind(&binding, 1, node && !scalar && node->type == NODE_MAPPING ? node : &none,
            reader->problems);
}
