/* An incident's files, read from the store and decoded. Only a few at a time: a profile may be
 * large, and the memory for it is no more than a page is worth. */
#ifndef REVIEW_WEB_READING_H
#define REVIEW_WEB_READING_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct evidence;
struct reanalysis_wish;
struct store_incident;
struct web_site;

struct web_reading {
    struct store_incident *stored; /* NULL: it could not be read */
    struct evidence *evidence;
};

/* Around whatever reads: waits for its turn. */
void web_reading_enter(void);
void web_reading_leave(void);

/* Reads incident `id` as the wish says. An analysis that it lacks, or
 * that left something out, is made then. -1 and err. web_reading_free in any case. */
int web_reading_make(struct web_reading *reading, struct web_site *site, const char *id,
    const struct reanalysis_wish *wish, struct error *err);
void web_reading_free(struct web_reading *reading);

#endif
