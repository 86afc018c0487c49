/* The bucket form of a store. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "review/store/store_backend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
    struct loop *loop;
    struct s3 *s3;
    char *prefix; /* of every key: "" or "prod/" */
};

static void bucket_close(void *self)
{
    struct bucket *bucket = self;
    s3_close(bucket->s3);
    loop_close(bucket->loop);
    free(bucket->prefix);
    free(bucket);
}

void *store_s3_open(const struct s3_settings *settings, struct error *err)
{
    struct loop *loop = loop_open(err);
    if (!loop)
        return NULL;
    struct s3 *s3 = s3_open(loop, settings, err);
    if (!s3) {
        loop_close(loop);
        return NULL;
    }
    struct bucket *bucket = xcalloc(1, sizeof *bucket);
    *bucket = (struct bucket){.loop = loop, .s3 = s3};
    const char *prefix = settings->prefix;
    bucket->prefix = *prefix ? xasprintf("%s/", prefix) : xstrdup("");
    return bucket;
}

/* The key of a file, or with a slash at its end the prefix of what is in a folder. */
static char *key_of(const struct bucket *bucket, const char *path, const char *end)
{
    return xasprintf("%s%s%s", bucket->prefix, path, *path ? end : "");
}

struct walk {
    const char *prefix;
    store_each_name *each;
    void *arg;
    bool ended; /* by `each` */
};

/* The name that was found last waits for its second file: keys come sorted. */
struct holder_walk {
    struct walk walk;
    const char *const *files;
    store_each_holder *each;
    void *arg;
    char *name; /* NULL: none waits */
    uint64_t stamp;
};

/* "prod/service=a/" below "prod/" -> "service=a" */
static int pass_name(void *arg, const struct s3_entry *entry)
{
    struct walk *walk = arg;
    const char *key = entry->key;
    size_t skip = strlen(walk->prefix), length = strlen(key);
    if (length <= skip || strncmp(key, walk->prefix, skip) != 0)
        return 0;
    char *name = xstrndup(key + skip, length - skip - (key[length - 1] == '/'));
    walk->ended = walk->each(walk->arg, name) != 0;
    free(name);
    return walk->ended;
}

/* A span as the store lists it. */
struct span_keys {
    char *below, *prefix, *after; /* below: the folder, with a slash */
    struct s3_listing listing;
};

static void span_keys_init(struct span_keys *keys, const struct bucket *bucket,
    const struct store_span *span, const char *delimiter)
{
    keys->below = key_of(bucket, span->path, "/");
    keys->prefix = xasprintf("%s%s", keys->below, span->begin);
    keys->after = span->after ? xasprintf("%s%s", keys->below, span->after) : NULL;
    keys->listing = (struct s3_listing){
        .prefix = keys->prefix, .delimiter = delimiter, .after = keys->after, .whole = span->whole};
}

static void span_keys_free(struct span_keys *keys)
{
    free(keys->below);
    free(keys->prefix);
    free(keys->after);
}

/* `pass` gets `arg`, which holds the walk. */
static int bucket_walk(struct bucket *bucket, const struct store_span *span, const char *delimiter,
    int (*pass)(void *arg, const struct s3_entry *entry), struct walk *walk, void *arg,
    struct error *err)
{
    struct span_keys keys;
    span_keys_init(&keys, bucket, span, delimiter);
    walk->prefix = keys.below;
    int status = s3_list_entries(bucket->s3, &keys.listing, pass, arg, err);
    span_keys_free(&keys);
    return walk->ended ? 1 : status == 1 ? STORE_NOT_WHOLE : status;
}

static int bucket_names(
    void *self, const struct store_span *span, store_each_name *each, void *arg, struct error *err)
{
    struct walk walk = {.each = each, .arg = arg};
    return bucket_walk(self, span, "/", pass_name, &walk, &walk, err);
}

/* Tells the name that waits, if any. */
static int tell_holder(struct holder_walk *holders, bool both)
{
    if (holders->name && !holders->walk.ended)
        holders->walk.ended = holders->each(holders->arg, holders->name, both, holders->stamp) != 0;
    free(holders->name);
    holders->name = NULL;
    return holders->walk.ended;
}

/* "<prefix>NAME/FILE" */
static int pass_holder(void *arg, const struct s3_entry *entry)
{
    struct holder_walk *holders = arg;
    const char *key = entry->key;
    size_t skip = strlen(holders->walk.prefix);
    if (strncmp(key, holders->walk.prefix, skip) != 0)
        return 0;
    const char *name = key + skip, *slash = strchr(name, '/');
    if (!slash)
        return 0;
    size_t length = (size_t)(slash - name);
    bool waits = holders->name && strlen(holders->name) == length &&
                 !strncmp(holders->name, name, length);
    if (waits && holders->files[1] && !strcmp(slash + 1, holders->files[1]))
        return tell_holder(holders, true);
    if (strcmp(slash + 1, holders->files[0]) != 0)
        return 0;
    int ended = tell_holder(holders, false);
    holders->name = xstrndup(name, length);
    holders->stamp = entry->stamp;
    return ended;
}

/* Every key is listed, not only the folders: that tells without a request a folder which of them
 * are complete. */
static int bucket_holders(void *self, const struct store_span *span, const char *const files[2],
    store_each_holder *each, void *arg, struct error *err)
{
    struct holder_walk holders = {.files = files, .each = each, .arg = arg};
    int status = bucket_walk(self, span, NULL, pass_holder, &holders.walk, &holders, err);
    if (status == 0 && tell_holder(&holders, false))
        status = 1;
    free(holders.name);
    return status;
}

static int is_key(void *arg, const char *key)
{
    struct walk *walk = arg;
    walk->ended = strcmp(key, walk->prefix) == 0;
    return 1; /* the exact key is the first of those that begin with it */
}

static int bucket_has(void *self, const char *path, struct error *err)
{
    struct bucket *bucket = self;
    char *key = key_of(bucket, path, "");
    struct walk walk = {.prefix = key};
    bool answered = s3_list(bucket->s3, key, NULL, is_key, &walk, err) >= 0 || walk.ended;
    free(key);
    return walk.ended ? 1 : answered ? 0 : -1;
}

static int bucket_read(void *self, const char *path, size_t max, struct buf *buf, struct error *err)
{
    struct bucket *bucket = self;
    char *key = key_of(bucket, path, "");
    int status = s3_get_bytes(bucket->s3, key, max, buf, err);
    free(key);
    return status;
}

static void bucket_expect(
    void *self, enum store_question question, const struct store_span *span, size_t max)
{
    struct bucket *bucket = self;
    struct span_keys keys;
    if (question == STORE_NOTHING) {
        s3_expect_nothing(bucket->s3);
        return;
    }
    if (question == STORE_NAMES || question == STORE_HOLDERS) {
        span_keys_init(&keys, bucket, span, question == STORE_NAMES ? "/" : NULL);
        s3_expect_listing(bucket->s3, &keys.listing);
        span_keys_free(&keys);
        return;
    }
    char *key = key_of(bucket, span->path, "");
    if (question == STORE_HAS)
        s3_expect_listing(bucket->s3, &(struct s3_listing){.prefix = key});
    else
        s3_expect_object(bucket->s3, key, max);
    free(key);
}

static struct s3_count bucket_count(void *self)
{
    const struct bucket *bucket = self;
    return s3_count(bucket->s3);
}

static int bucket_write(
    void *self, const char *path, const void *data, size_t size, struct error *err)
{
    struct bucket *bucket = self;
    char *key = key_of(bucket, path, "");
    int status = s3_put_bytes(bucket->s3, key, data, size, "application/json", err);
    free(key);
    return status;
}

const struct store_backend store_s3 = {
    .names = bucket_names,
    .holders = bucket_holders,
    .expect = bucket_expect,
    .count = bucket_count,
    .has = bucket_has,
    .read = bucket_read,
    .write = bucket_write,
    .close = bucket_close,
};
