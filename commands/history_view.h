/* What `list` and `show` tell of an incident's group. */
#ifndef COMMANDS_HISTORY_VIEW_H
#define COMMANDS_HISTORY_VIEW_H

#include "commands/table.h"
#include "review/history/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mark;

/* "14×, every 30 min, +3%/week"; with `one`, of the incident that was asked for: "3rd of 14, ...".
 * The caller frees. */
char *history_view_times(const struct history *history, bool one, bool unicode);

enum table_colour history_view_colour(enum verdict verdict);

/* What is added to an incident.json. NULL: nothing. */
struct history_view_added {
    const char *group; /* if it has none */
    const struct history *history;
    const struct mark *mark; /* as `review`, if there is something in it */
};

/* Prints incident.json, which is an object, as it is stored, and what is added. No line end. */
void history_view_json(
    const char *text, size_t size, const struct history_view_added *added, FILE *out);

#endif
