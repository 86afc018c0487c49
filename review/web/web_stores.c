#include "review/web/web_stores.h"

#include "core/alloc.h"
#include "review/store/store.h"

#include <pthread.h>
#include <stdlib.h>

enum { IDLE_MAX = 8 }; /* each may hold connections to a bucket */

struct web_stores {
    char *where;
    struct s3_settings settings;
    pthread_mutex_t lock;
    struct store *idle[IDLE_MAX];
    size_t idle_count;
};

struct web_stores *web_stores_open(
    const char *where, const struct s3_settings *settings, struct error *err)
{
    struct store *first = store_open(where, settings, err);
    if (!first)
        return NULL;
    struct web_stores *stores = xcalloc(1, sizeof *stores);
    stores->where = xstrdup(where);
    stores->settings = *settings;
    pthread_mutex_init(&stores->lock, NULL);
    web_stores_give(stores, first);
    return stores;
}

void web_stores_close(struct web_stores *stores)
{
    if (!stores)
        return;
    for (size_t i = 0; i < stores->idle_count; i++)
        store_close(stores->idle[i]);
    pthread_mutex_destroy(&stores->lock);
    free(stores->where);
    free(stores);
}

struct store *web_stores_take(struct web_stores *stores, struct error *err)
{
    struct store *store = NULL;
    pthread_mutex_lock(&stores->lock);
    if (stores->idle_count > 0)
        store = stores->idle[--stores->idle_count];
    pthread_mutex_unlock(&stores->lock);
    return store ? store : store_open(stores->where, &stores->settings, err);
}

void web_stores_give(struct web_stores *stores, struct store *store)
{
    pthread_mutex_lock(&stores->lock);
    if (store && stores->idle_count < IDLE_MAX) {
        stores->idle[stores->idle_count++] = store;
        store = NULL;
    }
    pthread_mutex_unlock(&stores->lock);
    store_close(store);
}

const char *web_stores_where(const struct web_stores *stores)
{
    return stores->where;
}
