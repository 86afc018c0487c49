/* What triggers have learned (the onsets of spikes that recur) survives the agent: a restart of the
 * container in <state>/learned.json, and, as task storage dies with the task, a new task under the
 * key service=<service>/_state/learned.json of every exporter.
 *
 * A store that could not be asked what it has is not written to: an outage when a task starts must
 * not cost what earlier ones learned.
 *
 * Several agents of one service share that key and the last that writes it wins: each has seen
 * spikes of its own, and a new task needs those of one of them. */
#ifndef AGENT_DETECTION_LEARNED_H
#define AGENT_DETECTION_LEARNED_H

#include <stdbool.h>

struct config;
struct delivery;
struct detector;
struct learned;
struct loop;
struct offload;

struct learned_setup {
    const struct config *config;
    struct loop *loop;
    struct offload *disk;
    struct detector *detector;
    struct delivery *delivery;
};

/* What the setup names outlives the last learned_update. */
struct learned *learned_open(const struct learned_setup *setup);

/* Tells the detector what the file of an earlier run says, before the first check. One that is
 * broken is logged and passed over. Blocks. */
void learned_restore(struct learned *learned);

/* After every check: where a trigger has learned something, the file is written anew on the disk
 * thread and kept in the stores. The first call, where learned_restore found nothing, or a file of
 * a run that did not come to know what every store has, has the stores asked. The detector is told
 * what each of them has when its answer comes, with what was seen since, and only from then on is
 * anything kept in that store. */
void learned_update(struct learned *learned);

/* Whether a version of the file is on its way to the disk, and not yet to the stores. */
bool learned_is_writing(const struct learned *learned);

/* Before the delivery is closed: from here on nothing goes to the stores. NULL is allowed. */
void learned_stop(struct learned *learned);

/* After the disk thread is closed. NULL is allowed. */
void learned_close(struct learned *learned);

#endif
