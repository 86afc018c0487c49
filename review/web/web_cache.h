/* Reports that were made lately, so that going back to one costs nothing: the last ones used, up to
 * a number of bytes. Thread-safe. */
#ifndef REVIEW_WEB_CACHE_H
#define REVIEW_WEB_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct web_cache;

struct web_cache *web_cache_new(size_t bytes_max);
void web_cache_free(struct web_cache *cache);

/* Appends the text kept under that key. False: there is none. */
bool web_cache_get(struct web_cache *cache, const char *key, struct buf *out);

/* Keeps a copy, in place of what there was, unless it is larger than everything may be. */
void web_cache_put(struct web_cache *cache, const char *key, const void *data, size_t size);

#endif
