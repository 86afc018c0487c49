/* An incident's files, read from the store and decoded. Only a few at a time: a profile may be
 * large, and the memory for it is no more than a page is worth. */
#ifndef REVIEW_WEB_READING_H
#define REVIEW_WEB_READING_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct evidence;
struct store_incident;
struct web_site;

struct web_reading {
    struct store_incident *stored; /* NULL: it could not be read */
    struct store_incident *base;   /* NULL: there is none */
    struct evidence *evidence;
};

/* Around whatever reads: waits for its turn. */
void web_reading_enter(void);
void web_reading_leave(void);

/* What all profiles of a page may have when inflated. */
#define WEB_READING_MAX ((size_t)256 << 20)

struct web_reading_wish {
    bool baseline;         /* the one that it names as well; an analysis goes to the index then */
    size_t inflated_bytes; /* at most, of all its profiles together */
};

/* Reads incident `id`. An analysis that it lacks is made then. -1 and err. web_reading_free in any
 * case. */
int web_reading_make(struct web_reading *reading, struct web_site *site, const char *id,
    const struct web_reading_wish *wish, struct error *err);
void web_reading_free(struct web_reading *reading);

#endif
