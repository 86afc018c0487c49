/* Go's collector and scheduler work on goroutines of their own: their time is charged to those who
 * make the work, by how much of it they do in the same profile. */
#ifndef REVIEW_SUSPECT_CHARGE_H
#define REVIEW_SUSPECT_CHARGE_H

#include "review/suspect/suspect_select.h"

struct stacks_side;

/* The weights of a side's samples with the time of the rest (SUSPECT_COLLECTOR: charged to what
 * allocates; SUSPECT_SCHEDULER: to what waits and wakes) spread over its causes; the caller frees
 * them. `causes` is what these have by themselves; with 0, nothing is charged. */
double *suspect_charge(const struct stacks_side *side, enum suspect_rest rest, double *causes);

#endif
