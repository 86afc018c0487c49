#include "review/web/web_cache.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *older;
    char *key;
    void *data;
    size_t size;
};

/* Some dozens of entries: a list is enough. */
struct web_cache {
    pthread_mutex_t lock;
    struct entry *newest;
    size_t bytes, bytes_max;
};

struct web_cache *web_cache_new(size_t bytes_max)
{
    struct web_cache *cache = xcalloc(1, sizeof *cache);
    cache->bytes_max = bytes_max;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void free_entry(struct entry *entry)
{
    free(entry->key);
    free(entry->data);
    free(entry);
}

void web_cache_free(struct web_cache *cache)
{
    if (!cache)
        return;
    for (struct entry *entry = cache->newest, *older; entry; entry = older) {
        older = entry->older;
        free_entry(entry);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Out of the list; NULL when there is none. */
static struct entry *unlink_entry(struct web_cache *cache, const char *key)
{
    for (struct entry **at = &cache->newest; *at; at = &(*at)->older) {
        struct entry *entry = *at;
        if (strcmp(entry->key, key) != 0)
            continue;
        *at = entry->older;
        cache->bytes -= entry->size;
        return entry;
    }
    return NULL;
}

static void link_entry(struct web_cache *cache, struct entry *entry)
{
    entry->older = cache->newest;
    cache->newest = entry;
    cache->bytes += entry->size;
}

static void drop_oldest(struct web_cache *cache)
{
    struct entry **at = &cache->newest;
    while ((*at)->older)
        at = &(*at)->older;
    cache->bytes -= (*at)->size;
    free_entry(*at);
    *at = NULL;
}

bool web_cache_get(struct web_cache *cache, const char *key, struct buf *out)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = unlink_entry(cache, key);
    if (entry) {
        link_entry(cache, entry);
        buf_append(out, entry->data, entry->size);
    }
    pthread_mutex_unlock(&cache->lock);
    return entry != NULL;
}

void web_cache_put(struct web_cache *cache, const char *key, const void *data, size_t size)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *before = unlink_entry(cache, key);
    if (before)
        free_entry(before);
    if (size <= cache->bytes_max) {
        while (cache->newest && cache->bytes > cache->bytes_max - size)
            drop_oldest(cache);
        struct entry *entry = xcalloc(1, sizeof *entry);
        *entry = (struct entry){.key = xstrdup(key), .data = xcalloc(size + 1, 1), .size = size};
        memcpy(entry->data, data, size);
        link_entry(cache, entry);
    }
    pthread_mutex_unlock(&cache->lock);
}
