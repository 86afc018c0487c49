/* The way from the outermost function to one that stands out, and what it spends its time in. */
#ifndef REVIEW_SUSPECT_PATH_H
#define REVIEW_SUSPECT_PATH_H

#include <stddef.h>
#include <stdint.h>

struct stacks;

/* Names of functions from the outermost to this one, along what has most; repetitions are left out,
 * and the middle where there are more than INCIDENT_PATH_MAX. The caller frees each and the array.
 */
char **suspect_path(const struct stacks *stacks, uint32_t function, size_t *count);

/* The function that is not the app's own and that the function itself calls for most of what it
 * has, and the percentage of its own stacks that this is; SUSPECT_NONE: it calls none. */
uint32_t suspect_path_callee(const struct stacks *stacks, uint32_t function, double *percent);

/* The line within the function that has most; 0: not known. */
int64_t suspect_path_line(const struct stacks *stacks, uint32_t function);

#endif
