/* The goroutines of a Go program by what they do: those with the same stack are a group. */
#ifndef REVIEW_GOROUTINES_H
#define REVIEW_GOROUTINES_H

#include <stddef.h>
#include <stdint.h>

struct owners;
struct profile;

/* Texts live as long as the profiles, and as what holds them. */
struct goroutine_group {
    int64_t count, base_count; /* goroutines; base_count -1: there is no baseline */
    const char *state;         /* "waiting for a lock"; of our own, never NULL */
    const char *own;           /* the deepest function of the app's own code; NULL: none */
    const char **frames;       /* names of functions, the outermost first */
    size_t frame_count;        /* at most GOROUTINES_FRAMES_MAX: the outermost are left out */
};

struct goroutines {
    struct goroutine_group *groups; /* by falling growth (without a baseline: count) */
    size_t count;              /* at most GOROUTINES_GROUPS_MAX, the rest is in the totals only */
    size_t left_out;           /* groups */
    int64_t total, base_total; /* goroutines; base_total -1: there is no baseline */
    char **names;              /* of functions that have none of their own: their addresses */
    size_t name_count;
};

enum { GOROUTINES_GROUPS_MAX = 1000, GOROUTINES_FRAMES_MAX = 200 };

/* profile: of the kind goroutine, in its pprof form; base: the same of the baseline, or NULL.
 * Groups that are gone (count 0) are among them. Filled in any case; goroutines_free frees it. */
void goroutines_of(const struct profile *profile, const struct profile *base,
    const struct owners *owners, struct goroutines *goroutines);
void goroutines_free(struct goroutines *goroutines);

#endif
