/* Writing an incident into the spool: what it says, and metrics.csv, the samples around it. */
#ifndef AGENT_INCIDENTS_INCIDENT_WRITING_H
#define AGENT_INCIDENTS_INCIDENT_WRITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct incident;
struct offload;
struct series_set;
struct spool;

struct incident_writing {
    struct offload *disk;
    struct spool *spool;
    const struct incident *incident; /* outlives it, and may change meanwhile */
    const struct series_set *series;
    int64_t onset_ms; /* monotonic: metrics.csv begins some time before it */
    int64_t until_ms; /* monotonic: and has no row after this */
    int64_t wall_offset_ms;
    bool *sealing; /* the last writing, after which it is complete; becomes true when the incident
                      can take no further change. NULL: a checkpoint */
    bool discard;  /* the last writing throws it all away instead */
    void (*written)(void *arg, const char *id, bool ok); /* after the last writing */
    void *arg;
};

/* metrics.csv is formatted on the disk thread from a copy of the samples, as at 100 ms there are
 * thousands of rows; what the incident says is serialised after that. */
void incident_write(const struct incident_writing *writing);

/* The longest that a capture can take, with what it may have to wait for, in seconds. */
int64_t incident_longest_s(const struct config *config);

/* How many samples a ring must hold for metrics.csv to reach back far enough. */
size_t incident_history(const struct config *config);

#endif
