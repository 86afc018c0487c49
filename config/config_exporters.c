#include "config/config_parts.h"
#include "config/suggestion.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <string.h>

enum { EXPORTERS_MAX = 16 };

static void read_one(struct config_reader *reader, size_t index, const struct node *node)
{
    const struct kind *kind = reader->kinds->exporters[index];
    struct config *config = reader->config;
    if (config->exporter_count == EXPORTERS_MAX) {
        node_problem(
            reader->problems, node, "is one exporter too many; %d are allowed", EXPORTERS_MAX);
        return;
    }
    config->exporters = xrealloc(
        config->exporters, config->exporter_count + 1, sizeof *config->exporters);
    struct exporter_config *exporter = &config->exporters[config->exporter_count++];
    *exporter = (struct exporter_config){index, xcalloc(1, kind->options_size)};
    struct binding binding = {kind->fields, exporter->options};
    if (node->type == NODE_SCALAR && kind->short_key && !node_is_null(node))
        fields_bind_short(&binding, kind->short_key, node, reader->problems);
    else
        fields_bind(&binding, 1, node, reader->problems);
    config_validate(reader, kind, exporter->options, node);
    if (kind->complete)
        kind->complete(exporter->options);
}

static void read_kind(struct config_reader *reader, size_t index, const struct node *node)
{
    if (node->type != NODE_SEQUENCE) {
        read_one(reader, index, node);
        return;
    }
    if (node->count == 0)
        node_problem(reader->problems, node, "is an empty list; leave the key out");
    for (size_t i = 0; i < node->count; i++)
        read_one(reader, index, node->children[i]);
}

static void unknown_exporter(const struct config_reader *reader, const struct node *node)
{
    struct suggestion suggestion;
    char likely[SUGGESTION_TEXT_SIZE];
    struct buf list;
    suggestion_init(&suggestion, node->key);
    buf_init(&list, 300);
    for (size_t i = 0; reader->kinds->exporters[i]; i++) {
        suggestion_offer(&suggestion, reader->kinds->exporters[i]->name);
        buf_printf(&list, "%s%s", i ? ", " : "", reader->kinds->exporters[i]->name);
    }
    node_key_problem(reader->problems, node, "is not known; known here: %s%s", list.data,
        suggestion_format(&suggestion, likely));
    buf_free(&list);
}

static void read_entry(struct config_reader *reader, const struct node *node)
{
    for (size_t i = 0; reader->kinds->exporters[i]; i++) {
        if (!strcmp(reader->kinds->exporters[i]->name, node->key)) {
            read_kind(reader, i, node);
            return;
        }
    }
    unknown_exporter(reader, node);
}

/* What was not understood may be a store. */
static bool may_store(const struct config_reader *reader, const struct node *export)
{
    const struct config *config = reader->config;
    bool none = config->exporter_count > 0 && reader->problems->count == 0;
    for (size_t i = 0; none && i < config->exporter_count; i++)
        none = reader->kinds->exporters[config->exporters[i].kind]->stores_none;
    return export->count > 0 && !none;
}

/* Links lead into a store that can make them. */
static void check_links(struct config_reader *reader, const struct node *root)
{
    const struct config *config = reader->config;
    bool can = config->exporter_count == 0; /* that is told already, or not needed */
    for (size_t i = 0; i < config->exporter_count; i++)
        can = can || reader->kinds->exporters[config->exporters[i].kind]->links;
    if (config->report_links_ms && !can)
        node_problem(reader->problems, node_get(root, "report_links"),
            "needs export.s3: presigned links lead there");
}

void config_read_exporters(struct config_reader *reader, const struct node *root)
{
    const struct node *export = node_get(root, "export");
    if (!export) {
        if (reader->needs->exporter)
            node_missing(reader->problems, root, "export",
                "is missing (where incidents are stored, such as export: {directory: /captures})");
        return;
    }
    if (!config_is_mapping(reader, export, "a mapping such as {directory: /captures}"))
        return;
    for (size_t i = 0; i < export->count; i++)
        read_entry(reader, export->children[i]);
    if (!may_store(reader, export) && reader->needs->exporter)
        node_key_problem(reader->problems, export,
            "names no place to store incidents; give it directory: or s3:");
    check_links(reader, root);
}
