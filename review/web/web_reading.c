#include "review/web/web_reading.h"

#include "review/analysis/reanalysis.h"
#include "review/evidence/evidence.h"
#include "review/store/store.h"
#include "review/web/web_index.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

#include <pthread.h>

enum { AT_ONCE = 2 };

/* Of the whole process, like its memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int busy;

void web_reading_enter(void)
{
    pthread_mutex_lock(&lock);
    while (busy == AT_ONCE)
        pthread_cond_wait(&freed, &lock);
    busy++;
    pthread_mutex_unlock(&lock);
}

void web_reading_leave(void)
{
    pthread_mutex_lock(&lock);
    busy--;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&lock);
}

/* The list learns what was found. */
static void tell_index(const struct web_reading *reading, struct web_site *site)
{
    struct store_incident analysed = *reading->stored;
    analysed.incident = reading->evidence->incident;
    web_index_replace(site->index, &analysed);
}

static int read_all(struct web_reading *reading, struct web_site *site, struct store *store,
    const char *id, const struct reanalysis_wish *wish, struct error *err)
{
    reading->stored = store_find(store, id, err);
    if (!reading->stored)
        return -1;
    bool analysed;
    reading->evidence = reanalysis_read(store, reading->stored, wish, &analysed, err);
    if (!reading->evidence)
        return -1;
    if (analysed && wish->baseline)
        tell_index(reading, site);
    return 0;
}

int web_reading_make(struct web_reading *reading, struct web_site *site, const char *id,
    const struct reanalysis_wish *wish, struct error *err)
{
    *reading = (struct web_reading){.stored = NULL};
    struct store *store = web_stores_take(site->stores, err);
    int status = store ? read_all(reading, site, store, id, wish, err) : -1;
    web_stores_give(site->stores, store);
    return status;
}

void web_reading_free(struct web_reading *reading)
{
    evidence_free(reading->evidence);
    store_incident_free(reading->stored);
    *reading = (struct web_reading){.stored = NULL};
}
