/* Inside top: functions as nodes, and who calls whom where it matters. */
#ifndef REVIEW_TOP_GRAPH_H
#define REVIEW_TOP_GRAPH_H

#include "review/profile/profile.h"
#include "review/top/shown_name.h"

struct error;

/* What samples are counted for: a function's name, whatever it is in, or else a file. Sums have no
 * sign, so that they may wrap. */
struct top_node {
    struct shown_name name; /* size 0: none, then: */
    const char *file;       /* of the mapping; "": not known */
    int64_t start_line;
    struct shown_name printed;
    uint64_t flat, cum;
    bool kept;
    bool has_inline_frames;     /* is the inner function of a location somewhere */
    bool called_inline, called; /* has a caller into which it was inlined; another one */
};

struct top_graph {
    const struct profile *profile;
    struct shown_name *names; /* of functions */
    struct shown_texts texts; /* that are not the profile's */
    struct top_node *nodes;
    uint32_t node_count, node_capacity;
    /* Location i has the frames first[i] to first[i + 1], the innermost first; a frame is a node.
     */
    uint32_t *first, *frames;
    uint32_t *begins;    /* of samples: locations at the leaf that are left out; NULL: none */
    unsigned char *cuts; /* of locations, see top_prune.c; NULL: none */
    uint32_t *cut_lines; /* of locations: inner lines that are left out; NULL: none */
};

static inline int64_t top_absolute(uint64_t value)
{
    int64_t number = (int64_t)value;
    return number < 0 ? (int64_t)(0 - value) : number;
}

/* The graph of a profile with nothing counted. -1 and err as top_make. */
int top_graph_make(struct top_graph **graph, const struct profile *profile, struct error *err);
void top_graph_free(struct top_graph *graph);

/* The file of the profiled program; "": not known. And the last part of a path. */
const char *top_graph_program(const struct profile *profile);
struct shown_name top_graph_base(const char *path);

/* top_count.c: counts flat and cum of all nodes. */
void top_graph_count(struct top_graph *graph, uint32_t sample_type);

/* Finds out which of the kept nodes are inlined, among kept nodes only and by calls that have at
 * least that much of the samples. */
void top_graph_find_inlined(struct top_graph *graph, uint32_t sample_type, int64_t cutoff);

/* top_prune.c: leaves out what drop_frames and keep_frames say. -1 and err as top_make. */
int top_prune(struct top_graph *graph, struct error *err);

#endif
