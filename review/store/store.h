/* Reading incidents where they are stored: a folder or a bucket, in the layout
 * service=<service>/date=<YYYY-MM-DD>/<id>/. Only complete incidents are seen (those with an
 * incident.json), and nothing found in there leads out of the place. */
#ifndef REVIEW_STORE_H
#define REVIEW_STORE_H

#include "core/buf.h"
#include "core/error.h"
#include "core/s3/s3.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;
struct store;

/* What makes a folder an incident. */
#define STORE_INCIDENT "incident.json"

/* The file beside it that holds what people have noted about it. */
#define STORE_MARKS "review.json"

enum { STORE_MARKS_MAX = 64 * 1024 };

struct store_incident {
    char *service, *id;        /* as its folder is named: both are safe to print */
    char *location;            /* "/captures/service=..." or "s3://bucket/prefix/service=..." */
    uint64_t stamp;            /* of incident.json, when it was listed; else 0: see store_filter */
    struct buf text;           /* incident.json as it is stored */
    struct buf marks;          /* STORE_MARKS as it is stored, where it was asked for; "": none */
    struct incident *incident; /* NULL when it cannot be read or is broken */
    struct error problem;      /* why, then; may quote what is stored */
};

struct store_filter {
    const char *service; /* NULL: all */
    const char *trigger; /* NULL: all */
    int64_t since_ms;    /* fired at this wall time or later; INT64_MIN: all */
    bool marks;          /* reads STORE_MARKS as well */
    size_t limit;        /* no more than so many that can be read; 0: all */
    /* Asked before an incident is read: false leaves it out. NULL: all are read. The stamp is
     * another one when incident.json has been written again; 0 where that cannot be told, in a
     * bucket without ETags. */
    bool (*wanted)(void *arg, const char *service, const char *id, uint64_t stamp);
    void *arg;
};

/* A store is used by one thread at a time; another opens one of its own.
 *
 * Opens a folder or "s3://bucket/prefix"; the settings, without bucket and prefix, are for the
 * latter. NULL and err when there is no such folder or the settings cannot work. */
struct store *store_open(const char *where, const struct s3_settings *settings, struct error *err);
void store_close(struct store *store);

bool store_is_bucket(const struct store *store);

/* Calls `each` for every incident that the filter lets through, newest first, as they are read
 * (several at a time in a bucket), until it returns non-zero. Broken ones are told too: with
 * `problem` instead of `incident`. Looks only into the services and dates that the filter asks for.
 * -1 when the place itself cannot be read. */
int store_list(struct store *store, const struct store_filter *filter,
    int (*each)(void *arg, const struct store_incident *stored), void *arg, struct error *err);

/* How many the filter lets through by their names, counted up to `most`; 0 also when the place
 * cannot be read. Reads none. */
size_t store_count(struct store *store, const struct store_filter *filter, size_t most);

/* How many requests it has sent; false: it is a folder. */
bool store_requests(const struct store *store, struct s3_count *count);

/* One incident by its id. NULL and err when it is not there, cannot be read or is broken; the
 * caller frees it. */
struct store_incident *store_find(struct store *store, const char *id, struct error *err);
void store_incident_free(struct store_incident *stored);

/* Reads a file of an incident, at most max bytes, into buf (initialised here; the caller frees it,
 * also after an error). A name that is not plain is an error. */
int store_read_file(struct store *store, const struct store_incident *stored, const char *name,
    size_t max, struct buf *buf, struct error *err);

/* Opens a file of an incident for reading, and tells its size in bytes: the caller closes the
 * descriptor. -1 and err; only where store_is_bucket says no. */
int store_open_file(struct store *store, const struct store_incident *stored, const char *name,
    uint64_t *size, struct error *err);

/* store_read_file for a file that need not be there: 1, or 0 when it is not. */
int store_find_file(struct store *store, const struct store_incident *stored, const char *name,
    size_t max, struct buf *buf, struct error *err);

/* Writes a file beside an incident, whole or not at all. -1 and err also when the incident is not
 * there any more. */
int store_write_file(struct store *store, const struct store_incident *stored, const char *name,
    const void *data, size_t size, struct error *err);

/* The same for a file of a service's state, which lies in service=<service>/_state. Reading: 1 when
 * there is such a file, 0 when not; buf is initialised in any case and freed by the caller. */
int store_read_state(struct store *store, const char *service, const char *name, size_t max,
    struct buf *buf, struct error *err);
int store_write_state(struct store *store, const char *service, const char *name, const void *data,
    size_t size, struct error *err);

#endif
