/* Which incidents of a folder go when there are to be no older ones, or no more bytes: a decision
 * over a list, without a clock or a disk.
 *
 * The oldest go first, and no more than have to. These never go: what is not complete, what is held
 * (somebody noted something, or put a file there), and of two limits the size spares the newest
 * incident. A baseline stays while an incident stays that may be compared with it: one that fired
 * up to two days later, as the day before has the newest baseline and one of a comparable hour. */
#ifndef EXPORTERS_RETENTION_H
#define EXPORTERS_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RETENTION_ID_SIZE = 65 };

struct retained {
    char id[RETENTION_ID_SIZE];
    uint64_t bytes;
    bool complete, held;
    bool goes, too_old; /* what was decided, and whether for its age */
};

/* What there is besides what is listed, and what the limits are. */
struct retention {
    int64_t keep_ms;      /* 0: of any age */
    uint64_t size_bytes;  /* 0: any number */
    uint64_t total_bytes; /* of all there is, whether listed or not */
    bool more;            /* there are others, newer than those that are listed */
};

/* The list is sorted by its ids, the oldest first. Sets `goes` and returns how many do. */
size_t retention_choose(struct retained *incidents, size_t count, const struct retention *retention,
    int64_t now_wall_ms);

/* Whether what is in a review.json is a note of somebody; what cannot be read is one. At most
 * RETENTION_MARKS_MAX bytes are. */
bool retention_is_note(const char *text, size_t size);
enum { RETENTION_MARKS_MAX = 64 * 1024 };

#endif
