/* The newest values of a stream, kept in order of age and in order of size, so that quantiles cost
 * next to nothing: adding is one binary search and one memmove. 2.9 KB. */
#ifndef TRIGGERS_HISTORY_H
#define TRIGGERS_HISTORY_H

enum { HISTORY_SIZE = 360 };

/* Zeroes are an empty history. */
struct history {
    float ring[HISTORY_SIZE]; /* by age; `next` is overwritten next */
    float sorted[HISTORY_SIZE];
    unsigned count, next;
};

/* The oldest goes when it is full. value is finite. */
void history_add(struct history *history, float value);

void history_clear(struct history *history);

/* A part of the values by size: `count` of them from the one of that rank on. */
struct history_part {
    unsigned from, count;
};

struct history_part history_all(const struct history *history);

/* The densest half of the values, which no minority of others can move. The history is not empty.
 * (The shortest half; Rousseeuw, Least Median of Squares Regression, 1984.) */
struct history_part history_densest_half(const struct history *history);

/* The values from low to high. */
struct history_part history_between(const struct history *history, double low, double high);

/* The value below which a share of q (0 to 1) of the part lies, between two values as straight as
 * the crow flies. The part is not empty. */
double history_quantile(const struct history *history, struct history_part part, double q);

/* The median distance of the part from `centre`, which lies in its range. Takes O(log n). */
double history_deviation(const struct history *history, struct history_part part, double centre);

#endif
