/* How deep a spike has fallen between two peaks: what tells a second spike from the first one's
 * noise. */
#ifndef TRIGGERS_VALLEY_H
#define TRIGGERS_VALLEY_H

#include <stdbool.h>
#include <stdint.h>

enum { VALLEY_PARTS = 4 };

/* The lowest score that a spike has come back to and kept for a while since its onset. The highest
 * scores of quarters of that while stand for all of them. */
struct valley {
    double parts[VALLEY_PARTS];
    unsigned next, count;
    int64_t since_ms; /* the present part */
    double highest;   /* in the present part */
    double peak;      /* since the onset */
    bool known;
    double lowest, peak_before;
};

/* A spike begins, with this score. */
void valley_begin(struct valley *valley, int64_t time_ms, double score);

/* The score of the next step; part_ms: a quarter of the while for which a valley is kept. */
void valley_take(struct valley *valley, int64_t time_ms, double score, int64_t part_ms);

#endif
