/* An incident that is still to be told, on disk until it is: <state>/notices/<notifier>/<id>.json.
 * The spool lets go of an incident once it is stored, so all that a message needs is in it:
 *
 *   {"schema": 1, "report": true, "stored": "s3://b/service=woogles/date=2026-11-23/<id>",
 *    "times": 5, "times_since": "2026-11-20T14:02:00.000Z", "incident": {as in incident.json}}
 */
#ifndef AGENT_NOTICES_NOTICE_FILE_H
#define AGENT_NOTICES_NOTICE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct incident;

enum { NOTICE_FILE_MAX = 2 << 20 };

struct notice_file {
    struct incident *incident;
    bool report;  /* report.html is stored as well */
    char *stored; /* where */
    uint64_t times;
    int64_t times_since_ms;
};

void notice_file_free(struct notice_file *file);

/* The text; the caller frees. */
char *notice_file_text(const struct notice_file *file);

/* Fills file (zeroed before), which is to be freed in any case. -1 and err when it is none. */
int notice_file_parse(struct notice_file *file, const char *text, size_t size, struct error *err);

/* What it is about, the same for the same spike: the group of the analysis, else app and trigger.
 * The caller frees. */
char *notice_group(const struct incident *incident);

/* Whether people are told of such an incident: not of those of calm time and follow-ups,
 * nor of a duplicate, of which other copies tell. */
bool notice_wanted(const struct incident *incident);

#endif
