/* Who is told of what: an incident that the first store has (with report_links: the store that the
 * link leads to; else with a fleet: the store that settles it) goes to every notifier, once. Not
 * those of calm time, follow-ups, a fleet's duplicates, and what is known. Nothing here ever holds
 * an incident back: what a message needs is copied before the spool lets go of it.
 *
 * On disk, always from the disk thread:
 *   notices/<16 hex of the notifier>/<id>.json  is still to be told by it
 *   notices/notifiers.json                      whose folder is whose (notice_heirs.h)
 *   notices/tally.json                          how often each group was stored
 *   spool/<id>/.told                            the files above were written: a second store, or
 * the next run, does not write them again A kill in the middle of the writing leaves no mark; the
 * next start then finishes it. */
#ifndef AGENT_NOTICES_NOTICES_H
#define AGENT_NOTICES_NOTICES_H

#include "agent/notices/notifier.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct delivery;
struct error;
struct incident;
struct loop;
struct notices;
struct offload;
struct spool;

struct notices_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct delivery *delivery;
    const struct config *config;
    /* Whether the incident's group is marked as known. */
    bool (*known)(void *arg, const char *group);
    void *arg;
};

/* Opens every exporter of the configuration that tells: blocks. NULL and err when one can never
 * work. From here on it hears of what the delivery has stored. */
struct notices *notices_open(const struct notices_setup *setup, struct error *err);

/* Before the delivery is closed: nobody is told any more. NULL is allowed, here and below. */
void notices_stop(struct notices *notices);

/* After the disk thread is closed. */
void notices_close(struct notices *notices);

/* Another configuration, after its delivery was changed. One that can never work is left out, with
 * a line in the log. */
void notices_reload(struct notices *notices, const struct config *config);

/* Whether it waits for a link: then neither delivery nor configuration may change. */
bool notices_are_linking(const struct notices *notices);

void notices_hurry(struct notices *notices);

/* Whether more time would not help: all is told, or has failed since notices_hurry. */
bool notices_are_over(const struct notices *notices);

size_t notices_notifiers(const struct notices *notices);
void notices_status(const struct notices *notices, size_t index, struct notifier_status *status);

/* review_url with the id and service filled in; the caller frees. */
char *notices_review_url(const char *pattern, const char *service, const char *id);

#endif
