/* A table of text in aligned columns, as long as one likes: rows are printed in batches, and what
 * the first batch needed sets the columns. */
#ifndef COMMANDS_TABLE_H
#define COMMANDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 10 };

/* How a cell is shown where colour is allowed: codes of ECMA-48, 8.3.117. */
enum table_colour {
    TABLE_PLAIN = 0,
    TABLE_BOLD = 1,
    TABLE_DIM = 2,
    TABLE_RED = 31,
    TABLE_GREEN = 32,
    TABLE_YELLOW = 33
};

struct table {
    const char *const *titles; /* NULL: no heading line */
    size_t columns;
    char **cells;               /* of the rows that wait, row after row; fit for a terminal */
    enum table_colour *colours; /* of these */
    unsigned right;  /* bits of the columns that are aligned right; the caller's to set */
    unsigned hidden; /* bits of the columns that are not shown, whatever they hold; as well */
    size_t rows;
    size_t widths[TABLE_COLUMNS_MAX]; /* in characters */
    bool headed;                      /* the heading line is printed */
};

/* How to print it. */
struct table_style {
    size_t indent;  /* spaces before each line */
    size_t columns; /* of the terminal: no line is longer; 0: not cut */
    bool colour;
};

/* The titles are not copied. */
void table_init(struct table *table, size_t columns, const char *const *titles);
void table_free(struct table *table);

/* Copies the cells, made fit for a terminal; NULL is an empty one. */
void table_add(struct table *table, const char *const *cells);

/* Shows a cell of the newest row in a colour. */
void table_colour(struct table *table, size_t column, enum table_colour colour);

/* Prints the rows that wait, below the titles at the first time, and forgets them. */
void table_flush(struct table *table, FILE *out, const struct table_style *style);

#endif
