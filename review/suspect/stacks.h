/* The stacks of a profile and of its baseline over one table of functions, reduced to what tells
 * whose fault something is: the app's own functions, and what kind of work is below them. */
#ifndef REVIEW_STACKS_H
#define REVIEW_STACKS_H

#include "review/suspect/owners.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;

enum { STACKS_FRAMES_MAX = 4096 }; /* of one sample; the outermost are left out */

/* What a stack has in it. */
enum stacks_mark {
    STACKS_GC = 1,         /* the collector's own goroutines */
    STACKS_SCHEDULER = 2,  /* looks for the next goroutine to run */
    STACKS_ALLOCATES = 4,  /* makes what the collector has to look at */
    STACKS_BLOCKS = 8,     /* waits or wakes, which the scheduler has to follow up */
    STACKS_DATABASE = 16,  /* within a database's driver */
    STACKS_PASSES_ON = 32, /* a router: what is above it merely passes a request on */
    STACKS_NAMELESS = 64   /* some frame has no name */
};

struct stacks_function {
    const char *name, *file; /* a function without a name: its address in hex */
    enum owner owner;
    unsigned marks; /* of enum stacks_mark */
    bool passes_on; /* own code that calls a router for most of what it has */
};

struct stacks_sample {
    double weight;                 /* in the sample type's unit */
    uint32_t first_own, own_count; /* in `own`: indices of functions, the outermost first */
    unsigned marks;                /* of all its functions */
    bool has_own;                  /* own code that does not only pass a request on */
};

struct stacks_side {
    const struct profile *profile; /* NULL: this side has nothing */
    uint32_t sample_type;
    struct stacks_sample *samples; /* as in the profile */
    uint32_t *own;
    double total;          /* of all samples */
    uint32_t *of_function; /* the profile's function -> ours */
    uint32_t *of_location; /* for locations without a line */
};

struct stacks {
    struct stacks_function *functions;
    uint32_t count;
    struct stacks_side spike, base; /* base.profile NULL: there is no baseline */
    char **addresses;               /* names that are ours */
    uint32_t address_count;
};

/* The sample type's index in both profiles; base may be NULL. The profiles outlive it. The caller
 * frees it. */
struct stacks *stacks_open(const struct owners *owners, const struct profile *spike,
    uint32_t spike_type, const struct profile *base, uint32_t base_type);
void stacks_close(struct stacks *stacks);

/* All functions of a sample, the outermost first, into frames[STACKS_FRAMES_MAX]; how many. */
uint32_t stacks_frames(const struct stacks_side *side, uint32_t sample, uint32_t *frames);

#endif
