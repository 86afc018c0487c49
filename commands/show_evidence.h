/* What `show` reads beside incident.json: the incident's profiles and those of its baseline, and
 * the history of its group. What cannot be read is left out. */
#ifndef COMMANDS_SHOW_EVIDENCE_H
#define COMMANDS_SHOW_EVIDENCE_H

#include "review/history/history.h"

#include <stdbool.h>

struct error;
struct evidence;
struct store;
struct store_incident;

/* The incident with all that it has, analysed here if it was not before it was stored: then
 * *analysed is true. NULL and err when nothing can be read. */
struct evidence *show_evidence_read(
    struct store *store, const struct store_incident *stored, bool *analysed, struct error *err);

/* Of the incident's group, from what is stored of its service: all of it in a folder, the newest
 * SHOW_HISTORY_MAX incidents in a bucket, where each is a request. history_free in any case. */
enum { SHOW_HISTORY_MAX = 150 };
void show_evidence_history(struct store *store, const struct store_incident *stored,
    const char *group, struct history *history);

#endif
