/* How high and how low a stream usually goes at its extremes, over a long time in little memory:
 * the highs and lows of 60 stretches of 24 values, of which the mean of the five most extreme is
 * usual: what has happened four times may happen again and still be told, what happens more often
 * is usual. 1 KB. */
#ifndef TRIGGERS_RECORDS_H
#define TRIGGERS_RECORDS_H

#include <stdbool.h>

enum { RECORDS_STRETCHES = 60, RECORDS_LENGTH = 24 };

struct record {
    float high, low;
};

/* Zeroes are a stream that has not begun. */
struct records {
    struct record stretches[RECORDS_STRETCHES];
    unsigned count, next;
    struct record present; /* of the stretch that goes on */
    unsigned length;       /* of it */
    struct record usual;   /* valid once one stretch is over (count > 0) */
};

void records_add(struct records *records, float value);

#endif
