/* The table of `go tool pprof -top`: which functions a profile's samples are in, as pprof counts,
 * drops, sorts and prints them (github.com/google/pprof: internal/graph and internal/report, as of
 * Go 1.19). Two things that pprof does are left out: it looks for the programs on this machine when
 * a profile has no functions, and it translates mangled names of C++. */
#ifndef REVIEW_TOP_H
#define REVIEW_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct profile;

struct top_options {
    const char *sample_type; /* as for totals_sample_type; NULL: the profile's default */
    bool by_cum;             /* sort by cum, not flat */
    uint64_t row_count;      /* the most; 0: all */
    double fraction;         /* functions with less of the sum of all are dropped */
};

#define TOP_FRACTION 0.005 /* pprof's default */

enum top_inlined { TOP_NOT_INLINED, TOP_INLINED, TOP_PARTLY_INLINED };

/* A function; what has no name is its program's file in brackets. */
struct top_row {
    const char *name;
    size_t name_size; /* bytes, of which any may be NUL */
    enum top_inlined inlined;
    int64_t flat, cum; /* in the sample type's unit */
};

struct top {
    struct profile *profile; /* owned; texts are its or the graph's */
    struct top_graph *graph; /* owned */
    struct top_row *rows;
    size_t row_count;
    size_t kept_count,
        dropped_count; /* functions before row_count was applied; below the fraction */
    int64_t total;     /* of what samples have, without their signs */
    uint32_t sample_type;
    const char *unit, *shown_unit; /* of the sample type; in which values are printed */
    double fraction;
};

/* Makes the table of a profile, less a base, which may be NULL. Takes both over, also after an
 * error: -1 and err when there is no such sample type, the base is of another kind, or what the
 * profile wants to have dropped cannot be found in bounded time. top_free in any case. */
int top_make(struct top *top, struct profile *profile, struct profile *base,
    const struct top_options *options, struct error *err);
void top_free(struct top *top);

/* Appends the header lines and the table as pprof prints them. `safe`, unless it is NULL, makes
 * text fit for where it goes; what it returns is freed. */
void top_print(const struct top *top, char *(*safe)(const char *text), struct buf *out);

/* The same as one JSON object. */
void top_print_json(const struct top *top, struct buf *out);

#endif
