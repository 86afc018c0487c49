/* Names of functions as a page shows them: whatever a profile calls a function, it is one line of a
 * bounded length. */
#ifndef REVIEW_NAMES_H
#define REVIEW_NAMES_H

#include <stddef.h>

/* At most max bytes (and never less than 16) of a name, with an ellipsis for what is left out of
 * its middle: the package is at its beginning, the function at its end. Characters are whole. Line
 * ends and other control characters are spaces. The caller frees it. */
char *names_line(const char *name, size_t max);

/* The same of the name without the path of its package: "game.(*DBStore).List" of
 * "woogles/pkg/stores/game.(*DBStore).List". */
char *names_label(const char *name, size_t max);

#endif
