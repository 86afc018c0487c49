/* Which functions grew and which shrank between a base and a profile: the totals of both by name.
 */
#ifndef REVIEW_GROWTH_H
#define REVIEW_GROWTH_H

#include "review/compare/comparison.h"
#include "review/top/totals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;

struct growth_function {
    const char *name, *file;        /* file "": not known */
    int64_t line;                   /* where it begins; 0: not known */
    int64_t flat, cum;              /* its own, and with all that it called */
    int64_t base_flat, base_cum;    /* the same in the base, in the base's unit */
    bool is_preferred;              /* of those that have the same, this one comes first */
    double flat_points, cum_points; /* by how much it grew, see comparison_points */
};

/* Texts live as long as this and the two profiles. */
struct growth {
    struct comparison comparison;
    const char *type, *unit; /* of the sample type: "cpu", "nanoseconds" */
    struct growth_function *functions;
    size_t count;
    struct totals totals, base_totals;
};

/* Of one sample type; base may be NULL: functions are then by falling cum, else by falling growth
 * of cum; ties by falling growth of flat (without a base by falling flat), then by name. Filled in
 * any case; the caller frees it. */
void growth_of(struct growth *growth, const struct profile *profile, uint32_t sample_type,
    const struct profile *base);
void growth_free(struct growth *growth);

/* Lets the function of that name (the suspect; NULL: none) come before those that grew as much with
 * what they call: its callers have nothing but it. */
void growth_prefer(struct growth *growth, const char *name);

/* The functions in another order; the caller frees the array, not what is in it. */
enum growth_order {
    GROWTH_CUM_GREW,  /* as they are */
    GROWTH_FLAT_GREW, /* falling growth of flat; without a base falling flat */
    GROWTH_CUM_SHRANK /* rising growth of cum */
};
const struct growth_function **growth_sorted(const struct growth *growth, enum growth_order order);

#endif
