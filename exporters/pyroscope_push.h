/* A profile as Pyroscope takes it: the request of push.v1.PusherService/Push in protobuf, which
 * holds a pprof profile as it is.
 * https://grafana.com/docs/pyroscope/latest/reference-server-api/#pushv1pusherservicepush,
 * api/push/v1/push.proto and api/types/v1/types.proto of github.com/grafana/pyroscope. */
#ifndef EXPORTERS_PYROSCOPE_PUSH_H
#define EXPORTERS_PYROSCOPE_PUSH_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct incident;
struct incident_profile;

enum { PYROSCOPE_NAME_SIZE = 129 };

/* What Pyroscope calls a profile: process_cpu, memory (heap, allocs), goroutine, mutex, block, as
 * its own agents do; any other has its own name, with _ for what no name of a metric has. */
void pyroscope_push_name(const char *profile, char name[PYROSCOPE_NAME_SIZE]);

/* The UUID of a profile, the same each time that it is sent: RFC 9562's version 8, of SHA-256. */
void pyroscope_push_uuid(const char *incident_id, const char *file, char uuid[37]);

/* Whether it is one that Pyroscope can read: a pprof profile that is whole. */
bool pyroscope_push_takes(const struct incident_profile *profile);

/* All of the request but the profile itself, which is last in it: the labels service_name, trigger,
 * incident, container and app, and the UUID. head is initialised here; the caller frees it. */
void pyroscope_push_head(const struct incident *incident, const struct incident_profile *profile,
    uint64_t profile_bytes, struct buf *head);

#endif
