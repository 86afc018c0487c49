#include "review/web/web_groups.h"

#include "core/alloc.h"
#include "review/web/web_filter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Groups by name: open addressing, at most half full. */
struct table {
    size_t *slots; /* index of a group plus 1; 0: free */
    size_t mask;
};

/* Collected for every group, also for those that are not shown. */
struct collected {
    struct web_group group;
    size_t last; /* its oldest incident so far */
};

/* FNV-1a, 64 bit (Fowler, Noll, Vo). */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static void table_init(struct table *table, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    table->slots = xcalloc(size, sizeof *table->slots);
    table->mask = size - 1;
}

/* What cannot be read is of no group: it stands for itself. */
static const char *name_of(const struct web_summary *summary, bool single)
{
    return single || !*summary->group ? summary->id : summary->group;
}

/* The slot of the group of that name, free when there is none yet. */
static size_t *slot_of(const struct table *table, const struct collected *all,
    const struct web_index_view *view, const char *name, bool single)
{
    for (size_t at = (size_t)hash_of(name);; at++) {
        size_t *slot = &table->slots[at & table->mask];
        if (*slot == 0)
            return slot;
        const struct web_group *group = &all[*slot - 1].group;
        if (!strcmp(name_of(view->summaries[group->newest], single), name))
            return slot;
    }
}

static void add(struct collected *group, size_t incident, size_t *next)
{
    if (group->group.count++ == 0)
        group->group.newest = incident;
    else
        next[group->last] = incident;
    group->last = incident;
    next[incident] = SIZE_MAX;
}

static int compare_groups(const void *left, const void *right)
{
    const struct web_group *a = left, *b = right;
    return web_summary_compare(a->shown->id, a->shown->service, b->shown);
}

/* Keeps what is to be shown. */
static void keep(struct web_groups *groups, const struct collected *all, size_t count)
{
    groups->all = xcalloc(count + 1, sizeof *groups->all);
    for (size_t i = 0; i < count; i++)
        if (all[i].group.shown)
            groups->all[groups->count++] = all[i].group;
    if (groups->count > 1)
        qsort(groups->all, groups->count, sizeof *groups->all, compare_groups);
}

void web_groups_make(struct web_groups *groups, const struct web_index_view *view,
    const struct web_filter *filter, bool single)
{
    struct table table;
    size_t count = 0;
    struct collected *all = xcalloc(view->count + 1, sizeof *all);
    *groups = (struct web_groups){
        .view = view, .next = xcalloc(view->count + 1, sizeof *groups->next)};
    table_init(&table, view->count);
    for (size_t i = 0; i < view->count; i++) {
        const struct web_summary *summary = view->summaries[i];
        size_t *slot = slot_of(&table, all, view, name_of(summary, single), single);
        if (*slot == 0)
            *slot = ++count;
        struct collected *group = &all[*slot - 1];
        add(group, i, groups->next);
        if (!web_filter_matches(filter, summary))
            continue;
        groups->incidents++;
        group->group.matching++;
        if (!group->group.shown)
            group->group.shown = summary;
    }
    keep(groups, all, count);
    free(table.slots);
    free(all);
}

void web_groups_set_aside(struct web_groups *groups,
    bool (*is_aside)(void *arg, const struct web_group *group), void *arg)
{
    struct web_group *aside = xcalloc(groups->count + 1, sizeof *aside);
    size_t kept = 0;
    for (size_t i = 0; i < groups->count; i++) {
        if (is_aside(arg, &groups->all[i]))
            aside[groups->aside++] = groups->all[i];
        else
            groups->all[kept++] = groups->all[i];
    }
    memcpy(&groups->all[kept], aside, groups->aside * sizeof *aside);
    groups->count = kept;
    free(aside);
}

void web_groups_free(struct web_groups *groups)
{
    free(groups->all);
    free(groups->next);
    *groups = (struct web_groups){0};
}
