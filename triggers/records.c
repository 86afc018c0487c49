#include "triggers/records.h"

#include <math.h>

enum { COUNTED = 5 };

/* Puts value among the `size` largest so far, the largest first. */
static void rank(float *largest, unsigned size, float value)
{
    unsigned at = size - 1;
    if (value <= largest[at])
        return;
    for (; at > 0 && largest[at - 1] < value; at--)
        largest[at] = largest[at - 1];
    largest[at] = value;
}

/* While there are few stretches, fewer are counted: about the most extreme twelfth of them. */
static void find_usual(struct records *records)
{
    float highs[COUNTED], lows[COUNTED]; /* lows negated: the largest is the lowest */
    unsigned size = 1 + records->count * COUNTED / RECORDS_STRETCHES;
    size = size < COUNTED ? size : COUNTED;
    for (unsigned i = 0; i < COUNTED; i++)
        highs[i] = lows[i] = -INFINITY;
    for (unsigned i = 0; i < records->count; i++) {
        rank(highs, size, records->stretches[i].high);
        rank(lows, size, -records->stretches[i].low);
    }
    records->usual = (struct record){0, 0};
    for (unsigned i = 0; i < size; i++) {
        records->usual.high += highs[i] / (float)size;
        records->usual.low -= lows[i] / (float)size;
    }
}

void records_add(struct records *records, float value)
{
    if (records->length == 0)
        records->present = (struct record){value, value};
    records->present.high = fmaxf(records->present.high, value);
    records->present.low = fminf(records->present.low, value);
    if (++records->length < RECORDS_LENGTH)
        return;
    records->length = 0;
    records->stretches[records->next] = records->present;
    records->next = (records->next + 1) % RECORDS_STRETCHES;
    records->count += records->count < RECORDS_STRETCHES;
    find_usual(records);
}
