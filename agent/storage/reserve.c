#include "agent/storage/reserve.h"

#include "core/alloc.h"
#include "core/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct reserve_file {
    struct reserve *reserve;
    int fd;
    char *path;
    size_t size;
};

struct named_file {
    char *name;
    struct reserve_file *file;
};

/* The files of one incident. */
struct shelter {
    char *folder;
    struct named_file *files;
    size_t count;
};

struct reserve {
    struct shelter *shelters;
    size_t count;
    atomic_ullong bytes;
};

struct reserve *reserve_open(void)
{
    return xcalloc(1, sizeof(struct reserve));
}

static void empty(struct shelter *shelter)
{
    for (size_t i = 0; i < shelter->count; i++) {
        free(shelter->files[i].name);
        reserve_file_drop(shelter->files[i].file);
    }
    free(shelter->files);
    free(shelter->folder);
}

void reserve_close(struct reserve *reserve)
{
    if (!reserve)
        return;
    for (size_t i = 0; i < reserve->count; i++) {
        const char *name = strrchr(reserve->shelters[i].folder, '/');
        log_error("incident %s is lost: the disk did not take it, and no exporter has it",
            name && name[1] ? name + 2 : reserve->shelters[i].folder);
        empty(&reserve->shelters[i]);
    }
    free(reserve->shelters);
    free(reserve);
}

uint64_t reserve_bytes(const struct reserve *reserve)
{
    return reserve->bytes;
}

struct reserve_file *reserve_file_new(struct reserve *reserve)
{
    int fd = memfd_create("stakeout", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct reserve_file *file = xcalloc(1, sizeof *file);
    *file = (struct reserve_file){
        .reserve = reserve, .fd = fd, .path = xasprintf("/proc/self/fd/%d", fd)};
    return file;
}

static int append(struct reserve_file *file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file->fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

int reserve_file_write(struct reserve_file *file, const void *data, size_t size)
{
    unsigned long long before = atomic_fetch_add(&file->reserve->bytes, size);
    file->size += size;
    if (before + size > RESERVE_BYTES) {
        errno = ENOSPC;
        return -1;
    }
    return append(file, data, size);
}

const char *reserve_file_path(const struct reserve_file *file)
{
    return file->path;
}

void reserve_file_drop(struct reserve_file *file)
{
    if (!file)
        return;
    atomic_fetch_sub(&file->reserve->bytes, file->size);
    close(file->fd);
    free(file->path);
    free(file);
}

static struct shelter *find(const struct reserve *reserve, const char *folder)
{
    for (size_t i = 0; i < reserve->count; i++)
        if (!strcmp(reserve->shelters[i].folder, folder))
            return &reserve->shelters[i];
    return NULL;
}

static struct named_file *find_file(const struct shelter *shelter, const char *name)
{
    for (size_t i = 0; shelter && i < shelter->count; i++)
        if (!strcmp(shelter->files[i].name, name))
            return &shelter->files[i];
    return NULL;
}

void reserve_expect(struct reserve *reserve, const char *folder)
{
    if (find(reserve, folder))
        return;
    reserve->shelters = xrealloc(reserve->shelters, reserve->count + 1, sizeof *reserve->shelters);
    reserve->shelters[reserve->count++] = (struct shelter){.folder = xstrdup(folder)};
}

bool reserve_has(const struct reserve *reserve, const char *folder)
{
    return find(reserve, folder) != NULL;
}

uint64_t reserve_size(const struct reserve *reserve, const char *folder)
{
    const struct shelter *shelter = find(reserve, folder);
    uint64_t bytes = 0;
    for (size_t i = 0; shelter && i < shelter->count; i++)
        bytes += shelter->files[i].file->size;
    return bytes;
}

void reserve_put(
    struct reserve *reserve, const char *folder, const char *name, struct reserve_file *file)
{
    reserve_expect(reserve, folder);
    struct shelter *shelter = find(reserve, folder);
    struct named_file *there = find_file(shelter, name);
    if (there) {
        reserve_file_drop(there->file);
        there->file = file;
        return;
    }
    shelter->files = xrealloc(shelter->files, shelter->count + 1, sizeof *shelter->files);
    shelter->files[shelter->count++] = (struct named_file){xstrdup(name), file};
}

int reserve_put_bytes(
    struct reserve *reserve, const char *folder, const char *name, const void *data, size_t size)
{
    struct reserve_file *file = reserve_file_new(reserve);
    if (!file)
        return -1;
    if (reserve_file_write(file, data, size) < 0) {
        int code = errno;
        reserve_file_drop(file);
        errno = code;
        return -1;
    }
    reserve_put(reserve, folder, name, file);
    return 0;
}

const char *reserve_path(const struct reserve *reserve, const char *folder, const char *name)
{
    const struct named_file *file = find_file(find(reserve, folder), name);
    return file ? file->file->path : NULL;
}

void reserve_each(const struct reserve *reserve, const char *folder,
    void (*each)(void *arg, const char *name, const char *path), void *arg)
{
    const struct shelter *shelter = find(reserve, folder);
    for (size_t i = 0; shelter && i < shelter->count; i++)
        each(arg, shelter->files[i].name, shelter->files[i].file->path);
}

void reserve_each_with(const struct reserve *reserve, const char *name,
    void (*each)(void *arg, const char *folder), void *arg)
{
    for (size_t i = 0; i < reserve->count; i++)
        if (find_file(&reserve->shelters[i], name))
            each(arg, reserve->shelters[i].folder);
}

void reserve_remove(struct reserve *reserve, const char *folder)
{
    struct shelter *shelter = find(reserve, folder);
    if (!shelter)
        return;
    empty(shelter);
    *shelter = reserve->shelters[--reserve->count];
}
