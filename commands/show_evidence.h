/* The history that `show` reads beside the incident; what cannot be read is left out. */
#ifndef COMMANDS_SHOW_EVIDENCE_H
#define COMMANDS_SHOW_EVIDENCE_H

#include "review/history/history.h"

struct store;
struct store_incident;

/* Of the incident's group, from what is stored of its service: all of it in a folder, the newest
 * SHOW_HISTORY_MAX incidents in a bucket, where each is a request. history_free in any case. */
enum { SHOW_HISTORY_MAX = 150 };
void show_evidence_history(struct store *store, const struct store_incident *stored,
    const char *group, struct history *history);

#endif
