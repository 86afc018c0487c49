/* Reading back what an earlier task of the service kept in the stores: one exporter after the
 * other, in the configuration's order, until one has it. Nothing waits for it. */
#ifndef AGENT_RECALL_H
#define AGENT_RECALL_H

#include <stddef.h>
#include <stdint.h>

struct delivery;
struct loop;
struct recall;

struct recall_setup {
    struct loop *loop;
    struct delivery *delivery;
    const char *key;
    size_t max_bytes;
    /* After a failure the same exporter is asked again, pause_ms later at first, then twice as
     * long each time, until patience_ms have passed since it was first asked. */
    int64_t pause_ms, patience_ms;
    /* What one of them has; exactly once, later. text NULL: none of them has anything. `from` is
     * the exporter's label. */
    void (*done)(void *arg, const char *from, const char *text, size_t size);
    void *arg;
};

/* What the setup names outlives the recall. What hinders it is logged here. */
struct recall *recall_start(const struct recall_setup *setup);

/* After the delivery, which may still have an answer for it. NULL is allowed. */
void recall_close(struct recall *recall);

#endif
