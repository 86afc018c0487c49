/* The baselines that are kept for comparison, apart from the spool and from all exporters:
 *
 *   <state>/baselines/<id>/           incident.json and the profiles that are whole
 *   <state>/baselines/baseline-<app>.tar  the newest of an app as one file, for the stores
 *
 * One an app and part of the day (six hours, UTC): the newest, unless it is not whole and the one
 * before it is, of the same image. What is written is there whole or not at all. */
#ifndef AGENT_BASELINE_SHELF_H
#define AGENT_BASELINE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct incident;
struct offload;
struct shelf;

/* Opens what earlier runs left; what is broken, or of another service or app, is removed. Blocks.
 * Both outlive the shelf. */
struct shelf *shelf_open(const struct config *config, struct offload *disk);

/* Goes on for another configuration of the same service and `state`, while nothing is on its way
 * there. What is of an app that is gone stays until the next start. */
void shelf_reload(struct shelf *shelf, const struct config *config);

/* After the disk thread is closed. NULL is allowed. */
void shelf_close(struct shelf *shelf);

/* All that are kept, in no order; valid until the next turn of the loop. */
const struct incident *const *shelf_all(const struct shelf *shelf, size_t *count);

/* How a baseline was put there. */
struct shelf_result {
    const struct incident *incident; /* NULL: it could not be read; err says why */
    bool kept; /* err says why not; "": it has nothing to compare with, or less than the one that
                  is kept of the same part of the day */
    const struct error *err;
};

/* Copies the complete incident in this folder, on the disk thread, before anything that the thread
 * is given later can remove it, and packs it. `done` on the loop, once; what the result
 * points to is valid within the call. */
void shelf_copy(struct shelf *shelf, const char *folder,
    void (*done)(void *arg, const struct shelf_result *result), void *arg);

/* The same for a packed one from a store, which may be anything: nothing in it is believed that is
 * not checked. The bytes are copied. */
void shelf_unpack(struct shelf *shelf, const char *data, size_t size,
    void (*done)(void *arg, const struct shelf_result *result), void *arg);

/* Where the packed newest one of an app is, or would be; the caller frees. */
char *shelf_packed_path(const struct shelf *shelf, const char *app);

#endif
