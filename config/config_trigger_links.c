#include "config/config_parts.h"
#include "config/suggestion.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

/* How far the order has come with a trigger. */
enum visit { UNSEEN, ENTERED, ORDERED };

static const size_t none = SIZE_MAX;

static size_t find_trigger(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->trigger_count; i++)
        if (!strcmp(config->triggers[i].name, name))
            return i;
    return none;
}

static void unknown_trigger(struct config_reader *reader, const char *name, const struct node *node)
{
    struct suggestion suggestion;
    char likely[SUGGESTION_TEXT_SIZE];
    struct buf list;
    suggestion_init(&suggestion, name);
    buf_init(&list, 300);
    for (size_t i = 0; i < reader->config->trigger_count; i++) {
        const struct trigger_config *trigger = &reader->config->triggers[i];
        if (reader->kinds->triggers[trigger->kind]->never_fires)
            continue;
        suggestion_offer(&suggestion, trigger->name);
        buf_printf(&list, "%s%s", list.size ? ", " : "", trigger->name);
    }
    node_problem(reader->problems, node, "\"%.80s\" is none of the triggers %s%s", name, list.data,
        suggestion_format(&suggestion, likely));
    buf_free(&list);
}

static void add_member(struct config_reader *reader, const struct node *mapping, size_t index,
    const char *name, const struct node *node)
{
    struct trigger_config *trigger = &reader->config->triggers[index];
    size_t member = find_trigger(reader->config, name);
    if (member == none) {
        /* What is wrong with one that could not be read was told already. */
        if (!node_get(mapping, name))
            unknown_trigger(reader, name, node);
        return;
    }
    const struct trigger_config *found = &reader->config->triggers[member];
    if (reader->kinds->triggers[found->kind]->never_fires) {
        node_problem(
            reader->problems, node, "%s never fires; name the trigger that it is of", found->name);
        return;
    }
    size_t count = trigger->scope.member_count;
    trigger->members = xrealloc(trigger->members, count + 1, sizeof *trigger->members);
    trigger->member_names = xrealloc(
        trigger->member_names, count + 1, sizeof *trigger->member_names);
    trigger->members[count] = member;
    trigger->member_names[count] = found->name;
    trigger->scope.members = trigger->member_names;
    trigger->scope.member_count = count + 1;
}

/* Every name of a trigger that the options hold; node is the trigger's in the mapping of all. */
static void add_members(struct config_reader *reader, const struct node *mapping, size_t index,
    const struct field *fields, const void *options, const struct node *node)
{
    for (const struct field *field = fields; field && field->key; field++) {
        const void *value = (const char *)options + field->offset;
        const struct node *child = node->type == NODE_MAPPING ? node_get(node, field->key) : NULL;
        if (!child)
            continue;
        if (field->type == FIELD_STRUCT)
            add_members(reader, mapping, index, field->fields, value, child);
        if (field->type == FIELD_TRIGGER && *(char *const *)value)
            add_member(reader, mapping, index, *(char *const *)value, child);
        const struct name_list *list = value;
        for (size_t i = 0; field->type == FIELD_TRIGGERS && i < list->count; i++)
            add_member(reader, mapping, index, list->names[i],
                child->type == NODE_SEQUENCE && i < child->count ? child->children[i] : child);
    }
}

/* Puts the trigger behind all that it looks at; false when it looks at itself in the end. */
static bool put_in_order(struct config *config, size_t index, enum visit *visits, size_t *ordered)
{
    struct trigger_config *trigger = &config->triggers[index];
    if (visits[index] != UNSEEN)
        return visits[index] == ORDERED;
    visits[index] = ENTERED;
    for (size_t i = 0; i < trigger->scope.member_count; i++)
        if (!put_in_order(config, trigger->members[i], visits, ordered))
            return false;
    visits[index] = ORDERED;
    config->trigger_order[(*ordered)++] = index;
    if (trigger->scope.member_count)
        trigger->app = config->triggers[trigger->members[0]].app;
    return true;
}

void config_link_triggers(struct config_reader *reader, const struct node *mapping)
{
    struct config *config = reader->config;
    size_t ordered = 0;
    for (size_t i = 0; i < config->trigger_count; i++) {
        struct trigger_config *trigger = &config->triggers[i];
        add_members(reader, mapping, i, reader->kinds->triggers[trigger->kind]->fields,
            trigger->options, node_get(mapping, trigger->name));
    }
    config->trigger_order = xcalloc(config->trigger_count, sizeof *config->trigger_order);
    enum visit *visits = xcalloc(config->trigger_count, sizeof *visits);
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct node *node = node_get(mapping, config->triggers[i].name);
        if (visits[i] == UNSEEN && !put_in_order(config, i, visits, &ordered))
            node_key_problem(reader->problems, node,
                "looks at itself, through the triggers that it names; break the circle");
    }
    free(visits);
}
