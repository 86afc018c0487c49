/* The rows of the list: incidents of the same group as one, the newest first. */
#ifndef REVIEW_WEB_GROUPS_H
#define REVIEW_WEB_GROUPS_H

#include "review/web/web_index.h"

#include <stdbool.h>
#include <stddef.h>

struct web_filter;

struct web_group {
    const struct web_summary *shown; /* its newest incident that the filter lets through */
    size_t newest;                   /* where its incidents begin: an index of the view */
    size_t count;                    /* its incidents, whatever the filter says */
    size_t matching;                 /* those that the filter lets through */
};

struct web_groups {
    const struct web_index_view *view;
    struct web_group *all; /* those with something to show, newest first */
    size_t count;
    size_t aside;     /* that come after these in `all`, newest first as well */
    size_t incidents; /* that the filter lets through */
    size_t *next; /* of every incident: the next older one of its group; SIZE_MAX: there is none */
};

/* While the index is held. With `single` every incident is a row of its own. web_groups_free in any
 * case. */
void web_groups_make(struct web_groups *groups, const struct web_index_view *view,
    const struct web_filter *filter, bool single);
/* Puts the groups aside for which this is true. Once. */
void web_groups_set_aside(struct web_groups *groups,
    bool (*is_aside)(void *arg, const struct web_group *group), void *arg);
void web_groups_free(struct web_groups *groups);

#endif
