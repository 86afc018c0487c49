#include "agent/storage/spool.h"

#include "agent/storage/reserve.h"
#include "agent/storage/spool_parts.h"
#include "agent/storage/spool_recovery.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct job_file {
    char *name, *path;
};

/* One change on the disk thread. */
struct spool_job {
    struct spool *spool;
    char *id;
    char *text; /* incident.json; NULL: it is among the files */
    struct buf metrics;
    char *identity;         /* of a mark */
    struct job_file *files; /* those in memory of an incident that is to be complete */
    size_t file_count;
    bool completes, homeless; /* it could not be completed on the disk */
    bool ok;
    struct error error;
    void (*done)(void *arg, const char *id, bool ok);
    void *arg;
};

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

static const char mark_prefix[] = ".sent-";
static const size_t max_identity_bytes = 8192;

/* ".sent-" and a hash of the identity (FNV-1a: isthe.com/chongo/tech/comp/fnv), which holds
 * slashes. */
static char *mark_name(const char *identity)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *identity; identity++)
        hash = (hash ^ (unsigned char)*identity) * UINT64_C(1099511628211);
    return xasprintf("%s%016llx", mark_prefix, (unsigned long long)hash);
}

static bool is_mark(const char *name)
{
    return !strncmp(name, mark_prefix, strlen(mark_prefix));
}

static char *mark_path(const struct spool *spool, const char *id, const char *identity)
{
    char *name = mark_name(identity), *path = xasprintf("%s/%s/%s", spool->path, id, name);
    free(name);
    return path;
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

char *spool_begin(struct spool *spool, const char *id, struct error *err)
{
    char *path = spool_open_folder(spool, id);
    if (mkdir(path, 0755) == 0)
        return path;
    int code = errno;
    error_set(err, "cannot make %s: %s", path, strerror(code));
    if (code != EEXIST) {
        spool_note_trouble(spool, err->text);
        reserve_expect(spool->reserve, path);
        return path;
    }
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

/* What could not be completed on the disk is complete here, if it fits. */
static bool complete_in_memory(const struct spool_job *job)
{
    struct reserve *reserve = job->spool->reserve;
    char *folder = spool_open_folder(job->spool, job->id);
    bool fits = reserve_put_bytes(
                    reserve, folder, "metrics.csv", job->metrics.data, job->metrics.size) == 0 &&
                reserve_put_bytes(reserve, folder, "incident.json", job->text, strlen(job->text)) ==
                    0;
    free(folder);
    if (fits)
        log_warn(
            "incident %s is kept in memory, and goes to the exporters without a report", job->id);
    else
        log_error("incident %s does not fit in memory either", job->id);
    return fits;
}

static void mark_sent(struct spool *spool, const char *id, const char *identity);

static void mark_again(void *arg, const char *name, const char *path)
{
    const struct spool_job *job = arg;
    struct buf identity;
    if (is_mark(name) && fs_read(path, max_identity_bytes, &identity, NULL) == 0)
        mark_sent(job->spool, job->id, identity.data);
    if (is_mark(name))
        buf_free(&identity);
}

/* All of it is on the disk, but for which exporters had it by then. */
static void settle_completion(struct spool_job *job)
{
    char *folder = spool_open_folder(job->spool, job->id);
    if (job->ok) {
        reserve_each(job->spool->reserve, folder, mark_again, job);
        reserve_remove(job->spool->reserve, folder);
    } else if (job->homeless && job->text)
        job->ok = complete_in_memory(job);
    free(folder);
}

static void job_done(void *arg)
{
    struct spool_job *job = arg;
    if (job->error.text[0])
        spool_note_trouble(job->spool, job->error.text);
    if (job->completes)
        settle_completion(job);
    if (job->done)
        job->done(job->arg, job->id, job->ok);
    for (size_t i = 0; i < job->file_count; i++) {
        free(job->files[i].name);
        free(job->files[i].path);
    }
    free(job->files);
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

const char *spool_late_folder(const struct spool *spool)
{
    return spool->late;
}

void spool_count(struct spool *spool)
{
    spool->bytes = fs_size(spool->path) + fs_size_unshared(spool->late);
}

static void work_note(void *arg)
{
    struct spool_job *job = arg;
    char *folder = spool_open_folder(job->spool, job->id);
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
    char *folder = spool_open_folder(job->spool, job->id);
    job->ok = write_files(folder, job, &job->error) == 0 &&
              fs_sync_folder(job->spool->path, &job->error) == 0;
    spool_count(job->spool);
    free(folder);
}

/* The disk may work again by now. */
static int bring_to_disk(const struct spool_job *job, const char *folder, struct error *err)
{
    int status = fs_make_folders(folder, err);
    for (size_t i = 0; status == 0 && i < job->file_count; i++) {
        char *to = xasprintf("%s/%s", folder, job->files[i].name);
        status = fs_copy(job->files[i].path, to, err);
        free(to);
    }
    return status;
}

/* An earlier try may have got as far as the rename; then only the sync is left. Where the folder is
 * gone altogether, somebody removed it: delivery finds that out and says so. */
static int make_complete(struct spool_job *job, const char *from, const char *to, struct error *err)
{
    job->homeless = true; /* unless it works */
    if (job->files && bring_to_disk(job, from, err) < 0)
        return -1;
    job->homeless = fs_exists(from);
    if (!job->homeless)
        return 0;
    if (job->text && write_files(from, job, err) < 0)
        return -1;
    if (rename(from, to) < 0)
        return error_set(err, "cannot rename %s: %s", from, strerror(errno));
    job->homeless = false;
    return 0;
}

static void work_complete(void *arg)
{
    struct spool_job *job = arg;
    char *from = spool_open_folder(job->spool, job->id);
    char *to = spool_folder(job->spool, job->id);
    job->ok = make_complete(job, from, to, &job->error) == 0 &&
              fs_sync_folder(job->spool->path, &job->error) == 0;
    spool_count(job->spool);
    free(from);
    free(to);
}

static void add_file(void *arg, const char *name, const char *path)
{
    struct spool_job *job = arg;
    if (is_mark(name))
        return;
    job->files = xrealloc(job->files, job->file_count + 1, sizeof *job->files);
    job->files[job->file_count++] = (struct job_file){xstrdup(name), xstrdup(path)};
}

void spool_probe(struct spool *spool)
{
    static const char content[65536];
    char *path = xasprintf("%s/.probe", spool->path);
    spool->found.text[0] = '\0';
    if (fs_make_folders(spool->path, &spool->found) == 0)
        fs_write(path, content, sizeof content, &spool->found);
    fs_remove(path, NULL);
    free(path);
}

static void work_refresh(void *arg)
{
    struct spool *spool = arg;
    spool_count(spool);
    if (spool->probing)
        spool_probe(spool);
}

/* What no exporter has taken yet. */
static void move_to_disk(void *arg, const char *folder)
{
    struct spool *spool = arg;
    struct spool_job *job = new_job(spool, strrchr(folder, '/') + 2); /* <spool>/.<id> */
    job->completes = true;
    reserve_each(spool->reserve, folder, add_file, job);
    offload_submit(spool->disk, work_complete, job_done, job);
}

static void refreshed(void *arg)
{
    struct spool *spool = arg;
    spool->refreshing = false;
    if (!spool->probing || spool->found.text[0])
        return;
    struct error err;
    if (spool_lock(spool, &err) < 0) {
        spool->taken = err;
        return;
    }
    spool->taken.text[0] = spool->trouble.text[0] = '\0';
    log_info("spool: the disk below `state` takes files again");
    reserve_each_with(spool->reserve, "incident.json", move_to_disk, spool);
}

void spool_refresh(struct spool *spool)
{
    if (spool->refreshing)
        return;
    spool->refreshing = true;
    spool->probing = spool->trouble.text[0] != '\0';
    offload_submit(spool->disk, work_refresh, refreshed, spool);
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
    char *folder = spool_open_folder(spool, incident->id);
    job->completes = true;
    if (reserve_has(spool->reserve, folder))
        job->files = xcalloc(1, sizeof *job->files);
    reserve_each(spool->reserve, folder, add_file, job);
    free(folder);
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

static void mark_sent(struct spool *spool, const char *id, const char *identity)
{
    struct spool_job *job = new_job(spool, id);
    job->identity = xstrdup(identity);
    offload_submit(spool->disk, work_mark, job_done, job);
}

/* In memory it is for the day when the disk takes files again; the queues know meanwhile. */
void spool_mark_sent(struct spool *spool, const char *id, const char *identity)
{
    if (!spool_in_memory(spool, id)) {
        mark_sent(spool, id, identity);
        return;
    }
    char *folder = spool_open_folder(spool, id), *name = mark_name(identity);
    if (reserve_put_bytes(spool->reserve, folder, name, identity, strlen(identity)) < 0)
        log_warn("incident %s may be delivered to %s once more", id, identity);
    free(name);
    free(folder);
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
    spool_count(job->spool);
    free(from);
}

static void work_discard(void *arg)
{
    struct spool_job *job = arg;
    char *open = spool_open_folder(job->spool, job->id),
         *complete = spool_folder(job->spool, job->id);
    job->ok = remove_folder(job, open) == 0 && remove_folder(job, complete) == 0;
    spool_count(job->spool);
    free(open);
    free(complete);
}

void spool_remove(struct spool *spool, const char *id)
{
    if (spool_in_memory(spool, id)) {
        spool_discard(spool, id, NULL, NULL);
        return;
    }
    offload_submit(spool->disk, work_remove, job_done, new_job(spool, id));
}

int spool_remove_now(struct spool *spool, const char *id, struct error *err)
{
    struct spool_job *job = new_job(spool, id);
    char *from = spool_folder(spool, id);
    int status = remove_folder(job, from);
    if (status < 0)
        *err = job->error;
    spool_count(spool);
    free(from);
    free(job->id);
    free(job);
    return status;
}

void spool_discard(struct spool *spool, const char *id,
    void (*done)(void *arg, const char *id, bool ok), void *arg)
{
    struct spool_job *job = new_job(spool, id);
    char *folder = spool_open_folder(spool, id);
    reserve_remove(spool->reserve, folder);
    free(folder);
    job->done = done;
    job->arg = arg;
    offload_submit(spool->disk, work_discard, job_done, job);
}
