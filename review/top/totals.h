/* What each function of a profile accounts for, by name: the numbers below every table, the suspect
 * and every comparison of two profiles. */
#ifndef REVIEW_TOTALS_H
#define REVIEW_TOTALS_H

#include "review/profile/hash_index.h"

#include <stddef.h>
#include <stdint.h>

struct profile;

/* Texts live as long as the profile and the totals. A function without a name counts as its address
 * in hex, as profilers print it. */
struct function_total {
    const char *name, *file; /* file "": not known */
    int64_t line;            /* where it begins; 0: not known */
    int64_t flat;            /* its own, in the sample type's unit */
    int64_t cum;             /* with all that it called; once a sample, however deep it recurses */
};

struct totals {
    struct function_total *functions; /* by falling cum, then by name */
    size_t count;
    int64_t total; /* of all samples */
    struct hash_index by_name;
    char *addresses; /* texts that the profile does not have */
};

/* sample_type: an index of profile->sample_types. Filled in any case; totals_free frees it. */
void totals_of(const struct profile *profile, uint32_t sample_type, struct totals *totals);
void totals_free(struct totals *totals);

/* The function of that name, or NULL. */
const struct function_total *totals_find(const struct totals *totals, const char *name);

/* Which sample type a name means: its type ("cpu", "inuse_space") or its number, counted from 0,
 * or, when name is NULL, the profile's default as `go tool pprof` chooses it: the one that it
 * names, else the last. -1: there is none. */
int totals_sample_type(const struct profile *profile, const char *name);

#endif
