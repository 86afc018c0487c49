/* What kinds of work are told by the names of functions, for stacks.h. */
#ifndef REVIEW_STACKS_MARKS_H
#define REVIEW_STACKS_MARKS_H

#include <stdbool.h>

/* enum stacks_mark of a function that is not the app's own. */
unsigned stacks_marks_of(const char *name, bool is_go);

/* Whether it passes requests on by its name, also when it is the app's own. */
bool stacks_marks_is_router(const char *name);

#endif
