/* A store has one user at a time; requests are answered by several threads. This lends them. */
#ifndef REVIEW_WEB_STORES_H
#define REVIEW_WEB_STORES_H

struct error;
struct s3_settings;
struct store;
struct web_stores;

/* Of a place as in store_open; what the settings point to has to outlive it. The first one is
 * opened now. NULL and err when it cannot be. */
struct web_stores *web_stores_open(
    const char *where, const struct s3_settings *settings, struct error *err);
void web_stores_close(struct web_stores *stores); /* when all have been given back */

/* NULL and err when another cannot be opened. */
struct store *web_stores_take(struct web_stores *stores, struct error *err);
void web_stores_give(struct web_stores *stores, struct store *store); /* NULL is allowed */

/* As the user wrote it. */
const char *web_stores_where(const struct web_stores *stores);

#endif
