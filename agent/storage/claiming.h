/* Who has asked one exporter to claim or count something, so that it can be told or forgotten. */
#ifndef AGENT_STORAGE_CLAIMING_H
#define AGENT_STORAGE_CLAIMING_H

#include <stdbool.h>

struct claim_result;
struct claiming;
struct count_result;
struct exporter_kind;

/* The exporter outlives the last claiming_claim and claiming_count. */
struct claiming *claiming_open(const struct exporter_kind *kind, void *exporter);

/* After the exporter is closed; who still waits gets no `done`. */
void claiming_close(struct claiming *claiming);

/* exporter_kind.claim and count, of a kind that has them. */
void claiming_claim(struct claiming *claiming, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg);
void claiming_count(struct claiming *claiming, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg);

/* Who asked with this arg gets no `done` any more. */
void claiming_forget(struct claiming *claiming, void *arg);

#endif
