#include "agent/capture/slice.h"

#include "agent/capture/fetch.h"
#include "agent/capture/profile_check.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char slice_prefix[] = "cpu.slice-";

/* A refusal that is cured by asking again at once (for a shorter one) is; all else is the owner's
 * to repeat. */
static const int64_t patience_ms = 500;

static struct capture_entry cpu_entry(int64_t seconds)
{
    static char cpu[] = "cpu";
    return (struct capture_entry){.profile = cpu, .seconds = seconds};
}

static char *path_of(const struct slice *slice, const char *before_name)
{
    char *file = profile_file_name(slice->profile.name, PROFILE_FORM_PPROF);
    char *path = xasprintf("%s/%s%s", slice->setup.folder, before_name, file);
    free(file);
    return path;
}

static void on_answered(void *arg)
{
    struct slice *slice = arg;
    slice->state = SLICE_CHECKING;
    slice->seconds = fetch_seconds(slice->fetch);
    if (!slice->dropped)
        slice->setup.owner.answered(slice->setup.owner.arg, slice);
}

static void on_done(void *arg)
{
    struct slice *slice = arg;
    slice->seconds = fetch_seconds(slice->fetch);
    bool unanswered = slice->state == SLICE_RECORDING;
    slice->state = SLICE_ENDED;
    if (slice->dropped) {
        slice_drop(slice);
        return;
    }
    struct slice_owner owner = slice->setup.owner;
    if (unanswered)
        owner.answered(owner.arg, slice);
    owner.ended(owner.arg, slice);
}

struct slice *slice_start(const struct slice_setup *setup)
{
    struct slice *slice = xcalloc(1, sizeof *slice);
    slice->setup = *setup;
    slice->entry = cpu_entry(setup->seconds);
    slice->profile = (struct incident_profile){
        .name = xasprintf("%s%u", slice_prefix, setup->number), .seconds = NAN};
    struct fetch_setup fetch = {
        .loop = setup->loop,
        .disk = setup->disk,
        .app = setup->app,
        .endpoint = setup->endpoint,
        .entry = &slice->entry,
        .folder = setup->folder,
        .max_bytes = setup->max_bytes,
        .give_up_ms = clock_mono_ms() + patience_ms,
        .profile = &slice->profile,
        .passing = true,
        .answered = on_answered,
        .done = on_done,
        .arg = slice,
    };
    slice->fetch = fetch_start(&fetch);
    slice->seconds = fetch_seconds(slice->fetch);
    return slice;
}

void slice_hand_over(struct slice *slice, const struct slice_owner *owner)
{
    slice->setup.owner = *owner;
}

void slice_finish(struct slice *slice, int64_t deadline_ms)
{
    if (slice->state == SLICE_RECORDING)
        fetch_finish(slice->fetch, deadline_ms);
}

struct move {
    char *from, *to;
    bool ok;
    struct error error;
    void (*moved)(void *arg, bool ok);
    void *arg;
};

/* Nothing is renamed before its content is on the disk, and nothing is moved before its new name
 * is: the folder that it was in may be removed then. */
static int move_file(struct move *move)
{
    int fd = open(move->from, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) < 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (!failed && rename(move->from, move->to) < 0) {
        failed = 1;
        code = errno;
    }
    if (failed)
        return error_set(&move->error, "cannot keep %s: %s", move->from, strerror(code));
    return fs_sync_parent(move->to, &move->error);
}

static void work_move(void *arg)
{
    struct move *move = arg;
    move->ok = move_file(move) == 0;
}

static void move_done(void *arg)
{
    struct move *move = arg;
    if (!move->ok)
        log_error("spool: %s", move->error.text);
    move->moved(move->arg, move->ok);
    free(move->from);
    free(move->to);
    free(move);
}

void slice_move(struct slice *slice, const char *path, void (*moved)(void *arg, bool ok), void *arg)
{
    struct move *move = xcalloc(1, sizeof *move);
    move->from = path_of(slice, "");
    move->to = xstrdup(path);
    move->moved = moved;
    move->arg = arg;
    offload_submit(slice->setup.disk, work_move, move_done, move);
}

/* Of a slice's file, under whichever name it has got to. */
struct removal {
    char *whole, *partial;
};

static void work_remove(void *arg)
{
    const struct removal *removal = arg;
    unlink(removal->whole);
    unlink(removal->partial);
}

static void remove_done(void *arg)
{
    struct removal *removal = arg;
    free(removal->whole);
    free(removal->partial);
    free(removal);
}

void slice_drop(struct slice *slice)
{
    if (slice->state == SLICE_CHECKING) { /* the disk thread has its hands on it */
        slice->dropped = true;
        return;
    }
    struct removal *removal = xcalloc(1, sizeof *removal);
    removal->whole = path_of(slice, "");
    removal->partial = path_of(slice, ".");
    offload_submit(slice->setup.disk, work_remove, remove_done, removal);
    slice_free(slice);
}

void slice_free(struct slice *slice)
{
    if (!slice)
        return;
    fetch_free(slice->fetch);
    free(slice->profile.name);
    free(slice->profile.file);
    free(slice->profile.url);
    free(slice->profile.error);
    free(slice);
}

bool slice_is_profile(const char *name)
{
    return !strncmp(name, slice_prefix, strlen(slice_prefix));
}
