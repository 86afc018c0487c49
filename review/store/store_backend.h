/* What a place must offer to be read as a store. Paths are relative to the place and have no slash
 * at either end; "" is the place itself. */
#ifndef REVIEW_STORE_BACKEND_H
#define REVIEW_STORE_BACKEND_H

#include "core/s3/s3.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* Called with every name; non-zero ends the walk. */
typedef int store_each_name(void *arg, const char *name);

/* The same for a folder: whether it holds the second file as well, and what changes with the first
 * (0: not known). */
typedef int store_each_holder(void *arg, const char *name, bool both, uint64_t stamp);

/* Which of the names directly below a path. */
struct store_span {
    const char *path;
    const char *begin; /* they begin like this */
    const char *after; /* and come after this text, as bytes; NULL: all */
    bool whole;        /* only if the place can tell them in one answer */
};

/* What a place will be asked for soon. */
enum store_question {
    STORE_NOTHING, /* after all: what is under way is ended */
    STORE_NAMES,
    STORE_HOLDERS,
    STORE_HAS, /* of the span only the path counts, as for STORE_READ */
    STORE_READ
};

enum { STORE_NOT_WHOLE = 2 };

/* -1 with err, 0, or 1 when `each` ended it. */
struct store_backend {
    /* Names directly below a path, in any order. A path that is not there has none. */
    int (*names)(void *self, const struct store_span *span, store_each_name *each, void *arg,
        struct error *err);
    /* Those of the folders directly below a path that hold the first file. The second, which sorts
     * after it, may be NULL. STORE_NOT_WHOLE where the span is to be whole and there are too many;
     * nothing is told then. */
    int (*holders)(void *self, const struct store_span *span, const char *const files[2],
        store_each_holder *each, void *arg, struct error *err);
    /* Begins what the same question will want, so that several answers are waited for at a time;
     * max as for `read`. NULL where that gains nothing. */
    void (*expect)(
        void *self, enum store_question question, const struct store_span *span, size_t max);
    /* How many requests there were; NULL where there are none. */
    struct s3_count (*count)(void *self);
    /* 1 when there is a file of that path, 0 when not. */
    int (*has)(void *self, const char *path, struct error *err);
    /* Initialises buf in any case. */
    int (*read)(void *self, const char *path, size_t max, struct buf *buf, struct error *err);
    /* Opens a file for reading and tells its size: a descriptor that the caller closes. NULL where
     * there are no descriptors. */
    int (*open)(void *self, const char *path, uint64_t *size, struct error *err);
    /* Writes a file, which is there whole or not at all; folders on the way are made. */
    int (*write)(void *self, const char *path, const void *data, size_t size, struct error *err);
    void (*close)(void *self);
};

extern const struct store_backend store_folder, store_s3;

/* NULL and err when the place cannot be read. The path and the settings'
 * prefix ("": all of the bucket) have no slash at the end. */
void *store_folder_open(const char *path, struct error *err);
void *store_s3_open(const struct s3_settings *settings, struct error *err);

#endif
