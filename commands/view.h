/* One incident for people: the same facts as text for a terminal and as Markdown for an issue. */
#ifndef COMMANDS_VIEW_H
#define COMMANDS_VIEW_H

#include "commands/table.h"

#include <stdio.h>

struct evidence;
struct history;
struct incident;
struct mark;
struct store_incident;

/* All text is as it was stored, apart from what table.h says of cells. */
struct view {
    char *headline;
    char *verdict;        /* "14th time since 2 November, every 30 min"; NULL: not known */
    struct table suspect; /* label, text */
    char *source;         /* link to the suspect; NULL: there is none */
    char *growth_title;   /* what the table of functions is of; NULL: there is none */
    struct table growth;  /* with titles; the last column is the function */
    char **growth_links;  /* one for each of its rows; NULL: none */
    size_t growth_count;
    struct table statements; /* of databases; with titles, the last column is the statement */
    struct table ongoing;    /* what they had not ended; likewise */
    struct table facts;      /* label, text */
    struct table profiles;   /* with titles */
    struct table peaks;      /* metric, value, chart */
    char *open;              /* shell commands that open the CPU profile; NULL: there is none */
};

/* What else there is. NULL: it is not known. */
struct view_extras {
    const char *endpoint;            /* of the S3-compatible store, for shell commands */
    const struct evidence *evidence; /* its incident is shown in place of the stored one */
    const struct history *history;
    const struct mark *mark; /* what somebody noted about it */
};

void view_init(
    struct view *view, const struct store_incident *stored, const struct view_extras *extras);
void view_free(struct view *view);

/* They print the tables' rows, once. */
void view_print_text(struct view *view, FILE *out);
void view_print_markdown(struct view *view, FILE *out);

#endif
