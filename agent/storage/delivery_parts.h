/* What the files of delivery share: outlet.c is one exporter and its queue, delivery.c all of them.
 */
#ifndef AGENT_STORAGE_DELIVERY_PARTS_H
#define AGENT_STORAGE_DELIVERY_PARTS_H

#include "agent/storage/delivery_claims.h"
#include "agent/storage/incident_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct claiming;
struct config;
struct delivery;
struct error;
struct exporter_config;
struct exporter_kind;
struct inquiry;
struct keeper;
struct loop;
struct loop_timer;
struct offload;
struct send_result;
struct spool;

/* One exporter and what waits for it. */
struct outlet {
    struct delivery *delivery;
    const struct exporter_config *config;
    const struct exporter_kind *kind;
    void *exporter;
    const char *name; /* its label; its identity where another one has that label */
    char **queue;     /* ids, oldest first; [0] is being sent */
    size_t count;
    struct incident_files files; /* of queue[0]; none: not looked up since the last failure */
    char *sent_last;             /* the last file of queue[0] that is with the exporter */
    char *path, *key, *manifest; /* of the artifact on its way */
    int held, held_manifest;     /* these, where they are in memory; -1: they are not */
    bool settled;                /* queue[0] may be sent, as delivery_settler says */
    bool settling;               /* it is being found out */
    int64_t settled_by_ms;       /* until when it waits for another one to settle it; 0: it does not
                                    (monotonic) */
    bool sending;                /* what is kept, and settling, included */
    struct keeper *keeper;
    struct inquiry *inquiry;
    struct claiming *claiming;
    struct loop_timer *timer;
    int64_t wait_ms; /* before the next try after a failure; 0: the last one worked */
    char *error;
    char *progress; /* what delivery_progress said last; or NULL */
    size_t refused; /* tries that ended with SEND_FAILED since the hurry */
    bool failed;    /* the last try since the hurry */
    bool refusing;  /* the last try was refused, so another file may fare better meanwhile */
    uint64_t stored, failures;
    uint64_t left_out;   /* files that were given up */
    char *left_out_text; /* the last of these, and why; NULL: none */
    int64_t last_stored_wall_ms;
};

struct delivery {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    const char *service;
    struct delivery_settler settler;
    bool unsettled; /* the last wait for who settles was in vain */
    struct outlet **outlets;
    size_t count;
    char *lost; /* id of the newest incident that is lost */
    bool hurried;
    uint64_t spool_limit;
    struct loop_timer *refresh;
    int64_t refreshed_ms;
    struct {
        void (*stored)(void *arg, const char *id, size_t exporter); /* NULL: nobody's */
        void *arg;
    } listeners[2];
};

/* What was begun of an incident, whose folder is there still, is undone with this exporter. */
void outlet_give_up(struct outlet *outlet, const char *id);

/* An exporter that has nothing to do yet; its label is its name. NULL and err when it can never
 * work. */
struct outlet *outlet_open(struct delivery *delivery, const char *service,
    const struct exporter_config *config, struct error *err);
void outlet_close(struct outlet *outlet);

/* Whether an exporter of this configuration is one of these: those that tell are not. */
bool outlet_is_for(const struct exporter_config *config);

/* What no other destination has. */
const char *outlet_identity(const struct outlet *outlet);

/* Whether the incident waits for this exporter; has it wait for it. */
bool outlet_has(const struct outlet *outlet, const char *id);
void outlet_add(struct outlet *outlet, const char *id);

/* Tries at once, and at the first failure as if there had been none before. */
void outlet_hurry(struct outlet *outlet);

/* Whether queue[0] may be sent; else it is being settled, here or with another exporter. */
bool outlet_is_settled(struct outlet *outlet);

/* The try to send queue[0] failed. */
void outlet_back_off(struct outlet *outlet, const struct send_result *result);

/* Puts an outlet into a list that has room, unless its destination is there already: it is closed
 * then. Two that would be called the same are called by their identities. */
void outlets_put(struct outlet **outlets, size_t *count, struct outlet *outlet);

#endif
