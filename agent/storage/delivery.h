/* Delivery: complete incidents of the spool -> every exporter, oldest first, until they have them.
 * Each exporter has its own queue and its own backoff, so one that is down holds nobody else back;
 * an incident that an exporter refuses goes to the end of its queue, so it holds back none either.
 */
#ifndef AGENT_STORAGE_DELIVERY_H
#define AGENT_STORAGE_DELIVERY_H

#include "exporters/exporter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct delivery;
struct error;
struct exporter_kind;
struct link_result;
struct loop;
struct offload;
struct recall_result;
struct spool;

/* Opens every exporter of the configuration (one destination only once). NULL and err when an
 * exporter can never work. */
struct delivery *delivery_open(struct loop *loop, struct offload *disk, struct spool *spool,
    const struct config *config, struct error *err);
void delivery_close(struct delivery *delivery);

/* `stored` is called when an exporter has all of an incident, just before the spool lets go of it;
 * for what it has the disk thread do, the incident is there still. One for each arg, of two; NULL
 * ends that. */
void delivery_on_stored(struct delivery *delivery,
    void (*stored)(void *arg, const char *id, size_t exporter), void *arg);

/* A complete incident of the spool goes to the end of the queue of every exporter that has not got
 * it in an earlier run. */
void delivery_add(struct delivery *delivery, const char *id);

/* Takes up what earlier runs left in the spool, but for what `hold` (may be NULL) says is to be
 * added later. -1 and err when the spool cannot be read. */
int delivery_take_up(struct delivery *delivery, bool (*hold)(void *arg, const char *id), void *arg,
    struct error *err);

/* One exporter is to have the newest version of this file under this key, at most once a minute and
 * when it has no incident to store; it counts as none. The file is replaced by renames only. */
void delivery_keep(struct delivery *delivery, size_t exporter, const char *path, const char *key);

/* The same for a newer version of a file of an incident that the exporter has: it goes as soon as
 * the exporter has no incident to store, after those that were given before. */
void delivery_update(struct delivery *delivery, size_t exporter, const char *path, const char *key);

/* Whether an exporter lacks such a file whose key begins so; and has none of them sent any more. */
bool delivery_is_updating(const struct delivery *delivery, const char *prefix);
void delivery_update_no_more(struct delivery *delivery, const char *prefix);

/* Whether a file that is kept is still on its way to an exporter, or will be tried soon: false once
 * it failed since delivery_hurry. */
bool delivery_keeping(const struct delivery *delivery);

/* Asks one exporter for what is kept under this key (exporter_kind.recall), once, when it has
 * answered whoever asked before. False: it is of a
 * kind that cannot tell. */
bool delivery_recall(struct delivery *delivery, size_t exporter, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg);

/* Who asked with this arg, also of what agent/storage/delivery_claims.h has, gets no `done` any
 * more. */
void delivery_forget(struct delivery *delivery, size_t exporter, void *arg);

/* What no other destination has. */
const char *delivery_identity(const struct delivery *delivery, size_t exporter);

/* What an exporter can do. */
const struct exporter_kind *delivery_kind(const struct delivery *delivery, size_t exporter);

/* Asks one exporter that can for a link to what it stored under this key (exporter_kind.link); one
 * at a time, and there is no `done` once the exporter is closed. */
void delivery_link(struct delivery *delivery, size_t exporter, const char *key, int64_t seconds,
    void (*done)(void *arg, const struct link_result *result), void *arg);

/* Incidents that not every exporter has yet. */
size_t delivery_waiting(const struct delivery *delivery);

/* The agent is to end: nobody waits out a backoff any more, each exporter is tried now and for what
 * is added later. */
void delivery_hurry(struct delivery *delivery);

/* Whether more time would not help: every exporter that lacks an incident failed since
 * delivery_hurry, one that refuses (SEND_FAILED) with each incident that it lacks. */
bool delivery_stuck(const struct delivery *delivery);

/* Where one incident is. DELIVERY_FAILING: an exporter that lacks it failed at its last try;
 * *reason (may be NULL) says why, valid until the next turn of the loop. */
enum delivery_progress { DELIVERY_STORED, DELIVERY_WAITING, DELIVERY_FAILING };
enum delivery_progress delivery_progress(
    const struct delivery *delivery, const char *id, const char **reason);

/* What `status` and the metrics tell of one exporter. */
struct delivery_status {
    const char *label;
    bool stores_none; /* it gets what it can show, and incidents are not read from it */
    size_t waiting;
    uint64_t stored, failures;   /* incidents; tries */
    const char *error;           /* of the last try; NULL: it worked, or there was none */
    uint64_t left_out;           /* files that it will never have, as other tries are no use */
    const char *left_out_text;   /* the last of these, and why; NULL: none */
    int64_t last_stored_wall_ms; /* 0: never */
    struct exporter_credentials credentials; /* provider NULL: it has none so far, or needs none */
    struct exporter_holdings holdings;
};
size_t delivery_exporters(const struct delivery *delivery);
void delivery_status(
    const struct delivery *delivery, size_t exporter, struct delivery_status *status);

#endif
