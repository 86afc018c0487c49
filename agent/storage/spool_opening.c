#include "agent/storage/reserve.h"
#include "agent/storage/spool.h"
#include "agent/storage/spool_parts.h"
#include "agent/storage/spool_recovery.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const uint64_t little_bytes = 1 << 20, little_files = 16;

void spool_note_trouble(struct spool *spool, const char *why)
{
    if (spool->trouble.text[0]) {
        log_debug("spool: %s", why);
        return;
    }
    error_set(&spool->trouble, "%s", why);
    log_error("spool: %s; sampling goes on, and while it lasts profiles are kept in memory (%d MiB "
              "in all) and go straight to the exporters: make space below `state`",
        why, RESERVE_BYTES >> 20);
}

/* What the state folder, or what there is of its path, is on. */
static bool disk_of(const char *state, struct statvfs *info)
{
    char *path = xstrdup(state);
    int status;
    while ((status = statvfs(path, info)) < 0 && errno == ENOENT && strcmp(path, "/") != 0 &&
           strcmp(path, ".") != 0) {
        char *parent = xstrdup(dirname(path));
        free(path);
        path = parent;
    }
    free(path);
    return status == 0 && info->f_blocks > 0;
}

/* A disk that is full or read-only may be so only for a time. */
static bool disk_refuses(const char *state)
{
    struct statvfs info;
    return disk_of(state, &info) && (info.f_flag & ST_RDONLY || info.f_bavail == 0 ||
                                        (info.f_files > 0 && info.f_favail == 0));
}

/* On a disk with so little room, whether it takes a profile is tried before there is one, so that
 * it is said in time. */
static void look_for_room(struct spool *spool)
{
    struct statvfs info;
    if (spool->trouble.text[0] || !disk_of(spool->state, &info) ||
        ((uint64_t)info.f_bavail * info.f_frsize >= little_bytes &&
            (!info.f_files || info.f_favail >= little_files)))
        return;
    spool_probe(spool);
    if (spool->found.text[0])
        spool_note_trouble(spool, spool->found.text);
}

/* An agent is not to die of that. */
static int tolerate(struct spool *spool, const char *state, int status, const struct error *err)
{
    if (status == 0 || !disk_refuses(state))
        return status;
    spool_note_trouble(spool, err->text);
    return 0;
}

int spool_lock(struct spool *spool, struct error *err)
{
    if (spool->lock >= 0)
        return 0;
    const char *state = spool->state;
    char *path = xasprintf("%s/lock", state);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), status = 0;
    if (fd < 0)
        status = tolerate(spool, state,
            error_set(err,
                "cannot write the state folder %s: %s; set `state` to a folder that "
                "this user (uid %u) can write",
                state, strerror(errno), (unsigned)getuid()),
            err);
    else
        close(fd);
    /* Held for reading: a file that is held for writing keeps a file system from becoming
     * read-only. */
    if (status == 0)
        spool->lock = open(path, O_RDONLY | O_CLOEXEC);
    if (spool->lock >= 0 && flock(spool->lock, LOCK_EX | LOCK_NB) < 0)
        status = errno == EWOULDBLOCK
                     ? error_set(err,
                           "another stakeout is running with the state folder %s; give this one a "
                           "`state` of its own",
                           state)
                     : error_set(err,
                           "cannot lock %s: %s; set `state` to a folder of a file system that "
                           "has locks",
                           path, strerror(errno));
    if (status < 0 && spool->lock >= 0) {
        close(spool->lock);
        spool->lock = -1;
    }
    free(path);
    return status;
}

struct spool *spool_open(const struct config *config, struct offload *disk, struct error *err)
{
    const char *state = config->state;
    struct spool *spool = xcalloc(1, sizeof *spool);
    spool->disk = disk;
    spool->lock = -1;
    spool->state = xstrdup(state);
    spool->path = xasprintf("%s/spool", state);
    spool->late = xasprintf("%s/late", state);
    spool->reserve = reserve_open();
    if (tolerate(spool, state, fs_make_folders(state, err), err) < 0 ||
        spool_lock(spool, err) < 0 ||
        tolerate(spool, state, fs_make_folders(spool->path, err), err) < 0 ||
        tolerate(spool, state, fs_sync_folder(state, err), err) < 0 ||
        tolerate(spool, state, spool_recover(spool->path, config, err), err) < 0) {
        spool_close(spool);
        return NULL;
    }
    spool_count(spool);
    look_for_room(spool);
    return spool;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->lock >= 0)
        close(spool->lock);
    reserve_close(spool->reserve);
    free(spool->state);
    free(spool->path);
    free(spool->late);
    free(spool);
}

struct id_list {
    char **ids;
    size_t count;
};

static int collect_id(void *arg, const char *name)
{
    struct id_list *list = arg;
    if (!incident_id_valid(name))
        return 0;
    list->ids = xrealloc(list->ids, list->count + 1, sizeof *list->ids);
    list->ids[list->count++] = xstrdup(name);
    return 0;
}

/* Ids begin with their time, so their order is that of the fires. */
static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int spool_each(
    struct spool *spool, void (*each)(void *arg, const char *id), void *arg, struct error *err)
{
    struct id_list list = {0};
    int status = fs_each(spool->path, collect_id, &list, err);
    if (status < 0 && spool->trouble.text[0])
        status = 0; /* there is none yet */
    if (list.count)
        qsort(list.ids, list.count, sizeof *list.ids, by_text);
    for (size_t i = 0; i < list.count; i++) {
        if (status == 0)
            each(arg, list.ids[i]);
        free(list.ids[i]);
    }
    free(list.ids);
    return status;
}
