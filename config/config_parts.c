#include "config/config_parts.h"
#include "core/error.h"

#include <string.h>

bool config_is_mapping(struct config_reader *reader, const struct node *node, const char *of_what)
{
    if (node->wrong)
        return false;
    if (node->type == NODE_MAPPING)
        return true;
    if (node_is_null(node))
        node_key_problem(
            reader->problems, node, "is empty; give it %s or leave the key out", of_what);
    else
        node_problem(reader->problems, node, "must be %s, not %s", of_what, node_type_name(node));
    return false;
}

static void blame(const struct config_reader *reader, const struct node *node, const char *key,
    const struct error *err)
{
    const struct node *blamed = key ? node_get(node, key) : NULL;
    if (blamed)
        node_problem(reader->problems, blamed, "%s", err->text);
    else if (key)
        node_missing(reader->problems, node, key, "%s", err->text);
    else
        node_key_problem(reader->problems, node, "%s", err->text);
}

void config_validate(const struct config_reader *reader, const struct kind *kind,
    const void *options, const struct node *node)
{
    const char *last = NULL, *key = NULL;
    struct error err;
    while (kind->validate && kind->validate(options, &key, &err) < 0) {
        if (last && key && !strcmp(last, key))
            break;
        blame(reader, node, key, &err);
        if (!key)
            break;
        last = key;
    }
}
