/* What `list` and `show` tell of an incident's group. */
#ifndef COMMANDS_HISTORY_VIEW_H
#define COMMANDS_HISTORY_VIEW_H

#include "commands/table.h"
#include "review/history/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* "14×, every 30 min, +3%/week"; with `one`, of the incident that was asked for: "3rd of 14, ...".
 * The caller frees. */
char *history_view_times(const struct history *history, bool one, bool unicode);

enum table_colour history_view_colour(enum verdict verdict);

/* Prints incident.json, which is an object, as it is stored, with `group` if it has none, and
 * `history`. No line end. */
void history_view_json(
    const char *text, size_t size, const char *group, const struct history *history, FILE *out);

#endif
