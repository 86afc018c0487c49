/* Reading back what an earlier task of the service kept in the stores: every exporter is asked,
 * each for itself and until it is known what it has. Nothing waits for it. */
#ifndef AGENT_STORAGE_RECALL_H
#define AGENT_STORAGE_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery;
struct loop;
struct recall;

struct recall_setup {
    struct loop *loop;
    struct delivery *delivery;
    const char *key;
    const char *unread; /* said where it may not be read: "what was learned is not read back" */
    bool again;         /* it was asked for before: that was said then */
    bool quiet;         /* an outage is said at level debug: nobody waits for an answer */
    size_t max_bytes;
    /* After a failure an exporter is asked again, pause_ms later at first, then twice as long each
     * time, but at most longest_pause_ms, and for as long as it fails. */
    int64_t pause_ms, longest_pause_ms;
    /* One that has not answered, or will not be asked again before this has passed since the start,
     * is told of in the log, once. */
    int64_t patience_ms;
    /* It is known what this exporter has; once for each, later, in any order. text NULL: nothing,
     * or nothing that we may read. `from` is the exporter's label; both are valid within the call.
     */
    void (*settled)(void *arg, size_t exporter, const char *from, const char *text, size_t size);
    void *arg;
};

/* What the setup names outlives the recall. What hinders it is logged here. */
struct recall *recall_start(const struct recall_setup *setup);

/* While the delivery is there: nobody is asked any more, and nothing is settled. NULL is allowed.
 */
void recall_stop(struct recall *recall);

/* After recall_stop, or after the delivery, which may still have an answer for it. NULL is allowed.
 */
void recall_close(struct recall *recall);

#endif
