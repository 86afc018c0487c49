/* Files of which one exporter is to have the newest version, under fixed keys, beside incidents:
 * what was learned. They are no incidents: they wait until the exporter has nothing else to do, and
 * go at most once a minute, whatever changes meanwhile. */
#ifndef AGENT_STORAGE_KEEPER_H
#define AGENT_STORAGE_KEEPER_H

#include <stdbool.h>

struct exporter_kind;
struct keeper;
struct loop;

struct keeper_setup {
    struct loop *loop;
    const struct exporter_kind *kind;
    void *exporter;
    const char *const *name; /* the exporter's, for the log */
    void (*due)(void *arg);  /* something may be sent now */
    void (*over)(void *arg); /* what keeper_send started has ended */
    void *arg;
};

/* What the setup names outlives the keeper. */
struct keeper *keeper_open(const struct keeper_setup *setup);

/* After the exporter. */
void keeper_close(struct keeper *keeper);

/* There is a new version of the file that is kept under this key; what is at `path` when its turn
 * comes is sent, so it has to be replaced by a rename. */
void keeper_put(struct keeper *keeper, const char *path, const char *key);

/* A file that is not kept any longer once the exporter has it, such as a newer version of one of an
 * incident; these go in their order and wait for no minute. */
void keeper_put_once(struct keeper *keeper, const char *path, const char *key);

/* Whether such a file, with a key that begins so, is not with the exporter yet; and forgets them.
 */
bool keeper_has_once(const struct keeper *keeper, const char *prefix);
void keeper_drop_once(struct keeper *keeper, const char *prefix);

/* Has another keeper send what waits here, or is on its way. */
void keeper_hand_over(const struct keeper *keeper, struct keeper *heir);

/* Sends one file, if there is one whose time has come; whether it does. One at a time, and not
 * while the exporter sends something else. */
bool keeper_send(struct keeper *keeper);

/* The agent is to end: from here on neither the minute nor a backoff counts. */
void keeper_hurry(struct keeper *keeper);

/* Whether something waits or is on its way that did not fail since keeper_hurry. */
bool keeper_waits(const struct keeper *keeper);

#endif
