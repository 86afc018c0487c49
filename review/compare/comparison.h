/* How the values of a profile compare with those of its base: the arithmetic below every
 * difference on a page. */
#ifndef REVIEW_COMPARISON_H
#define REVIEW_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

struct profile;

enum comparison_kind {
    /* What a function's share of all is. Profiles of any length compare, of any load. */
    COMPARISON_SHARES,
    /* The values as they are: memory in use or goroutines at one moment and at another. */
    COMPARISON_AMOUNTS
};

struct comparison {
    enum comparison_kind kind;
    bool has_base;
    uint32_t sample_type;      /* of the profile */
    uint32_t base_sample_type; /* of the base: the one of the same name */
    double base_ratio; /* what the base's values are multiplied by to have the profile's unit */
    int64_t total,
        base_total; /* of all samples, each in its own unit; samples below 0 are left out */
};

/* Of one sample type of a profile; base may be NULL. A base that has no such sample type, has it
 * in a unit of something else, or has nothing in it counts as none. The kind follows from the
 * sample type: what is in use (inuse_space, inuse_objects, goroutine) compares by amounts. */
struct comparison comparison_of(
    const struct profile *profile, uint32_t sample_type, const struct profile *base);

/* Shares of its own total, in percent; 0 when there is no total. */
double comparison_percent(const struct comparison *comparison, int64_t value);
double comparison_base_percent(const struct comparison *comparison, int64_t base_value);

/* By how much it grew. Shares: the difference of the two in percentage points. Amounts: the
 * difference in percent of the larger total, so that colours and bars have one scale. Without a
 * base 0. */
double comparison_points(const struct comparison *comparison, int64_t value, int64_t base_value);

/* By how much it grew, in the profile's unit, for amounts. */
double comparison_amount(const struct comparison *comparison, int64_t value, int64_t base_value);

/* a + b, for values that are not below 0; what would be too large stays the largest. */
int64_t comparison_add(int64_t a, int64_t b);

#endif
