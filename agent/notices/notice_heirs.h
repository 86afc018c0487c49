/* What waits for a webhook or topic that is not in the configuration any more goes to one that came
 * in its place: to the one of the same destination (other options of it changed), else of the same
 * name ("slack webhook at hooks.slack.com": its URL was replaced), else of the same kind, else to
 * any; of several alike, in the order of the configuration. One that was there before has been
 * told, or has its own copy. Where none came, nobody is told.
 *
 * <state>/notices/notifiers.json says whose folder is whose, for the next start:
 *   {"schema": 1, "notifiers": [{"folder": 16 hex, "kind": "webhook", "name": its label}]} */
#ifndef AGENT_NOTICES_NOTICE_HEIRS_H
#define AGENT_NOTICES_NOTICE_HEIRS_H

#include <stdbool.h>
#include <stddef.h>

struct offload;

/* One that tells, or told. */
struct notice_party {
    const char *folder;       /* <state>/notices/<16 hex> */
    const char *kind, *label; /* NULL: nobody knows */
    bool came;                /* it was not there before */
};

/* heirs[i]: the index of the party that takes over what waits for left[i]; `count`: there is none.
 * Pure. */
void notice_heirs_choose(const struct notice_party *left, size_t left_count,
    const struct notice_party *parties, size_t count, size_t *heirs);

/* At start, before anybody reads the folders of these: what others have goes to their heirs, else
 * it is removed. A kill in the middle of it loses nothing. Blocks. */
void notice_heirs_settle(const char *notices, const struct notice_party *parties, size_t count);

/* Has the disk thread move all that is in one folder to another one. */
void notice_heirs_move(struct offload *disk, const char *from, const char *to);

/* Has it write notifiers.json. */
void notice_heirs_note(
    struct offload *disk, const char *notices, const struct notice_party *parties, size_t count);

#endif
