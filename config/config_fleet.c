#include "config/config_parts.h"
#include "config/fields_text.h"

#include <string.h>

#define MINUTE INT64_C(60000)

const struct field config_fleet_fields[] = {
    {.key = "incidents",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct fleet_config, incidents),
        .min = 1,
        .max = 100,
        .required = 1,
        .help = "how many of the agents of one service take an incident of a trigger in each "
                "window"},
    {.key = "per",
        .type = FIELD_DURATION,
        .offset = offsetof(struct fleet_config, per_ms),
        .otherwise = "10m",
        .min = MINUTE,
        .max = 24 * 60 * MINUTE,
        .help = "how long a window is; the same for all of these agents"},
    {.key = NULL},
};

size_t config_fleet_exporter(const struct config *config, const struct config_kinds *kinds)
{
    size_t i = 0;
    while (i < config->exporter_count && !kinds->exporters[config->exporters[i].kind]->claims)
        i++;
    return i;
}

static void check_exporter(const struct config_reader *reader, const struct node *node)
{
    const struct config *config = reader->config;
    if (reader->needs->exporter && config->fleet.incidents &&
        config_fleet_exporter(config, reader->kinds) == config->exporter_count)
        node_key_problem(reader->problems, node,
            "needs a store that the agents share, and none of the exporters is one; give export: "
            "an s3: or a directory: that is mounted everywhere");
}

/* off, or a mapping. */
void config_read_fleet(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "fleet");
    if (!node || node->wrong || node_not_given(node))
        return;
    if (node->type == NODE_SCALAR && !node_is_null(node) && fields_is_off(node->text))
        return;
    if (node->type != NODE_MAPPING) {
        node_key_problem(
            reader->problems, node, "must be off or a mapping, such as {incidents: 3, per: 10m}");
        return;
    }
    struct binding binding = {config_fleet_fields, &reader->config->fleet};
    fields_bind(&binding, 1, node, reader->problems);
    check_exporter(reader, node);
}
