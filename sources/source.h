/* A source measures the app or its database. One file a kind; agent/kinds.c lists them. */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include "config/fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct loop;
struct offload;
struct series_set;

/* One app to be measured. */
struct source_app {
    const char *prefix;    /* of its series' names: "" or "api." */
    const char *container; /* app.container; NULL: not given */
};

/* What is known of where the app runs; each a string that the source owns, NULL: unknown. */
struct source_identity {
    const char *task_arn, *cluster, *family, *revision;
    const char *container, *image, *host;
    int64_t started_wall_ms; /* of the container; 0: unknown */
};

/* How an app fares, as far as it can be seen. */
struct source_life {
    bool known;      /* it was seen running; all else is unknown otherwise */
    bool gone;       /* it does not run now */
    uint64_t starts; /* another number: it was started anew, or is another container */
    uint64_t oom_kills;
    int64_t exit_code; /* of the newest end; -1: not known */
};

/* What a source is opened with. Everything outlives it. */
struct source_setup {
    struct loop *loop;
    struct offload *names; /* thread for name look-ups, which may hang for long */
    struct series_set *series;
    const char *root; /* "/" or a fixture tree: prefix of every path that is read */
    const struct source_app *apps;
    size_t app_count;
    int64_t interval_ms;
    const void *options; /* of the kind; NULL when it has none */
    /* To be called whenever samples were pushed outside of `sample`. */
    void (*sampled)(void *arg);
    void *arg;
};

struct source_kind {
    struct kind kind; /* first */
    /* Whether it is worth a try here, for `auto`: cheap; why says why it is not. NULL: it is no
     * choice of auto, as it measures something else than the app. */
    bool (*present)(const struct source_setup *setup, struct error *why);
    bool certain; /* where it is present nothing else is meant, also while it does not work */
    /* NULL and err only for what can never work, such as an endpoint that cannot be parsed. A
     * target that is not there yet is not an error: `sample` tries again and reports it. */
    void *(*open)(const struct source_setup *setup, struct error *err);
    /* Pushes one sample a series, timed now_ms (monotonic), or starts what will. What cannot be
     * measured is left out: it is a gap. -1 with err while nothing can be measured; the caller says
     * so once a spell and calls again at the next tick. */
    int (*sample)(void *self, int64_t now_ms, struct error *err);
    /* What is known of app `index`; the strings live until the next `sample`. NULL: nothing. */
    void (*identify)(void *self, size_t index, struct source_identity *identity);
    /* Fills in how app `index` fares as of the last `sample`; NULL: the kind does not know. */
    void (*life)(void *self, size_t index, struct source_life *life);
    /* An app may have ended: what is looked at now and then is looked at soon. NULL: nothing is. */
    void (*look_again)(void *self);
    /* Notes for the user about what it measures and what it cannot, one sentence a call of `say`;
     * may be NULL. Called once after the first sample that worked. */
    void (*describe)(void *self, void (*say)(void *arg, const char *sentence), void *arg);
    void (*close)(void *self);
};

/* For kinds that take no app without app.container (wanted: what it is, in words) or with one that
 * `check` refuses. -1 and err for the first that is so. */
int source_check_apps(const struct source_setup *setup,
    int (*check)(const char *container, struct error *err), const char *wanted, struct error *err);

extern const struct source_kind source_cgroup, source_cloudwatch, source_docker, source_ecs,
    source_process, source_tcp;

#endif
