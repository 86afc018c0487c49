#include "exporters/directory.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/offload.h"
#include "exporters/directory_claims.h"
#include "exporters/directory_retention.h"
#include "exporters/exporter.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a close gives a copy to come to its end; one that hangs is abandoned. */
static const int64_t closing_ms = 500;

struct directory {
    struct offload *thread; /* its own: a mount that hangs must not stop the spool */
    char *path;
    char *label;
    char *known; /* as a copy's, while none is running */
    struct copy *running;
    struct reading *recalling;
    struct directory_claims *claims;
    struct directory_retention *retention; /* NULL: nothing is removed */
};

/* One send. It belongs to the thread's job and outlives a close. */
struct copy {
    struct directory *directory; /* NULL: nobody waits any more */
    char *from, *to;
    bool replaces;
    char *base;  /* the folder that all is below */
    char *known; /* the folder of the last copy: that it is there is durable; NULL: none */
    int status;
    struct error err;
    bool completes; /* an incident */
    void (*done)(void *arg, const struct send_result *result);
    void *arg;
};

/* One recall; the same holds for it. */
struct reading {
    struct directory *directory;
    char *path;
    size_t max_bytes;
    enum recall_outcome outcome;
    struct buf text;
    struct error err;
    void (*done)(void *arg, const struct recall_result *result);
    void *arg;
};

static struct directory_retention *open_retention(
    const struct directory *directory, const struct exporter_setup *setup)
{
    const struct directory_exporter_options *options = setup->options;
    if (!options->keep_ms && !options->size_bytes)
        return NULL;
    return directory_retention_open(&(struct directory_retention_setup){.loop = setup->loop,
        .thread = directory->thread,
        .path = directory->path,
        .service = setup->service,
        .label = directory->label,
        .keep_ms = options->keep_ms,
        .size_bytes = (uint64_t)options->size_bytes});
}

static void *open_directory(const struct exporter_setup *setup, struct error *err)
{
    const struct directory_exporter_options *options = setup->options;
    struct offload *thread = offload_open(setup->loop, "directory", err);
    if (!thread)
        return NULL;
    struct directory *directory = xcalloc(1, sizeof *directory);
    directory->thread = thread;
    directory->path = xstrdup(options->path);
    directory->claims = directory_claims_open(thread, options->path);
    directory->label = xasprintf("directory:%s", options->path);
    directory->retention = open_retention(directory, setup);
    return directory;
}

static const char *label(const void *self)
{
    const struct directory *directory = self;
    return directory->label;
}

/* Makes a folder below the base, and durable that it is there. An agent that was killed may have
 * made some of it, and not that. */
static int provide_folder(const char *folder, const char *base, struct error *err)
{
    int status = fs_make_folders(folder, err);
    char *path = xstrdup(folder);
    size_t least = strlen(base);
    for (char *slash; status == 0 && (slash = strrchr(path, '/')) && slash >= path + least;) {
        *slash = '\0';
        status = fs_sync_folder(*path ? path : "/", err);
    }
    free(path);
    return status;
}

/* A file that is there is whole; that its name is on the disk as well is all that may be missing.
 */
static int put(struct copy *copy, const char *folder)
{
    if (!copy->replaces && fs_exists(copy->to)) {
        fs_remove_leftovers(copy->to);
        return fs_sync_folder(folder, &copy->err);
    }
    return fs_copy(copy->from, copy->to, &copy->err);
}

/* On the thread. */
static void work(void *arg)
{
    struct copy *copy = arg;
    char *parent = xstrdup(copy->to);
    const char *folder = dirname(parent);
    bool known = copy->known && !strcmp(copy->known, folder) && fs_exists(folder);
    copy->status = known ? 0 : provide_folder(folder, copy->base, &copy->err);
    if (copy->status == 0)
        copy->status = put(copy, folder);
    free(copy->known);
    copy->known = copy->status == 0 ? xstrdup(folder) : NULL;
    free(parent);
}

static void worked(void *arg)
{
    struct copy *copy = arg;
    struct directory *directory = copy->directory;
    if (directory) {
        /* A local failure (rights, a full disk, a mount that is gone) is a person's to mend. */
        struct send_result result = {.outcome = copy->status < 0 ? SEND_FAILED : SEND_STORED};
        if (copy->status < 0)
            snprintf(result.reason, sizeof result.reason,
                "%.400s: is %.60s mounted, writable and not full?", copy->err.text,
                directory->path);
        directory->running = NULL;
        directory->known = copy->known;
        copy->known = NULL;
        if (result.outcome == SEND_STORED && copy->completes)
            directory_retention_stored(directory->retention);
        copy->done(copy->arg, &result);
    }
    free(copy->from);
    free(copy->to);
    free(copy->base);
    free(copy->known);
    free(copy);
}

static bool is_manifest(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash && !strcmp(slash, "/incident.json");
}

static void send_artifact(void *self, const struct artifact *artifact,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct directory *directory = self;
    struct copy *copy = xcalloc(1, sizeof *copy);
    copy->directory = directory;
    copy->from = xstrdup(artifact->path);
    copy->to = xasprintf("%s/%s", directory->path, artifact->key);
    copy->base = xstrdup(directory->path);
    copy->known = directory->known;
    directory->known = NULL;
    copy->replaces = artifact->replaces;
    copy->completes = artifact->manifest && is_manifest(artifact->key);
    copy->done = done;
    copy->arg = arg;
    directory->running = copy;
    offload_submit(directory->thread, work, worked, copy);
}

/* On the thread. */
static void read_back(void *arg)
{
    struct reading *reading = arg;
    if (access(reading->path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        reading->outcome = RECALL_NONE;
    else if (fs_read(reading->path, reading->max_bytes, &reading->text, &reading->err) < 0)
        reading->outcome = RECALL_FAILED;
}

static void have_read(void *arg)
{
    struct reading *reading = arg;
    struct directory *directory = reading->directory;
    if (directory) {
        struct recall_result result = {
            .outcome = reading->outcome, .data = reading->text.data, .size = reading->text.size};
        snprintf(result.reason, sizeof result.reason, "%s", reading->err.text);
        directory->recalling = NULL;
        reading->done(reading->arg, &result);
    }
    buf_free(&reading->text);
    free(reading->path);
    free(reading);
}

static void recall(void *self, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    struct directory *directory = self;
    struct reading *reading = xcalloc(1, sizeof *reading);
    *reading = (struct reading){.directory = directory,
        .path = xasprintf("%s/%s", directory->path, key),
        .max_bytes = max_bytes,
        .outcome = RECALL_FOUND,
        .done = done,
        .arg = arg};
    directory->recalling = reading;
    offload_submit(directory->thread, read_back, have_read, reading);
}

static void claim(void *self, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct directory *directory = self;
    directory_claims_claim(directory->claims, key, text, done, arg);
}

static void count(void *self, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    struct directory *directory = self;
    directory_claims_count(directory->claims, key, done, arg);
}

static void holdings(const void *self, struct exporter_holdings *holdings)
{
    const struct directory *directory = self;
    if (directory->retention)
        directory_retention_status(directory->retention, holdings);
}

static void close_directory(void *self)
{
    struct directory *directory = self;
    directory_retention_close(directory->retention);
    if (directory->running)
        directory->running->directory = NULL;
    if (directory->recalling)
        directory->recalling->directory = NULL;
    directory_claims_close(directory->claims);
    offload_close_by(directory->thread, clock_mono_ms() + closing_ms);
    free(directory->path);
    free(directory->label);
    free(directory->known);
    free(directory);
}

static const struct field fields[] = {
    {.key = "path",
        .type = FIELD_STRING,
        .offset = offsetof(struct directory_exporter_options, path),
        .required = 1,
        .help = "the folder; made if missing"},
    {.key = "keep",
        .type = FIELD_DELAY,
        .offset = offsetof(struct directory_exporter_options, keep_ms),
        .otherwise = "off",
        .min = 3600000,
        .max = INT64_C(3650) * 24 * 3600000,
        .help = "incidents of this service that are older are removed, the baselines that others "
                "need and what has notes excepted"},
    {.key = "size",
        .type = FIELD_BYTES,
        .offset = offsetof(struct directory_exporter_options, size_bytes),
        .min = 1 << 20,
        .max = INT64_C(1) << 50,
        .help = "when those of this service are larger together, the oldest are removed"},
    {.key = NULL},
};

const struct exporter_kind exporter_directory = {
    .kind = {.name = "directory",
        .help = "stores incidents in a folder",
        .fields = fields,
        .options_size = sizeof(struct directory_exporter_options),
        .short_key = "path",
        .claims = true},
    .open = open_directory,
    .label = label,
    .identity = label,
    .send = send_artifact,
    .recall = recall,
    .claim = claim,
    .count = count,
    .holdings = holdings,
    .close = close_directory,
};
