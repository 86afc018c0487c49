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
};

/* "prod/service=a/" below "prod/" -> "service=a" */
static int pass_name(void *arg, const char *key)
{
    struct walk *walk = arg;
    size_t skip = strlen(walk->prefix), length = strlen(key);
    if (length <= skip || strncmp(key, walk->prefix, skip) != 0)
        return 0;
    char *name = xstrndup(key + skip, length - skip - (key[length - 1] == '/'));
    walk->ended = walk->each(walk->arg, name) != 0;
    free(name);
    return walk->ended;
}

/* `pass` gets `arg`, which holds the walk. */
static int bucket_walk(struct bucket *bucket, const char *path, const char *delimiter,
    int (*pass)(void *arg, const char *key), struct walk *walk, void *arg, struct error *err)
{
    char *prefix = key_of(bucket, path, "/");
    walk->prefix = prefix;
    int status = s3_list(bucket->s3, prefix, delimiter, pass, arg, err);
    free(prefix);
    return walk->ended || status >= 0 ? 0 : -1;
}

static int bucket_names(
    void *self, const char *path, store_each_name *each, void *arg, struct error *err)
{
    struct walk walk = {.each = each, .arg = arg};
    return bucket_walk(self, path, "/", pass_name, &walk, &walk, err);
}

/* Tells the name that waits, if any. */
static int tell_holder(struct holder_walk *holders, bool both)
{
    if (holders->name && !holders->walk.ended)
        holders->walk.ended = holders->each(holders->arg, holders->name, both, 0) != 0;
    free(holders->name);
    holders->name = NULL;
    return holders->walk.ended;
}

/* "<prefix>NAME/FILE" */
static int pass_holder(void *arg, const char *key)
{
    struct holder_walk *holders = arg;
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
    return ended;
}

/* Every key is listed, not only the folders: that tells without a request a folder which of them
 * are complete. */
static int bucket_holders(void *self, const char *path, const char *const files[2],
    store_each_holder *each, void *arg, struct error *err)
{
    struct holder_walk holders = {.files = files, .each = each, .arg = arg};
    int status = bucket_walk(self, path, NULL, pass_holder, &holders.walk, &holders, err);
    if (status == 0)
        tell_holder(&holders, false);
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
    .has = bucket_has,
    .read = bucket_read,
    .write = bucket_write,
    .close = bucket_close,
};
