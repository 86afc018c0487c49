/* One incident for people: the same facts as text for a terminal and as Markdown for an issue. */
#ifndef COMMANDS_VIEW_H
#define COMMANDS_VIEW_H

#include "commands/table.h"

#include <stdio.h>

struct store_incident;

/* All text is as it was stored, apart from what table.h says of cells. */
struct view {
    char *headline;
    struct table facts;    /* label, text */
    struct table profiles; /* with titles */
    struct table peaks;    /* metric, value */
    char *open;            /* shell commands that open the CPU profile; NULL: there is none */
};

/* `endpoint` is the S3-compatible store's URL for the shell commands; NULL: a folder, or AWS. */
void view_init(struct view *view, const struct store_incident *stored, const char *endpoint);
void view_free(struct view *view);

/* They print the tables' rows, once. */
void view_print_text(struct view *view, FILE *out);
void view_print_markdown(struct view *view, FILE *out);

#endif
