/* What incidents take of limits.per_day: the bytes of those of the last 24 hours. Times are wall ms
 * since 1970, as the budget outlives the process. */
#ifndef AGENT_DETECTION_DAY_H
#define AGENT_DETECTION_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than this many within a day are counted together with those next to them in time: the bytes
 * stay right, and count for longer rather than shorter. */
enum { DAY_ENTRIES_MAX = 1000, DAY_ID_SIZE = 80 };

struct day_entry {
    char id[DAY_ID_SIZE]; /* of the incident */
    int64_t wall_ms;
    uint64_t bytes;
};

/* Zeroed it is empty; day_free leaves it so. Oldest first. */
struct day {
    struct day_entry *entries;
    size_t count;
};

void day_free(struct day *day);

/* The incident has so many bytes: counted from wall_ms on, or where it is known from before with
 * these instead of those that were told then. An id of more than DAY_ID_SIZE - 1 bytes is cut. */
void day_set(struct day *day, const char *id, int64_t wall_ms, uint64_t bytes);

/* The incident takes none any more. */
void day_drop(struct day *day, const char *id);

bool day_has(const struct day *day, const char *id);

/* Forgets what is older than 24 hours. What lies in the future, because the clock was set back, is
 * of this moment: no clock makes it count for longer than a day. */
void day_trim(struct day *day, int64_t now_ms);

/* The bytes of all, and when they are below `limit`: now_ms where they are already, else a time
 * within 24 hours. After day_trim. */
uint64_t day_bytes(const struct day *day);
int64_t day_room_ms(const struct day *day, uint64_t limit, int64_t now_ms);

#endif
