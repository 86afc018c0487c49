/* Inside of the notices: notices.c, and notices_reload.c, which changes who is told. */
#ifndef AGENT_NOTICES_NOTICES_PARTS_H
#define AGENT_NOTICES_NOTICES_PARTS_H

#include "agent/notices/notice_heirs.h"
#include "agent/notices/notices.h"

struct link_wanted {
    struct notifier *notifier; /* NULL: it is gone */
    char *id;
};

/* What is being written into a folder will be in another one. */
struct moved {
    char *from, *to;
};

enum { SEEN_MAX = 64 };

struct notices {
    struct notices_setup setup; /* delivery NULL: it is closed */
    char *folder;               /* <state>/notices */
    struct notifier **notifiers;
    size_t count;
    size_t writing;      /* jobs on the disk thread */
    struct moved *moved; /* while there are any; oldest first */
    size_t moved_count;
    char *seen[SEEN_MAX]; /* ids of what this run was asked about lately */
    size_t seen_count;
    /* Links that notifiers wait for; [0] is being made. */
    struct link_wanted *links;
    size_t link_count;
};

/* As notifier_open; not among the notifiers yet. */
struct notifier *notices_open_one(
    struct notices *notices, const struct exporter_config *config, struct error *err);

/* One destination only once: false, and it is closed, where it is there already. */
bool notices_put(struct notices *notices, struct notifier *notifier);

/* Once all are there: those that share a label get names that tell them apart. */
void notices_tell_apart(struct notices *notices);

/* Logs that it is one now. */
void notices_say(const struct notifier *notifier);

void notices_close_one(struct notices *notices, struct notifier *notifier);

/* Valid as long as the notifier. */
struct notice_party notices_party(const struct notifier *notifier);

/* Those of all that are there now, in order; the caller frees. */
struct notice_party *notices_parties(const struct notices *notices);

#endif
