/* Everything that an incident's folder has, read and decoded, for whoever analyses or shows it. The
 * folder may be anywhere: files come through a function. What cannot be read or decoded costs only
 * itself and says why. */
#ifndef REVIEW_EVIDENCE_H
#define REVIEW_EVIDENCE_H

#include "core/error.h"
#include "core/series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct incident;
struct profile;

/* Where files come from. read: at most max bytes of the file of that plain name into buf, which it
 * initialises and the caller frees, also after an error; -1 and err. */
struct evidence_place {
    int (*read)(void *arg, const char *name, size_t max, struct buf *buf, struct error *err);
    void *arg;
};

enum evidence_state {
    EVIDENCE_NONE,   /* there is none, or it is none to be decoded: see the problem */
    EVIDENCE_UNREAD, /* it could not be read */
    EVIDENCE_DAMAGED,
    EVIDENCE_WHOLE
};

/* One for each that the incident lists, in its order. */
struct evidence_profile {
    const char *name;          /* "cpu", as the incident lists it */
    struct profile *profile;   /* NULL: there is none to look at; then: */
    struct error problem;      /* why: a sentence */
    enum evidence_state state; /* of its file */
    struct error damage;       /* how it is not the file that was captured; "": it is, or none is */
    bool too_large;            /* it is sound as far as one can tell, and over the limits here */
    struct profile *base;      /* of the baseline's profile of the same name; NULL: there is none */
    struct error no_base;      /* why; "" when there is no baseline at all */
    size_t listed;             /* index in incident->profiles */
};

struct evidence {
    struct incident *incident;
    struct incident *baseline; /* NULL: there is none; then: */
    struct error no_baseline;  /* why */
    struct evidence_profile *profiles;
    size_t profile_count;
    struct series_set metrics; /* of metrics.csv; times are wall ms */
    struct error no_metrics;   /* why there are none; "": there are */
    size_t inflated_bytes;     /* what all profiles have, of what they may (evidence_limits) */
};

struct evidence_limits {
    /* The most that all profiles together may have when inflated, those of the baseline included.
     * What does not fit is left out, the first ones listed come first; so is a file of more than
     * 64 MiB. */
    size_t inflated_bytes;
};

/* Reads incident.json and all that it names; `baseline` is where the incident's baseline is stored
 * (NULL: nowhere). NULL and err only when incident.json itself cannot be read. */
struct evidence *evidence_read(const struct evidence_place *place,
    const struct evidence_place *baseline, const struct evidence_limits *limits, struct error *err);
void evidence_free(struct evidence *evidence);

/* The profile of that name when there is something to look at, or NULL. */
const struct evidence_profile *evidence_profile(const struct evidence *evidence, const char *name);

#endif
