/* One exporter that tells people, and what it is still to tell: a queue, whose entries are files in
 * a folder of its own until they are told, so that no kill loses one. One message at a time, at
 * most one a second, one a group; failures wait as with those that store, and what could not be
 * told for a day is dropped. */
#ifndef AGENT_NOTICES_NOTIFIER_H
#define AGENT_NOTICES_NOTIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct exporter_config;
struct incident;
struct loop;
struct notice_file;
struct notifier;
struct offload;

/* Links that go with a message; NULL: none. */
struct notifier_links {
    char *review_url; /* the notifier frees it */
    const char *report_url;
    int64_t report_expires_ms;
};

struct notifier_hooks {
    /* Whether nobody is to be told any more: it is known by now. */
    bool (*known)(void *arg, const struct incident *incident);
    /* Has notifier_linked called, at once or later. */
    void (*link)(void *arg, struct notifier *notifier, const char *id, bool report);
    void *arg;
};

struct notifier_setup {
    struct loop *loop;
    struct offload *disk;
    const char *folder; /* <state>/notices */
    const char *service;
    const struct exporter_config *config; /* outlives the notifier, or its replacement by
                                             notifier_configured */
    struct notifier_hooks hooks;
};

/* NULL and err when it can never work. */
struct notifier *notifier_open(const struct notifier_setup *setup, struct error *err);

/* What is in its folder is to be told: blocks. */
void notifier_take_up(struct notifier *notifier);

/* So is what another one had still to tell, whose files are about to be in its folder. */
void notifier_inherit(struct notifier *notifier, const struct notifier *left);

/* What it was to tell stays on disk. */
void notifier_close(struct notifier *notifier);

/* The same options in another configuration. */
void notifier_configured(struct notifier *notifier, const struct exporter_config *config);
const struct exporter_config *notifier_config(const struct notifier *notifier);

const char *notifier_kind(const struct notifier *notifier); /* "webhook" */

/* Where its files are: "<state>/notices/<16 hex>". */
const char *notifier_folder(const struct notifier *notifier);

/* <folder>/<id>.json is there and to be told; or, while the disk takes no files, this text, which
 * is copied. */
void notifier_add(struct notifier *notifier, const char *id, const char *group, const char *text);

void notifier_linked(struct notifier *notifier, const struct notifier_links *links);

/* The agent is to end: one more try at once, unless it was asked to wait.
 * And whether more time would not help. */
void notifier_hurry(struct notifier *notifier);
bool notifier_is_over(const struct notifier *notifier);

/* Whether another one has its label, as two webhooks of a host: its name is its identity then. */
void notifier_tell_apart(struct notifier *notifier, bool has_namesake);

struct notifier_status {
    const char *label;         /* its destination without secrets: two may share it */
    const char *name;          /* of no other notifier, in the log and in `status` */
    size_t waiting;            /* incidents */
    uint64_t told, dropped;    /* incidents */
    uint64_t failures;         /* tries */
    const char *error;         /* of the last try; NULL: it worked, or there was none */
    int64_t last_told_wall_ms; /* 0: never */
};
void notifier_status(const struct notifier *notifier, struct notifier_status *status);

#endif
