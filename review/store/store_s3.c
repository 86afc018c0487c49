/* The bucket form of a store. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "review/store/store_backend.h"

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
    const char *file;
    store_each_name *each;
    void *arg;
    bool ended; /* by `each` */
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

/* "<prefix>NAME/FILE" -> NAME */
static int pass_holder(void *arg, const char *key)
{
    struct walk *walk = arg;
    size_t skip = strlen(walk->prefix);
    if (strncmp(key, walk->prefix, skip) != 0)
        return 0;
    const char *slash = strchr(key + skip, '/');
    if (!slash || strcmp(slash + 1, walk->file) != 0)
        return 0;
    char *name = xstrndup(key + skip, (size_t)(slash - key) - skip);
    walk->ended = walk->each(walk->arg, name) != 0;
    free(name);
    return walk->ended;
}

static int bucket_walk(struct bucket *bucket, const char *path, const char *delimiter,
    int (*pass)(void *arg, const char *key), struct walk *walk, struct error *err)
{
    char *prefix = key_of(bucket, path, "/");
    walk->prefix = prefix;
    int status = s3_list(bucket->s3, prefix, delimiter, pass, walk, err);
    free(prefix);
    return walk->ended || status >= 0 ? 0 : -1;
}

static int bucket_names(
    void *self, const char *path, store_each_name *each, void *arg, struct error *err)
{
    struct walk walk = {.each = each, .arg = arg};
    return bucket_walk(self, path, "/", pass_name, &walk, err);
}

/* Every key is listed, not only the folders: that tells without a request a folder which of them
 * are complete. */
static int bucket_holders(void *self, const char *path, const char *file, store_each_name *each,
    void *arg, struct error *err)
{
    struct walk walk = {.file = file, .each = each, .arg = arg};
    return bucket_walk(self, path, NULL, pass_holder, &walk, err);
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

const struct store_backend store_s3 = {
    .names = bucket_names,
    .holders = bucket_holders,
    .has = bucket_has,
    .read = bucket_read,
    .close = bucket_close,
};
