/* Whose code a function is: the app's own, a library's, the language's. For Go it is found out from
 * names and paths of files; for other languages only prefixes that the user gives tell it. */
#ifndef REVIEW_OWNERS_H
#define REVIEW_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evidence;
struct owners;
struct profile;

enum owner {
    OWNER_UNKNOWN,  /* not Go's and no prefix matches, or it has no name */
    OWNER_RUNTIME,  /* of Go: scheduler, memory, maps */
    OWNER_STANDARD, /* the rest of Go's standard library */
    OWNER_LIBRARY,  /* another module: vendored, from the module cache */
    OWNER_OWN       /* the app's */
};

/* What the profiles of an incident and of its baseline, and incident->own_code tell. The caller
 * frees it; it does not need the evidence any longer. */
struct owners *owners_learn(const struct evidence *evidence);
void owners_free(struct owners *owners);

/* Whether they are profiles of a Go program. */
bool owners_is_go(const struct owners *owners);

/* Of a function by its name and file as the profile has them ("": not known). */
enum owner owners_of(const struct owners *owners, const char *name, const char *file);

#endif
