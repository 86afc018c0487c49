/* Baselines: incidents of calm time, to compare others with. Taken when they are due, kept in
 * `state` (agent/baseline/shelf.h), and the newest of each app also in the stores, under the key
 * service=<service>/_state/baseline-<app>.tar, so that the next task has one to begin with. */
#ifndef AGENT_BASELINE_BASELINES_H
#define AGENT_BASELINE_BASELINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct baselines;
struct config;
struct delivery;
struct error;
struct incident;
struct loop;
struct offload;
struct source_identity;

enum { BASELINES_WHY_SIZE = 100 };

struct baselines_setup {
    const struct config *config;
    struct loop *loop;
    struct offload *disk;
    struct delivery *delivery;
    /* Fills what is known of where an app runs. */
    void (*identify)(void *arg, size_t app, struct source_identity *identity);
    /* Whether it is not calm, and why, in words for `status`: "trigger cpu-high holds". */
    bool (*unrest)(void *arg, size_t app, char why[BASELINES_WHY_SIZE]);
    /* The id of the app's incident that is running, a baseline included, or NULL. */
    const char *(*running)(void *arg, size_t app);
    /* Takes a baseline: its id, or NULL and err. */
    const char *(*take)(void *arg, size_t app, const char *reason, struct error *err);
    void *arg;
};

/* With what earlier runs left. Blocks. What the setup names outlives the last update. */
struct baselines *baselines_open(const struct baselines_setup *setup);

/* When samples were pushed: takes what is due at now_ms (monotonic). The first call has the stores
 * asked where `state` has none of an app. Nothing happens where the configuration says `off`. */
void baselines_update(struct baselines *baselines, int64_t now_ms);

/* A baseline is complete in this folder of the spool, and nothing was removed from it yet. */
void baselines_taken(struct baselines *baselines, const char *folder);

/* The id of the one to compare an incident with, or NULL; see choice_make. */
const char *baselines_choose(const struct baselines *baselines, const struct incident *incident);

/* Whether one is on its way to the disk, and not yet to the stores. */
bool baselines_are_writing(const struct baselines *baselines);

/* Before the delivery is closed: from here on nothing goes to the stores. NULL is allowed. */
void baselines_stop(struct baselines *baselines);

/* After baselines_stop, while none is being written: goes on for another configuration of the same
 * service and `state`. */
void baselines_reload(
    struct baselines *baselines, const struct config *config, struct delivery *delivery);

/* After the disk thread is closed. NULL is allowed. */
void baselines_close(struct baselines *baselines);

/* What `status` tells of an app. */
struct baselines_status {
    const char *newest;    /* its id; NULL: there is none */
    int64_t taken_wall_ms; /* when it was taken */
    const char *taking;    /* the one that is being taken, or NULL */
    int64_t due_ms;        /* the next, if it is calm by then (monotonic); INT64_MIN: off */
    const char *unrest;    /* what it waits for, once it is due; NULL: nothing */
    char *const *problems; /* what the newest shows of the next spike */
    size_t problem_count;
};
void baselines_status(
    const struct baselines *baselines, size_t app, struct baselines_status *status);

#endif
