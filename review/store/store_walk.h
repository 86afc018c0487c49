/* The incidents of a place by name, newest first across its services, listed as they are asked for:
 * the first one costs a listing of the newest date of each service, whatever else is there. */
#ifndef REVIEW_STORE_WALK_H
#define REVIEW_STORE_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct store_backend;
struct store_filter;
struct store_walk;

struct store_place {
    const char *service; /* the walk's */
    char *id;
    bool marked; /* has STORE_MARKS */
    uint64_t stamp;
};

/* What is walked, and its name for sentences; all of it has to outlive the walk. NULL and err when
 * the services cannot be listed or the filter cannot be. */
struct store_walk *store_walk_open(const struct store_backend *backend, void *self,
    const char *where, const struct store_filter *filter, struct error *err);
void store_walk_close(struct store_walk *walk);

/* 1 and the next one, whose id the caller frees; 0 at the end; -1 and err. Of the filter all that
 * names tell is considered. */
int store_walk_next(struct store_walk *walk, struct store_place *place, struct error *err);

#endif
