/* Who wants to read back from one exporter stands in line: an exporter answers one at a time. */
#ifndef AGENT_STORAGE_INQUIRY_H
#define AGENT_STORAGE_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>

struct exporter_kind;
struct inquiry;
struct recall_result;

/* The exporter outlives the last inquiry_ask. */
struct inquiry *inquiry_open(const struct exporter_kind *kind, void *exporter);

/* After the exporter is closed; who still stands in line gets no `done`. */
void inquiry_close(struct inquiry *inquiry);

/* exporter_kind.recall, when it is this one's turn. False: the exporter is of a kind that cannot
 * tell. */
bool inquiry_ask(struct inquiry *inquiry, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg);

/* Who asked with this arg gets no `done` any more. */
void inquiry_forget(struct inquiry *inquiry, void *arg);

#endif
