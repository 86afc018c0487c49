#include "agent/notices/notifier.h"

#include "agent/kinds.h"
#include "agent/notices/notice_file.h"
#include "agent/notices/notice_queue.h"
#include "agent/storage/backoff.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/sha256.h"
#include "exporters/notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Slack takes one message a second. */
static const int64_t pause_ms = 1000;
static const int64_t longest_wait_ms = INT64_C(24) * 3600000;
static const char suffix[] = ".json";

struct notifier {
    struct notifier_setup setup;
    const struct exporter_kind *kind;
    void *exporter;
    bool has_namesake;
    char *folder;
    struct notice_queue queue;
    struct loop_timer *timer;
    struct telling *telling; /* NULL: idle */
    int64_t not_before_ms;   /* monotonic */
    int64_t asked_until_ms;  /* the same, because of a Retry-After */
    int64_t wait_ms;         /* as outlet.wait_ms */
    char *error;
    bool hurried, failed; /* failed: since the hurry */
    uint64_t told, dropped, failures;
    int64_t last_told_wall_ms;
};

/* One message: read on the disk thread, linked, told. While it is being read it belongs to that
 * thread's job and outlives the notifier. */
struct telling {
    struct notifier *notifier; /* NULL: nobody waits any more */
    char **ids;                /* of the group, oldest first: the message is about the last */
    size_t count;
    char *path; /* of that one's file */
    char *text; /* what would be in it, if there is none */
    bool is_read;
    struct notice_file file;
    struct error err;
    struct notice notice;
    char *review_url, *report_url;
};

static void free_telling(struct telling *telling)
{
    for (size_t i = 0; i < telling->count; i++)
        free(telling->ids[i]);
    free(telling->ids);
    free(telling->path);
    free(telling->text);
    free(telling->review_url);
    free(telling->report_url);
    notice_file_free(&telling->file);
    free(telling);
}

static char *path_of(const struct notifier *notifier, const char *id)
{
    return xasprintf("%s/%s%s", notifier->folder, id, suffix);
}

static void work_remove(void *arg)
{
    fs_remove(arg, NULL);
}

/* A file that stays is told again after a restart, no worse. */
static void forget(struct notifier *notifier, const char *id)
{
    offload_submit(notifier->setup.disk, work_remove, free, path_of(notifier, id));
    notice_queue_remove(&notifier->queue, id);
}

static const char *name_of(const struct notifier *notifier)
{
    return notifier->has_namesake ? notifier->kind->identity(notifier->exporter)
                                  : notifier->kind->label(notifier->exporter);
}

void notifier_tell_apart(struct notifier *notifier, bool has_namesake)
{
    notifier->has_namesake = has_namesake;
}

static void drop(struct notifier *notifier, const char *id, const char *why)
{
    log_warn("nobody is told of incident %s through %s: %s", id, name_of(notifier), why);
    notifier->dropped++;
    forget(notifier, id);
}

/* The next message leaves when the last one is long enough ago. */
static void schedule(struct notifier *notifier)
{
    if (!notifier->telling && notifier->queue.count)
        loop_timer_set(notifier->timer, notifier->not_before_ms);
}

static void drop_old(struct notifier *notifier)
{
    int64_t since_ms = clock_wall_ms() - longest_wait_ms;
    const char *id;
    while ((id = notice_queue_older(&notifier->queue, since_ms))) {
        char *copy = xstrdup(id);
        drop(notifier, copy, notifier->error ? notifier->error : "it has waited for a day");
        free(copy);
    }
}

static void fail(struct notifier *notifier, const struct send_result *result)
{
    int64_t wait_ms = backoff_next_ms(&notifier->wait_ms, result);
    if (!notifier->error || strcmp(notifier->error, result->reason) != 0)
        log_warn("%zu notification%s of incidents wait%s%s%s: %s; next try in %.0f s",
            notifier->queue.count, notifier->queue.count == 1 ? "" : "s",
            notifier->queue.count == 1 ? "s" : "", notifier->has_namesake ? " for " : "",
            notifier->has_namesake ? name_of(notifier) : "", result->reason,
            (double)wait_ms / 1000); /* the reason begins with the host */
    free(notifier->error);
    notifier->error = xstrdup(result->reason);
    notifier->failures++;
    notifier->failed = notifier->hurried;
    notifier->not_before_ms = clock_mono_ms() + wait_ms;
    if (result->retry_after_ms)
        notifier->asked_until_ms = notifier->not_before_ms;
    if (result->outcome == SEND_FAILED)
        notice_queue_put_off(&notifier->queue); /* it may be the message's fault */
}

static void succeed(struct notifier *notifier, const struct telling *telling)
{
    const char *label = name_of(notifier);
    const char *id = telling->ids[telling->count - 1];
    if (notifier->error)
        log_info("%s works again", label);
    if (telling->count > 1)
        log_info(
            "incident %s and %zu more of its group told through %s", id, telling->count - 1, label);
    else
        log_info("incident %s told through %s", id, label);
    free(notifier->error);
    notifier->error = NULL;
    notifier->wait_ms = 0;
    notifier->failed = false;
    notifier->told += telling->count;
    notifier->last_told_wall_ms = clock_wall_ms();
    notifier->not_before_ms = clock_mono_ms() + pause_ms;
    for (size_t i = 0; i < telling->count; i++)
        forget(notifier, telling->ids[i]);
}

static void end_telling(struct notifier *notifier)
{
    free_telling(notifier->telling);
    notifier->telling = NULL;
    schedule(notifier);
}

static void told(void *arg, const struct send_result *result)
{
    struct notifier *notifier = arg;
    if (result->outcome == SEND_STORED)
        succeed(notifier, notifier->telling);
    else
        fail(notifier, result);
    end_telling(notifier);
}

void notifier_linked(struct notifier *notifier, const struct notifier_links *links)
{
    struct telling *telling = notifier->telling;
    const struct notice_file *file = &telling->file;
    int64_t first_ms = 0;
    incident_id_time(telling->ids[0], &first_ms);
    telling->review_url = links->review_url;
    telling->report_url = links->report_url ? xstrdup(links->report_url) : NULL;
    telling->notice = (struct notice){.incident = file->incident,
        .stored = file->stored,
        .more = telling->count - 1,
        .more_since_ms = first_ms,
        .times = file->times,
        .times_since_ms = file->times_since_ms,
        .review_url = telling->review_url,
        .report_url = telling->report_url,
        .report_expires_ms = links->report_expires_ms};
    notifier->kind->tell(notifier->exporter, &telling->notice, told, notifier);
}

static void work_read(void *arg)
{
    struct telling *telling = arg;
    struct buf text;
    if (telling->text)
        notice_file_parse(&telling->file, telling->text, strlen(telling->text), &telling->err);
    else if (fs_read(telling->path, NOTICE_FILE_MAX, &text, &telling->err) == 0)
        notice_file_parse(&telling->file, text.data, text.size, &telling->err);
    if (!telling->text)
        buf_free(&text);
}

static void have_read(void *arg)
{
    struct telling *telling = arg;
    struct notifier *notifier = telling->notifier;
    if (!notifier) {
        free_telling(telling);
        return;
    }
    telling->is_read = true;
    const struct notifier_hooks *hooks = &notifier->setup.hooks;
    const char *id = telling->ids[telling->count - 1];
    if (telling->err.text[0]) {
        drop(notifier, id, telling->err.text);
        end_telling(notifier);
    } else if (hooks->known(hooks->arg, telling->file.incident)) {
        for (size_t i = 0; i < telling->count; i++)
            forget(notifier, telling->ids[i]);
        end_telling(notifier);
    } else {
        hooks->link(hooks->arg, notifier, id, telling->file.report);
    }
}

static void tell_next(void *arg)
{
    struct notifier *notifier = arg;
    size_t indices[NOTICE_QUEUE_MAX];
    drop_old(notifier);
    if (notifier->telling || !notifier->queue.count)
        return;
    struct telling *telling = xcalloc(1, sizeof *telling);
    telling->notifier = notifier;
    telling->count = notice_queue_first(&notifier->queue, indices);
    telling->ids = xcalloc(telling->count, sizeof *telling->ids);
    for (size_t i = 0; i < telling->count; i++)
        telling->ids[i] = xstrdup(notifier->queue.entries[indices[i]].id);
    telling->path = path_of(notifier, telling->ids[telling->count - 1]);
    const char *text = notifier->queue.entries[indices[telling->count - 1]].text;
    telling->text = text ? xstrdup(text) : NULL;
    notifier->telling = telling;
    offload_submit(notifier->setup.disk, work_read, have_read, telling);
}

static void add(struct notifier *notifier, const struct notice_entry *entry)
{
    char *gone = notice_queue_add(&notifier->queue, entry);
    if (gone)
        drop(notifier, gone, "too many wait");
    free(gone);
}

void notifier_add(struct notifier *notifier, const char *id, const char *group, const char *text)
{
    add(notifier, &(struct notice_entry){(char *)id, (char *)group, (char *)text, clock_wall_ms()});
    schedule(notifier);
}

/* What an earlier run left. */
struct left {
    struct notice_entry entry;
    int64_t fired_ms;
};

struct leftovers {
    struct notifier *notifier;
    struct left *all;
    size_t count;
};

static void take_up_one(struct leftovers *leftovers, const char *id)
{
    struct notice_file file = {0};
    struct buf text;
    struct error err;
    struct stat info;
    char *path = path_of(leftovers->notifier, id);
    int64_t since_ms = stat(path, &info) == 0 ? (int64_t)info.st_mtim.tv_sec * 1000 : 0;
    int status = fs_read(path, NOTICE_FILE_MAX, &text, &err);
    if (status == 0)
        status = notice_file_parse(&file, text.data, text.size, &err);
    if (status == 0) {
        leftovers->all = xrealloc(leftovers->all, leftovers->count + 1, sizeof *leftovers->all);
        leftovers->all[leftovers->count++] = (struct left){
            {.id = xstrdup(id), .group = notice_group(file.incident), .since_ms = since_ms},
            file.incident->fired_ms};
    } else {
        drop(leftovers->notifier, id, err.text);
    }
    buf_free(&text);
    notice_file_free(&file);
    free(path);
}

static int look_at(void *arg, const char *name)
{
    size_t length = strlen(name);
    if (length <= strlen(suffix) || strcmp(name + length - strlen(suffix), suffix) != 0)
        return 0;
    char *id = xstrndup(name, length - strlen(suffix));
    if (incident_id_valid(id))
        take_up_one(arg, id);
    free(id);
    return 0;
}

static int by_fire(const void *left, const void *right)
{
    int64_t a = ((const struct left *)left)->fired_ms, b = ((const struct left *)right)->fired_ms;
    return (a > b) - (a < b);
}

void notifier_take_up(struct notifier *notifier)
{
    struct leftovers leftovers = {.notifier = notifier};
    if (!fs_exists(notifier->folder))
        return;
    fs_each(notifier->folder, look_at, &leftovers, NULL);
    if (leftovers.count)
        qsort(leftovers.all, leftovers.count, sizeof *leftovers.all, by_fire);
    for (size_t i = 0; i < leftovers.count; i++) {
        add(notifier, &leftovers.all[i].entry);
        free(leftovers.all[i].entry.id);
        free(leftovers.all[i].entry.group);
    }
    free(leftovers.all);
    schedule(notifier);
}

static char *folder_of(const struct notifier_setup *setup, const char *identity)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(identity, strlen(identity), hash);
    return xasprintf("%s/%.16s", setup->folder, hash);
}

struct notifier *notifier_open(const struct notifier_setup *setup, struct error *err)
{
    const struct exporter_kind *kind = exporter_kinds[setup->config->kind];
    struct exporter_setup options = {.loop = setup->loop,
        .disk = setup->disk,
        .options = setup->config->options,
        .service = setup->service};
    void *exporter = kind->open(&options, err);
    if (!exporter)
        return NULL;
    struct notifier *notifier = xcalloc(1, sizeof *notifier);
    notifier->setup = *setup;
    notifier->kind = kind;
    notifier->exporter = exporter;
    notifier->folder = folder_of(setup, kind->identity(exporter));
    notifier->timer = loop_timer_new(setup->loop, tell_next, notifier);
    return notifier;
}

void notifier_inherit(struct notifier *notifier, const struct notifier *left)
{
    for (size_t i = 0; i < left->queue.count; i++)
        add(notifier, &left->queue.entries[i]);
    schedule(notifier);
}

void notifier_close(struct notifier *notifier)
{
    notifier->kind->close(notifier->exporter);
    loop_timer_free(notifier->timer);
    if (notifier->telling && notifier->telling->is_read)
        free_telling(notifier->telling);
    else if (notifier->telling)
        notifier->telling->notifier = NULL;
    notice_queue_free(&notifier->queue);
    free(notifier->folder);
    free(notifier->error);
    free(notifier);
}

void notifier_configured(struct notifier *notifier, const struct exporter_config *config)
{
    notifier->setup.config = config;
}

const struct exporter_config *notifier_config(const struct notifier *notifier)
{
    return notifier->setup.config;
}

const char *notifier_kind(const struct notifier *notifier)
{
    return notifier->kind->kind.name;
}

const char *notifier_folder(const struct notifier *notifier)
{
    return notifier->folder;
}

void notifier_hurry(struct notifier *notifier)
{
    int64_t now_ms = clock_mono_ms(), soon_ms = now_ms + (notifier->error ? 0 : pause_ms);
    notifier->hurried = true;
    notifier->failed = notifier->asked_until_ms > now_ms;
    if (notifier->failed)
        return;
    notifier->wait_ms = 0;
    if (notifier->not_before_ms > soon_ms)
        notifier->not_before_ms = soon_ms;
    schedule(notifier);
}

bool notifier_is_over(const struct notifier *notifier)
{
    return notifier->failed || (!notifier->queue.count && !notifier->telling);
}

void notifier_status(const struct notifier *notifier, struct notifier_status *status)
{
    *status = (struct notifier_status){.label = notifier->kind->label(notifier->exporter),
        .name = name_of(notifier),
        .waiting = notifier->queue.count,
        .told = notifier->told,
        .dropped = notifier->dropped,
        .failures = notifier->failures,
        .error = notifier->error,
        .last_told_wall_ms = notifier->last_told_wall_ms};
}
