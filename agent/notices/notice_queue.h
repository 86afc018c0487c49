/* What one notifier is still to tell, oldest first, and what of it goes into one message. Pure. */
#ifndef AGENT_NOTICES_NOTICE_QUEUE_H
#define AGENT_NOTICES_NOTICE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTICE_QUEUE_MAX = 200 };

struct notice_entry {
    char *id;
    char *group;      /* what it is about: entries that share it become one message */
    char *text;       /* what its file would have; NULL: it has one */
    int64_t since_ms; /* wall, when it was to be told first */
};

struct notice_queue {
    struct notice_entry *entries;
    size_t count;
};

void notice_queue_free(struct notice_queue *queue);

/* A copy goes to the end; nothing when it is there already. What is too much goes: the id of the
 * oldest, which the caller frees, or NULL. */
char *notice_queue_add(struct notice_queue *queue, const struct notice_entry *entry);

/* How many of the first one's group there are; their indices, in order, when `indices` has room for
 * NOTICE_QUEUE_MAX. */
size_t notice_queue_first(const struct notice_queue *queue, size_t *indices);

/* False: it was not there. */
bool notice_queue_remove(struct notice_queue *queue, const char *id);

/* The first one's group goes to the end, so that others get their turn. */
void notice_queue_put_off(struct notice_queue *queue);

/* The id of one that has waited since before then, or NULL. */
const char *notice_queue_older(const struct notice_queue *queue, int64_t wall_ms);

#endif
