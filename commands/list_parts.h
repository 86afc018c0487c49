/* What the rows of `stakeout list` are inside: they are collected in list_rows.c and printed in
 * list_print.c. */
#ifndef COMMANDS_LIST_PARTS_H
#define COMMANDS_LIST_PARTS_H

#include "commands/list_rows.h"
#include "commands/table.h"
#include "core/known.h"
#include "review/history/history.h"
#include "review/history/mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct history_book;

/* Texts that are not kept are NULL. */
struct row {
    struct history_entry entry; /* its texts are owned by the row */
    char *headline, *suspect, *peak, *spark;
    int64_t offset; /* of incident.json in the rows' file */
    size_t size;
    struct mark mark; /* where it was read */
    size_t lead;      /* index of the newest of its group, of which there is one row a group */
    struct history *history; /* of its group, there; NULL: not made yet */
};

struct service {
    char *name;
    struct known known;
};

struct list_rows {
    enum list_use use;
    struct row *all;
    size_t count, capacity;
    struct service *services;
    size_t service_count;
    size_t *leads; /* by group: 1 + the index of the newest; 0: empty */
    size_t lead_slots;
    FILE *texts; /* LIST_JSON */
};

struct history_book *list_rows_book(const struct list_rows *rows);

/* The history of the row's group, as seen from it. */
const struct history *list_rows_history_of(
    struct list_rows *rows, const struct history_book *book, const struct row *row, int64_t now_ms);

#endif
