/* Inside the flame tree: what the frames of a profile's stacks are called. */
#ifndef REVIEW_FLAME_NAMES_H
#define REVIEW_FLAME_NAMES_H

#include "review/compare/flame_stacks.h"
#include "review/profile/hash_index.h"

/* A location as frames, the innermost first: frames[first[location]] up to first[location + 1],
 * indices of stacks->names. Each location has at least one. */
struct flame_frames {
    uint32_t *frames;
    size_t *first;
};

enum { FLAME_NAME_ALL, FLAME_NAME_OTHER, FLAME_NAME_DEEPER, FLAME_NAMES_OF_OUR_OWN };

/* Names that are not functions, to begin with. */
void flame_names_init(struct flame_stacks *stacks);

/* Adds the names of a profile; by_text, which begins zeroed, knows those that are there. The caller
 * frees the frames. */
void flame_names_add(struct flame_stacks *stacks, struct hash_index *by_text,
    const struct profile *profile, struct flame_frames *frames);
void flame_frames_free(struct flame_frames *frames);

#endif
