#include "agent/storage/spool.h"

#include "agent/storage/spool_recovery.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool {
    struct offload *disk;
    char *path;
    int lock;
    atomic_ullong bytes; /* the disk thread writes it, the loop reads it */
    bool refreshing;     /* a look at it is on its way */
};

/* One change on the disk thread. */
struct spool_job {
    struct spool *spool;
    char *id;
    char *text; /* incident.json */
    struct buf metrics;
    char *identity; /* of a mark */
    bool ok;
    struct error error;
    void (*done)(void *arg, const char *id, bool ok);
    void *arg;
};

static char *open_folder(const struct spool *spool, const char *id)
{
    return xasprintf("%s/.%s", spool->path, id);
}

char *spool_folder(const struct spool *spool, const char *id)
{
    return xasprintf("%s/%s", spool->path, id);
}

char *spool_recorder_folder(const struct spool *spool, const char *app)
{
    return xasprintf("%s/%s%s", spool->path, spool_recorder_prefix, app);
}

int spool_make_recorder(const char *folder, struct error *err)
{
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return error_set(err, "cannot make %s: %s", folder, strerror(errno));
    return 0;
}

/* ".sent-" and a hash of the identity (FNV-1a: isthe.com/chongo/tech/comp/fnv), which holds
 * slashes. */
static char *mark_path(const struct spool *spool, const char *id, const char *identity)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *identity; identity++)
        hash = (hash ^ (unsigned char)*identity) * UINT64_C(1099511628211);
    return xasprintf("%s/%s/.sent-%016llx", spool->path, id, (unsigned long long)hash);
}

static int lock_state(struct spool *spool, const char *state, struct error *err)
{
    char *path = xasprintf("%s/lock", state);
    spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int status = 0;
    if (spool->lock < 0)
        status = error_set(err,
            "cannot write the state folder %s: %s; set `state` to a folder that "
            "this user (uid %u) can write",
            state, strerror(errno), (unsigned)getuid());
    else if (flock(spool->lock, LOCK_EX | LOCK_NB) < 0)
        status = errno == EWOULDBLOCK
                     ? error_set(err,
                           "another stakeout is running with the state folder %s; give this one a "
                           "`state` of its own",
                           state)
                     : error_set(err,
                           "cannot lock %s: %s; set `state` to a folder of a file system that "
                           "has locks",
                           path, strerror(errno));
    free(path);
    return status;
}

struct spool *spool_open(const struct config *config, struct offload *disk, struct error *err)
{
    const char *state = config->state;
    struct spool *spool = xcalloc(1, sizeof *spool);
    spool->disk = disk;
    spool->lock = -1;
    spool->path = xasprintf("%s/spool", state);
    if (fs_make_folders(state, err) < 0 || lock_state(spool, state, err) < 0 ||
        fs_make_folders(spool->path, err) < 0 || fs_sync_folder(state, err) < 0 ||
        spool_recover(spool->path, config, err) < 0) {
        spool_close(spool);
        return NULL;
    }
    spool->bytes = fs_size(spool->path);
    return spool;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->lock >= 0)
        close(spool->lock);
    free(spool->path);
    free(spool);
}

uint64_t spool_bytes(const struct spool *spool)
{
    return spool->bytes;
}

uint64_t spool_room(const struct spool *spool, int64_t limit_bytes, int64_t most_bytes)
{
    uint64_t used = spool->bytes, limit = (uint64_t)limit_bytes, most = (uint64_t)most_bytes;
    uint64_t left = used < limit ? limit - used : 0;
    return left < most ? left : most;
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

char *spool_begin(struct spool *spool, const char *id, struct error *err)
{
    char *path = open_folder(spool, id);
    if (mkdir(path, 0755) == 0)
        return path;
    error_set(err, "cannot make %s: %s", path, strerror(errno));
    free(path);
    return NULL;
}

static struct spool_job *new_job(struct spool *spool, const char *id)
{
    struct spool_job *job = xcalloc(1, sizeof *job);
    job->spool = spool;
    job->id = xstrdup(id);
    buf_init(&job->metrics, 0);
    return job;
}

static void job_done(void *arg)
{
    struct spool_job *job = arg;
    if (job->error.text[0])
        log_error("spool: %s", job->error.text);
    if (job->done)
        job->done(job->arg, job->id, job->ok);
    free(job->id);
    free(job->text);
    free(job->identity);
    buf_free(&job->metrics);
    free(job);
}

static int write_files(const char *folder, const struct spool_job *job, struct error *err)
{
    char *csv = xasprintf("%s/metrics.csv", folder);
    char *json = xasprintf("%s/incident.json", folder);
    int status = fs_write(csv, job->metrics.data, job->metrics.size, err);
    if (status == 0)
        status = fs_write(json, job->text, strlen(job->text), err);
    free(csv);
    free(json);
    return status;
}

static void update_bytes(struct spool *spool)
{
    spool->bytes = fs_size(spool->path);
}

static void work_refresh(void *arg)
{
    update_bytes(arg);
}

static void refreshed(void *arg)
{
    struct spool *spool = arg;
    spool->refreshing = false;
}

void spool_refresh(struct spool *spool)
{
    if (spool->refreshing)
        return;
    spool->refreshing = true;
    offload_submit(spool->disk, work_refresh, refreshed, spool);
}

static void work_note(void *arg)
{
    struct spool_job *job = arg;
    char *folder = open_folder(job->spool, job->id);
    char *path = xasprintf("%s/incident.json", folder);
    job->ok = fs_write(path, job->text, strlen(job->text), &job->error) == 0 &&
              fs_sync_folder(job->spool->path, &job->error) == 0;
    free(path);
    free(folder);
}

void spool_note(struct spool *spool, const struct incident *incident)
{
    struct spool_job *job = new_job(spool, incident->id);
    job->text = incident_to_text(incident);
    offload_submit(spool->disk, work_note, job_done, job);
}

static void work_checkpoint(void *arg)
{
    struct spool_job *job = arg;
    char *folder = open_folder(job->spool, job->id);
    job->ok = write_files(folder, job, &job->error) == 0 &&
              fs_sync_folder(job->spool->path, &job->error) == 0;
    update_bytes(job->spool);
    free(folder);
}

/* An earlier try may have got as far as the rename; then only the sync is left. Where the folder is
 * gone altogether, somebody removed it: delivery finds that out and says so. */
static int make_complete(
    const struct spool_job *job, const char *from, const char *to, struct error *err)
{
    if (!fs_exists(from))
        return 0;
    if (write_files(from, job, err) < 0)
        return -1;
    if (rename(from, to) < 0)
        return error_set(err, "cannot rename %s: %s", from, strerror(errno));
    return 0;
}

static void work_complete(void *arg)
{
    struct spool_job *job = arg;
    char *from = open_folder(job->spool, job->id);
    char *to = spool_folder(job->spool, job->id);
    job->ok = make_complete(job, from, to, &job->error) == 0 &&
              fs_sync_folder(job->spool->path, &job->error) == 0;
    update_bytes(job->spool);
    free(from);
    free(to);
}

static struct spool_job *writing_job(
    struct spool *spool, const struct incident *incident, struct buf *csv)
{
    struct spool_job *job = new_job(spool, incident->id);
    job->text = incident_to_text(incident);
    job->metrics = *csv;
    buf_init(csv, csv->max);
    return job;
}

void spool_checkpoint(struct spool *spool, const struct incident *incident, struct buf *csv)
{
    offload_submit(spool->disk, work_checkpoint, job_done, writing_job(spool, incident, csv));
}

void spool_complete(struct spool *spool, const struct incident *incident, struct buf *csv,
    void (*done)(void *arg, const char *id, bool ok), void *arg)
{
    struct spool_job *job = writing_job(spool, incident, csv);
    job->done = done;
    job->arg = arg;
    offload_submit(spool->disk, work_complete, job_done, job);
}

static void work_mark(void *arg)
{
    struct spool_job *job = arg;
    char *path = mark_path(job->spool, job->id, job->identity);
    job->ok = fs_write(path, job->identity, strlen(job->identity), &job->error) == 0;
    free(path);
}

void spool_mark_sent(struct spool *spool, const char *id, const char *identity)
{
    struct spool_job *job = new_job(spool, id);
    job->identity = xstrdup(identity);
    offload_submit(spool->disk, work_mark, job_done, job);
}

bool spool_is_sent(const struct spool *spool, const char *id, const char *identity)
{
    char *path = mark_path(spool, id, identity);
    bool sent = fs_exists(path);
    free(path);
    return sent;
}

/* A folder that is not there is fine. Nothing of it goes before the rename is durable: without its
 * incident.json, say, it would be neither complete nor in the making. */
static int remove_folder(struct spool_job *job, const char *from)
{
    char *gone = xasprintf("%s/.gone-%s", job->spool->path, job->id);
    int status = 0;
    if (rename(from, gone) == 0) {
        status = fs_sync_folder(job->spool->path, &job->error);
        if (status == 0)
            status = fs_remove(gone, &job->error);
    } else if (errno != ENOENT) {
        status = error_set(&job->error, "cannot rename %s: %s", from, strerror(errno));
    }
    free(gone);
    return status;
}

static void work_remove(void *arg)
{
    struct spool_job *job = arg;
    char *from = spool_folder(job->spool, job->id);
    remove_folder(job, from);
    update_bytes(job->spool);
    free(from);
}

static void work_discard(void *arg)
{
    struct spool_job *job = arg;
    char *open = open_folder(job->spool, job->id), *complete = spool_folder(job->spool, job->id);
    job->ok = remove_folder(job, open) == 0 && remove_folder(job, complete) == 0;
    update_bytes(job->spool);
    free(open);
    free(complete);
}

void spool_remove(struct spool *spool, const char *id)
{
    offload_submit(spool->disk, work_remove, job_done, new_job(spool, id));
}

int spool_remove_now(struct spool *spool, const char *id, struct error *err)
{
    struct spool_job *job = new_job(spool, id);
    char *from = spool_folder(spool, id);
    int status = remove_folder(job, from);
    if (status < 0)
        *err = job->error;
    update_bytes(spool);
    free(from);
    free(job->id);
    free(job);
    return status;
}

void spool_discard(struct spool *spool, const char *id,
    void (*done)(void *arg, const char *id, bool ok), void *arg)
{
    struct spool_job *job = new_job(spool, id);
    job->done = done;
    job->arg = arg;
    offload_submit(spool->disk, work_discard, job_done, job);
}
