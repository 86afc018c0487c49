/* The rows of `stakeout list`: one an incident, or one a group with the newest of its incidents. */
#ifndef COMMANDS_LIST_ROWS_H
#define COMMANDS_LIST_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;
struct history;
struct known;
struct list_rows;
struct list_table;
struct store_incident;

/* What is kept of each incident, as there may be a hundred thousand. */
enum list_use {
    LIST_ROWS,   /* what is in its row */
    LIST_GROUPS, /* that only of the newest of each group */
    LIST_JSON,   /* incident.json, in a temporary file */
    LIST_HISTORY /* what a history is made of */
};

struct list_style {
    bool grouped;      /* one row a group; what is known is folded into a line at the end */
    const char *group; /* only this one; NULL: all */
    bool colour, unicode;
    bool one_service; /* it is not named, as all rows are of it */
    size_t columns;   /* of the terminal: columns are left out to fit it; 0: none, nothing is cut */
};

struct list_rows *list_rows_new(enum list_use use);
void list_rows_free(struct list_rows *rows);

/* Takes what a row needs of an incident that could be read; in the order of the list, newest first.
 * -1 and err when there is no room for the temporary file. */
int list_rows_add(struct list_rows *rows, const struct store_incident *stored, struct error *err);

size_t list_rows_count(const struct list_rows *rows);

/* The services that there are, for their known groups: NULL at the end. */
const char *list_rows_service(const struct list_rows *rows, size_t index);

/* The groups that are known of the service of that index; taken over. */
void list_rows_set_known(struct list_rows *rows, size_t index, struct known *known);

/* The history of a group as seen from one of its incidents, which counts as of that group whatever
 * is stored of it. history_free in any case. */
void list_rows_history(struct list_rows *rows, const char *service, const char *id,
    const char *group, int64_t now_ms, struct history *history);

/* Prints the table; the number of rows in it. now_ms: wall. */
size_t list_rows_print(
    struct list_rows *rows, const struct list_style *style, int64_t now_ms, FILE *out);

/* Prints every incident.json as it is stored, with `history` and what is noted added, in one array;
 * the number of incidents in it. -1 and err when the temporary file cannot be read. */
int list_rows_print_json(struct list_rows *rows, const char *group, int64_t now_ms, FILE *out,
    size_t *printed, struct error *err);

/* A table that goes on: of rows that are printed as they come, and forgotten. It lacks what needs
 * all of them: the verdict and how often. The style outlives it. */
struct list_table *list_table_new(const struct list_style *style);
void list_table_free(struct list_table *table);

/* Prints the rows that there are, and forgets them; how many were printed. */
size_t list_table_flush(struct list_table *table, struct list_rows *rows, FILE *out);

/* Forgets the rows, not the services. */
void list_rows_clear(struct list_rows *rows);

#endif
