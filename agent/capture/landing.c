#include "agent/capture/landing.h"

#include "agent/storage/reserve.h"
#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void landing_init(
    struct landing *landing, struct reserve *reserve, const char *folder, const char *file)
{
    *landing = (struct landing){.reserve = reserve,
        .folder = xstrdup(folder),
        .file = xstrdup(file),
        .temporary = xasprintf("%s/.%s", folder, file),
        .fd = -1};
}

void landing_close(struct landing *landing)
{
    if (landing->fd >= 0)
        close(landing->fd);
    landing->fd = -1;
}

static void drop_memory(struct landing *landing)
{
    reserve_file_drop(landing->memory);
    landing->memory = NULL;
}

void landing_free(struct landing *landing)
{
    landing_close(landing);
    drop_memory(landing);
    free(landing->folder);
    free(landing->file);
    free(landing->temporary);
}

static int failed(struct landing *landing)
{
    landing->code = errno;
    return -1;
}

/* Other errors have other remedies: somebody removes what is ours, say. */
static bool is_of_the_disk(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EROFS || code == EIO;
}

static const char *remedy_of(int code)
{
    if (code == EIO)
        return "the disk below `state` fails; the kernel's log says how";
    if (code == EROFS)
        return "`state` is mounted read-only, as after errors of its disk";
    return "is there space below `state`?";
}

void landing_problem(const struct landing *landing, struct error *err)
{
    int code = landing->code ? landing->code : EIO;
    error_set(err, "it could not be written to the spool%s (%s): %s",
        landing->reserve ? " and does not fit in memory" : "", strerror(code), remedy_of(code));
}

/* What came so far goes to memory; the disk gets its space back. */
static int move_to_memory(struct landing *landing)
{
    landing_close(landing);
    if (!landing->reserve || !is_of_the_disk(landing->code))
        return -1;
    int from = open(landing->temporary, O_RDONLY | O_CLOEXEC);
    landing->memory = reserve_file_new(landing->reserve);
    int status = from < 0 || !landing->memory ? failed(landing) : 0;
    while (status == 0) {
        char block[16384];
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got > 0 && reserve_file_write(landing->memory, block, (size_t)got) < 0))
            status = failed(landing);
        if (got <= 0)
            break;
    }
    if (from >= 0)
        close(from);
    if (status == 0)
        unlink(landing->temporary);
    return status;
}

int landing_begin(struct landing *landing)
{
    landing_close(landing);
    drop_memory(landing);
    landing->fd = open(landing->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (landing->fd >= 0)
        return 0;
    landing->code = errno;
    if (!landing->reserve ||
        !(is_of_the_disk(errno) || reserve_has(landing->reserve, landing->folder)))
        return -1;
    landing->memory = reserve_file_new(landing->reserve);
    return landing->memory ? 0 : failed(landing);
}

int landing_write(struct landing *landing, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0 && landing->fd >= 0) {
        ssize_t written = write(landing->fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && (failed(landing), move_to_memory(landing)) < 0)
            return -1;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    if (size > 0 && reserve_file_write(landing->memory, at, size) < 0)
        return failed(landing);
    return 0;
}

int landing_sync(struct landing *landing)
{
    if (landing->fd >= 0 && fsync(landing->fd) < 0)
        return failed(landing), move_to_memory(landing);
    landing_close(landing);
    return 0;
}

int landing_keep(struct landing *landing, const char *file)
{
    free(landing->file);
    landing->file = xstrdup(file);
    if (landing->memory)
        return 0;
    char *path = xasprintf("%s/%s", landing->folder, file);
    int status = rename(landing->temporary, path) < 0 ? failed(landing) : 0;
    free(path);
    return status < 0 ? move_to_memory(landing) : 0;
}

const char *landing_content(const struct landing *landing)
{
    return landing->memory ? reserve_file_path(landing->memory) : landing->temporary;
}

void landing_hand_over(struct landing *landing)
{
    if (landing->memory)
        reserve_put(landing->reserve, landing->folder, landing->file, landing->memory);
    landing->memory = NULL;
}

void landing_remove(struct landing *landing)
{
    landing_close(landing);
    drop_memory(landing);
    unlink(landing->temporary);
}
