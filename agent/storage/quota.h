/* What goes first when the spool fills up (limits.spool), while exporters are down:
 *
 *   1. the recorder's slices: above three quarters none is begun (agent/capture/recorder.h)
 *   2. what is stored and waits for metrics, from four fifths on (agent/late/late.h)
 *   3. baselines, from nine tenths on, the oldest first: they are kept for comparison elsewhere
 *   4. follow-ups, the same way: the spike itself was caught before
 *   5. what a spike or a person opened: never. At the limit no new incident is opened instead.
 */
#ifndef AGENT_STORAGE_QUOTA_H
#define AGENT_STORAGE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct delivery;
struct offload;
struct quota;
struct spool;

/* A complete incident of the spool. */
struct quota_item {
    char *id;
    uint64_t bytes;
    bool goes; /* filled in */
};

/* Marks those that go, so that what is used (bytes) comes below nine tenths of the limit, if it
 * can. Items are the oldest first. */
void quota_choose(
    struct quota_item *items, size_t count, uint64_t used_bytes, uint64_t limit_bytes);

struct quota_setup {
    struct offload *disk;
    struct spool *spool;
    struct delivery *delivery;
};

struct quota *quota_open(const struct quota_setup *setup, const struct config *config);

/* Removes what has to go, from the loop, soon; to be called every now and then. What an exporter is
 * being sent stays, and what waits for its report. */
void quota_look(struct quota *quota);

/* Another configuration, whose limit holds from now on. */
void quota_reload(struct quota *quota, const struct config *config);

/* No incident is removed any more; freed when the disk thread is closed. NULL is allowed. */
void quota_stop(struct quota *quota);
void quota_close(struct quota *quota);

#endif
