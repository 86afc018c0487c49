/* The folder form of a store. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "review/store/store_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char *path; /* without a slash at its end: "" is the root of the file system */
};

void *store_folder_open(const char *path, struct error *err)
{
    struct stat info;
    if (stat(*path ? path : "/", &info) < 0) {
        error_set(err, "cannot read the folder %s: %s", path, strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(info.st_mode)) {
        error_set(err, "%s is not a folder; name the folder that the incidents are in", path);
        return NULL;
    }
    struct folder *folder = xcalloc(1, sizeof *folder);
    folder->path = xstrdup(path);
    return folder;
}

static char *full_path(const struct folder *folder, const char *path)
{
    return xasprintf("%s/%s", folder->path, path);
}

struct spanned {
    const struct store_span *span;
    store_each_name *each;
    void *arg;
};

static int pass_name(void *arg, const char *name)
{
    const struct spanned *spanned = arg;
    const struct store_span *span = spanned->span;
    if (strncmp(name, span->begin, strlen(span->begin)) != 0 ||
        (span->after && strcmp(name, span->after) <= 0))
        return 0;
    return spanned->each(spanned->arg, name);
}

static int folder_names(
    void *self, const struct store_span *span, store_each_name *each, void *arg, struct error *err)
{
    struct spanned spanned = {span, each, arg};
    char *full = full_path(self, span->path);
    struct stat info;
    bool missing = stat(full, &info) < 0 ? errno == ENOENT || errno == ENOTDIR
                                         : !S_ISDIR(info.st_mode);
    int status = missing ? 0 : fs_each(full, pass_name, &spanned, err);
    free(full);
    return status;
}

/* Only a regular file counts: not a link, which could lead anywhere, nor a pipe, which would block.
 */
static int look_for(void *self, const char *path, struct stat *info, struct error *err)
{
    char *full = full_path(self, path);
    int status = 1;
    if (lstat(full, info) == 0)
        status = S_ISREG(info->st_mode);
    else if (errno == ENOENT || errno == ENOTDIR)
        status = 0;
    else
        status = error_set(err, "cannot look for %s: %s", full, strerror(errno));
    free(full);
    return status;
}

static int folder_has(void *self, const char *path, struct error *err)
{
    struct stat info;
    return look_for(self, path, &info, err);
}

struct holders {
    void *self;
    const char *path;
    const char *const *files;
    store_each_holder *each;
    void *arg;
    struct error *err;
};

/* Of its size and the time it was written at. */
static uint64_t stamp_of(const struct stat *info)
{
    const uint64_t parts[] = {
        (uint64_t)info->st_size, (uint64_t)info->st_mtim.tv_sec, (uint64_t)info->st_mtim.tv_nsec};
    uint64_t stamp = UINT64_C(0xcbf29ce484222325); /* FNV-1a, by words */
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        stamp = (stamp ^ parts[i]) * UINT64_C(0x100000001b3);
    return stamp ? stamp : 1;
}

static int holds(const struct holders *holders, const char *name, const char *file, uint64_t *stamp)
{
    struct stat info;
    char *path = xasprintf("%s/%s/%s", holders->path, name, file);
    int status = look_for(holders->self, path, &info, holders->err);
    if (status > 0)
        *stamp = stamp_of(&info);
    free(path);
    return status;
}

static int pass_holder(void *arg, const char *name)
{
    const struct holders *holders = arg;
    uint64_t stamp = 0, other;
    int first = holds(holders, name, holders->files[0], &stamp);
    if (first <= 0)
        return first;
    int second = holders->files[1] ? holds(holders, name, holders->files[1], &other) : 0;
    return second < 0 ? second : holders->each(holders->arg, name, second > 0, stamp);
}

static int folder_holders(void *self, const struct store_span *span, const char *const files[2],
    store_each_holder *each, void *arg, struct error *err)
{
    struct holders holders = {self, span->path, files, each, arg, err};
    return folder_names(self, span, pass_holder, &holders, err);
}

static int folder_read(void *self, const char *path, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    char *full = full_path(self, path);
    int status = folder_has(self, path, err);
    if (status > 0)
        status = fs_read(full, max, buf, err);
    else if (status == 0)
        status = error_set(err, "there is no file %s", full);
    free(full);
    return status;
}

/* A link is not followed, a pipe does not block, and what was looked at is what is read. */
static int folder_open(void *self, const char *path, uint64_t *size, struct error *err)
{
    char *full = full_path(self, path);
    struct stat info;
    int fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "cannot open %s: %s", full, strerror(errno));
    } else if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        error_set(err, "there is no file %s", full);
        close(fd);
        fd = -1;
    } else {
        *size = (uint64_t)info.st_size;
    }
    free(full);
    return fd;
}

static int folder_write(
    void *self, const char *path, const void *data, size_t size, struct error *err)
{
    char *full = full_path(self, path), *parent = xstrdup(full);
    int status = fs_make_folders(dirname(parent), err);
    if (status == 0)
        status = fs_write(full, data, size, err);
    free(parent);
    free(full);
    return status;
}

static void folder_close(void *self)
{
    struct folder *folder = self;
    free(folder->path);
    free(folder);
}

const struct store_backend store_folder = {
    .names = folder_names,
    .holders = folder_holders,
    .has = folder_has,
    .read = folder_read,
    .open = folder_open,
    .write = folder_write,
    .close = folder_close,
};
