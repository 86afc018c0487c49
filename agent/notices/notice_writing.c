#include "agent/notices/notice_writing.h"

#include "agent/notices/notice_file.h"
#include "agent/notices/tally.h"
#include "agent/storage/spool.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = ".told";

struct job {
    struct notice_writing writing;
    char *id, *group, *group_id, *text;
    struct error error;
};

static char *in_folder(const char *folder, const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static bool has(const char *folder, const char *name)
{
    char *path = in_folder(folder, name);
    bool there = fs_exists(path);
    free(path);
    return there;
}

static struct incident *read_incident(const struct notice_writing *writing, struct error *err)
{
    return writing->content ? incident_from_text(writing->content, strlen(writing->content), err)
                            : incident_read(writing->file, err);
}

/* A tally that cannot be read begins anew, one that cannot be written is for this message only. */
static void count(const char *path, const char *group, struct notice_file *file)
{
    struct tally *tally = xcalloc(1, sizeof *tally);
    struct buf text;
    if (fs_read(path, TALLY_TEXT_MAX, &text, NULL) == 0)
        tally_parse(tally, text.data, text.size, NULL);
    const struct tally_group *counted = tally_add(
        tally, group, file->incident->id, file->incident->fired_ms);
    file->times = counted->times;
    file->times_since_ms = counted->first_ms;
    char *changed = tally_text(tally);
    fs_write(path, changed, strlen(changed), NULL);
    free(changed);
    buf_free(&text);
    tally_free(tally);
    free(tally);
}

static int write_text(struct job *job, const char *text)
{
    int status = 0;
    for (char **folder = job->writing.folders; *folder && status == 0; folder++) {
        char *path = xasprintf("%s/%s.json", *folder, job->id);
        status = fs_make_folders(*folder, &job->error);
        if (status == 0)
            status = fs_write(path, text, strlen(text), &job->error);
        free(path);
    }
    char *path = job->writing.incident ? in_folder(job->writing.incident, mark) : NULL;
    if (status == 0 && path)
        status = fs_write(path, "", 0, &job->error);
    free(path);
    return status;
}

static void write_all(struct job *job, struct incident *incident)
{
    const struct notice_writing *writing = &job->writing;
    struct notice_file file = {.incident = incident,
        .report = writing->incident ? has(writing->incident, "report.html") : writing->report,
        .stored = writing->stored};
    job->group = notice_group(incident);
    job->group_id = incident->analysis.group ? xstrdup(incident->analysis.group) : NULL;
    fs_make_folders(job->writing.folders[0], NULL); /* the tally is beside it */
    count(job->writing.tally, job->group, &file);
    char *text = notice_file_text(&file);
    if (write_text(job, text) < 0)
        job->text = text;
    else
        free(text);
}

static void work(void *arg)
{
    struct job *job = arg;
    const struct notice_writing *writing = &job->writing;
    if (writing->incident && has(writing->incident, mark))
        return;
    struct incident *incident = read_incident(writing, &job->error);
    if (incident && notice_wanted(incident))
        write_all(job, incident);
    incident_free(incident);
}

static void done(void *arg)
{
    struct job *job = arg;
    struct notice_writing *writing = &job->writing;
    if (job->text)
        log_warn("incident %s is not told any more if the agent ends before it is: %s", job->id,
            job->error.text);
    else if (job->error.text[0])
        log_error("nobody is told of incident %s: %s", job->id, job->error.text);
    writing->written(writing->arg,
        &(struct notice_written){job->id, job->group, job->group_id, job->text, writing->folders});
    for (char **folder = writing->folders; *folder; folder++)
        free(*folder);
    free(writing->folders);
    free(writing->incident);
    free(writing->file);
    free(writing->content);
    free(writing->stored);
    free(writing->tally);
    free(job->id);
    free(job->group);
    free(job->group_id);
    free(job->text);
    free(job);
}

void notice_write(struct offload *disk, const struct notice_writing *writing)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->writing = *writing;
    job->id = xstrdup(writing->id);
    offload_submit(disk, work, done, job);
}

static void remove_file(void *arg)
{
    fs_remove(arg, NULL);
}

void notice_withdraw(struct offload *disk, const struct notice_written *written)
{
    for (char *const *folder = written->folders; *folder; folder++)
        offload_submit(disk, remove_file, free, xasprintf("%s/%s.json", *folder, written->id));
}

/* The folders below `notices`. */
struct recovery {
    struct spool *spool;
    const char *notices;
    char **folders;
    size_t count;
};

static int collect(void *arg, const char *name)
{
    struct recovery *recovery = arg;
    if (name[0] == '.' || strchr(name, '.'))
        return 0;
    recovery->folders = xrealloc(recovery->folders, recovery->count + 2, sizeof(char *));
    recovery->folders[recovery->count++] = in_folder(recovery->notices, name);
    recovery->folders[recovery->count] = NULL;
    return 0;
}

/* A file that one folder has and the mark does not tell of: the others get the same. */
static void recover_one(void *arg, const char *id)
{
    const struct recovery *recovery = arg;
    struct buf text;
    bool found = false;
    struct job job = {.id = (char *)id,
        .writing = {.incident = spool_folder(recovery->spool, id), .folders = recovery->folders}};
    for (size_t i = 0; i < recovery->count && !found && !has(job.writing.incident, mark); i++) {
        char *path = xasprintf("%s/%s.json", recovery->folders[i], id);
        found = fs_read(path, NOTICE_FILE_MAX, &text, NULL) == 0;
        if (found && write_text(&job, text.data) < 0)
            log_error("%s", job.error.text);
        buf_free(&text);
        free(path);
    }
    free(job.writing.incident);
}

void notice_recover(struct spool *spool, const char *notices)
{
    struct recovery recovery = {.spool = spool, .notices = notices};
    if (fs_exists(notices))
        fs_each(notices, collect, &recovery, NULL);
    if (recovery.count)
        spool_each(spool, recover_one, &recovery, NULL);
    for (size_t i = 0; i < recovery.count; i++)
        free(recovery.folders[i]);
    free(recovery.folders);
}
