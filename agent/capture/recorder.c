#include "agent/capture/recorder.h"

#include "agent/capture/endpoint.h"
#include "agent/capture/heat.h"
#include "agent/capture/slice.h"
#include "agent/capture/windows.h"
#include "agent/storage/spool.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After a slice that failed; the wait doubles. Whoever else profiles the app is in the way only for
 * a moment, as a rule. */
static const int64_t first_retry_ms = 500, longest_retry_ms = 10000;

/* Incidents need the spool more: above this share of it no slice is begun. */
static const int64_t spool_share_percent = 75;
static const int64_t look_again_ms = 5000; /* where room is waited for */

/* Between a slice that was lost with the app and the source's word that it ended. */
static const int64_t one_end_ms = 60000;

/* The recorder of one app. */
struct lane {
    struct recorder *recorder;
    const struct app_config *app;
    struct endpoint *endpoint;
    char *folder;          /* the path; whether it is there: folder_made */
    struct slice **slices; /* oldest first; the one being recorded is last */
    size_t count;
    unsigned number; /* of the next slice */
    unsigned run;    /* of the app, as far as slices were lost: see incident_profile */
    int64_t lost_ms; /* when the last one was; INT64_MIN: none */
    struct windows windows;
    unsigned holds;
    int64_t retry_ms, retry_at_ms; /* after a failure; 0: the last slice came */
    struct loop_timer *timer;      /* when there is next something to do */
    struct error problem;          /* why it does not record; "": it does, or has no reason to */
    bool begun;                    /* that it records is said */
    bool folder_made, removing;    /* the folder is there; it is being removed */
};

struct recorder {
    struct recorder_setup setup;
    struct lane *lanes; /* by app */
    bool stopping;
};

static const struct recorder_config *options(const struct lane *lane)
{
    return &lane->recorder->setup.config->recorder;
}

/* Whether there is a reason to record, whoever else has the app's profiler now. */
static bool has_reason(const struct lane *lane, int64_t now_ms)
{
    bool within = options(lane)->always || windows_any_open(&lane->windows, now_ms);
    return !lane->recorder->stopping && within;
}

static struct slice *running_slice(const struct lane *lane)
{
    struct slice *last = lane->count ? lane->slices[lane->count - 1] : NULL;
    return last && last->state == SLICE_RECORDING ? last : NULL;
}

/* Told once, until it works again. */
static void note_problem(struct lane *lane, const char *why)
{
    if (strcmp(lane->problem.text, why) != 0)
        log_warn("recorder of app %s: %s", lane->app->name, why);
    error_set(&lane->problem, "%s", why);
}

static void no_problem(struct lane *lane)
{
    if (lane->problem.text[0])
        log_info("recorder of app %s: it records again", lane->app->name);
    lane->problem.text[0] = '\0';
    lane->retry_ms = 0;
}

static void drop(struct lane *lane, size_t index)
{
    slice_drop(lane->slices[index]);
    lane->count--;
    memmove(&lane->slices[index], &lane->slices[index + 1],
        (lane->count - index) * sizeof *lane->slices);
}

static void drop_all(struct lane *lane)
{
    for (size_t i = 0; i < lane->count; i++)
        slice_drop(lane->slices[i]);
    lane->count = 0;
}

static void look(struct lane *lane);

struct removal {
    struct lane *lane;
    char *folder;
    bool removed;
};

/* Only files in it are waited for: from a disk that is read-only or broken, say, it does not go. */
static void work_remove(void *arg)
{
    struct removal *removal = arg;
    removal->removed = rmdir(removal->folder) == 0 || (errno != ENOTEMPTY && errno != EEXIST);
}

static void remove_done(void *arg)
{
    struct removal *removal = arg;
    struct lane *lane = removal->lane;
    lane->removing = false;
    lane->folder_made = !removal->removed;
    free(removal->folder);
    free(removal);
    if (has_reason(lane, clock_mono_ms()))
        look(lane);
    else if (lane->folder_made)
        loop_timer_set(lane->timer, clock_mono_ms() + first_retry_ms);
}

/* Takes the folder away; a slice that is still being looked at makes it wait. */
static void remove_folder(struct lane *lane)
{
    if (!lane->folder_made || lane->removing || lane->holds)
        return;
    struct removal *removal = xcalloc(1, sizeof *removal);
    removal->lane = lane;
    removal->folder = xstrdup(lane->folder);
    lane->removing = true;
    offload_submit(lane->recorder->setup.disk, work_remove, remove_done, removal);
}

/* Whether it came before half its time had passed: an endpoint that does not heed `seconds` would
 * be asked without a pause. */
static bool is_early(const struct slice *slice)
{
    return slice->profile.finished_ms - slice->profile.requested_ms < slice->seconds * 500;
}

static void on_answered(void *arg, struct slice *slice)
{
    struct lane *lane = arg;
    if (slice->state == SLICE_CHECKING && !is_early(slice))
        look(lane);
}

/* Keeps the newest slices. */
static void trim(struct lane *lane)
{
    size_t ended = 0;
    for (size_t i = lane->count; i-- > 0;) {
        ended += lane->slices[i]->state == SLICE_ENDED;
        if (lane->slices[i]->state == SLICE_ENDED && ended > (size_t)options(lane)->keep)
            drop(lane, i);
    }
}

static void on_failed(struct lane *lane, struct slice *slice, const char *why)
{
    note_problem(lane, why);
    lane->retry_ms = lane->retry_ms ? lane->retry_ms * 2 : first_retry_ms;
    if (lane->retry_ms > longest_retry_ms)
        lane->retry_ms = longest_retry_ms;
    lane->retry_at_ms = clock_mono_ms() + lane->retry_ms;
    size_t index = 0;
    while (lane->slices[index] != slice)
        index++;
    drop(lane, index);
}

/* Who has not answered at all may have ended: what follows is of another process. */
static void note_loss(struct lane *lane, const struct slice *slice)
{
    if (slice->profile.run == lane->run)
        return;
    lane->run = slice->profile.run;
    lane->lost_ms = clock_mono_ms();
}

static void on_ended(void *arg, struct slice *slice)
{
    struct lane *lane = arg;
    note_loss(lane, slice);
    if (slice->profile.status != PROFILE_OK) {
        on_failed(lane, slice, slice->profile.error);
    } else if (is_early(slice)) {
        on_failed(lane, slice,
            "it pauses, as the app's CPU profiles are there before half of the `seconds` that it "
            "is "
            "asked for have passed");
    } else {
        no_problem(lane);
        trim(lane);
        spool_refresh(lane->recorder->setup.spool);
    }
    look(lane);
}

/* Bytes that a slice may have; 0: the rest of the spool is for incidents. */
static uint64_t room(const struct lane *lane)
{
    const struct recorder_setup *setup = &lane->recorder->setup;
    const struct limits_config *limits = &setup->config->limits;
    return spool_room(
        setup->spool, limits->spool_bytes / 100 * spool_share_percent, limits->profile_bytes);
}

static bool is_too_hot(const struct lane *lane)
{
    const struct recorder_setup *setup = &lane->recorder->setup;
    const struct heat heat = {setup->series ? setup->config : NULL, setup->series,
        (size_t)(lane - lane->recorder->lanes)};
    return heat_is_too_hot(&heat, clock_mono_ms(), NULL);
}

/* Whether a slice can be begun now; what is in the way is said. */
static bool is_possible(struct lane *lane)
{
    struct spool *spool = lane->recorder->setup.spool;
    size_t unsettled = 0;
    for (size_t i = 0; i < lane->count; i++)
        unsettled += lane->slices[i]->state != SLICE_ENDED;
    if (unsettled >= RECORDER_CHECKING_MAX) {
        note_problem(lane, "it pauses, as the disk below `state` is too slow");
        return false;
    }
    if (is_too_hot(lane)) {
        note_problem(lane, "it pauses, as the app's cpu is above limits.hold_off");
        return false;
    }
    if (room(lane) == 0) {
        note_problem(lane, "it pauses, as the spool is nearly full (limits.spool)");
        if (lane->count)
            drop(lane, 0); /* or its own slices would keep it full */
        spool_refresh(spool);
        return false;
    }
    struct error err;
    if (spool_make_recorder(lane->folder, &err) < 0) {
        note_problem(lane, err.text);
        return false;
    }
    lane->folder_made = true;
    return true;
}

static void begin_slice(struct lane *lane)
{
    const struct recorder_setup *setup = &lane->recorder->setup;
    struct slice_setup slice = {
        .loop = setup->loop,
        .disk = setup->disk,
        .app = lane->app,
        .endpoint = lane->endpoint,
        .folder = lane->folder,
        .number = lane->number++,
        .seconds = options(lane)->slice_ms / 1000,
        .max_bytes = room(lane),
        .owner = {on_answered, on_ended, lane},
    };
    struct slice *begun = slice_start(&slice);
    begun->profile.run = lane->run;
    lane->slices[lane->count++] = begun;
    if (!lane->begun)
        log_info("recorder of app %s: records, in slices of %lld s", lane->app->name,
            (long long)begun->seconds);
    lane->begun = true;
}

static void set_timer(struct lane *lane, int64_t at_ms)
{
    int64_t change_ms = windows_next_change_ms(&lane->windows, clock_mono_ms());
    loop_timer_set(lane->timer, change_ms < at_ms ? change_ms : at_ms);
}

/* Does what is due in the lane, whatever has happened. */
static void look(struct lane *lane)
{
    int64_t now_ms = clock_mono_ms();
    windows_forget_ended(&lane->windows, now_ms);
    if (!has_reason(lane, now_ms)) {
        if (lane->count)
            log_info(
                "recorder of app %s: ends; no incident has asked for its slices", lane->app->name);
        lane->begun = false;
        drop_all(lane);
        lane->problem.text[0] = '\0';
        remove_folder(lane);
        set_timer(lane, INT64_MAX);
        return;
    }
    if (lane->holds || lane->removing || running_slice(lane)) {
        set_timer(lane, INT64_MAX);
        return;
    }
    if (lane->retry_ms && now_ms < lane->retry_at_ms) {
        set_timer(lane, lane->retry_at_ms);
        return;
    }
    if (is_possible(lane)) {
        begin_slice(lane);
        set_timer(lane, INT64_MAX);
    } else {
        set_timer(lane, now_ms + look_again_ms);
    }
}

static void wake(void *arg)
{
    look(arg);
}

struct recorder *recorder_open(const struct recorder_setup *setup)
{
    const struct config *config = setup->config;
    struct recorder *recorder = xcalloc(1, sizeof *recorder);
    recorder->setup = *setup;
    recorder->lanes = xcalloc(config->app_count, sizeof *recorder->lanes);
    for (size_t i = 0; i < config->app_count; i++) {
        struct lane *lane = &recorder->lanes[i];
        lane->recorder = recorder;
        lane->app = &config->apps[i];
        lane->folder = spool_recorder_folder(setup->spool, lane->app->name);
        lane->slices = xcalloc(RECORDER_SLICES_MAX, sizeof *lane->slices);
        lane->endpoint = setup->endpoints[i];
        lane->lost_ms = INT64_MIN;
        lane->holds = 1;
        lane->timer = loop_timer_new(setup->loop, wake, lane);
        windows_init(&lane->windows, config->trigger_count,
            config->recorder.slice_ms * config->recorder.keep);
    }
    return recorder;
}

void recorder_stop(struct recorder *recorder)
{
    if (!recorder || recorder->stopping)
        return;
    recorder->stopping = true;
    for (size_t i = 0; i < recorder->setup.config->app_count; i++)
        look(&recorder->lanes[i]);
}

bool recorder_is_over(const struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->setup.config->app_count; i++) {
        const struct lane *lane = &recorder->lanes[i];
        if (lane->count || lane->removing || lane->folder_made)
            return false;
    }
    return true;
}

void recorder_close(struct recorder *recorder)
{
    if (!recorder)
        return;
    for (size_t i = 0; i < recorder->setup.config->app_count; i++) {
        struct lane *lane = &recorder->lanes[i];
        for (size_t j = 0; j < lane->count; j++)
            slice_free(lane->slices[j]);
        loop_timer_free(lane->timer);
        free(lane->slices);
        windows_free(&lane->windows);
        free(lane->folder);
    }
    free(recorder->lanes);
    free(recorder);
}

void recorder_arm(
    struct recorder *recorder, size_t app, size_t trigger, int64_t from_ms, int64_t until_ms)
{
    struct lane *lane = &recorder->lanes[app];
    windows_arm(&lane->windows, trigger, from_ms, until_ms);
    loop_timer_set(lane->timer, 0);
}

void recorder_disarm(struct recorder *recorder, size_t app, size_t trigger)
{
    struct lane *lane = &recorder->lanes[app];
    windows_disarm(&lane->windows, trigger);
    loop_timer_set(lane->timer, 0);
}

size_t recorder_take(struct recorder *recorder, size_t app, int64_t since_ms,
    struct slice *slices[RECORDER_SLICES_MAX])
{
    struct lane *lane = &recorder->lanes[app];
    size_t taken = 0;
    for (size_t i = 0; i < lane->count; i++) {
        struct slice *slice = lane->slices[i];
        if (slice->state == SLICE_RECORDING || slice->profile.finished_ms >= since_ms)
            slices[taken++] = slice;
        else
            slice_drop(slice);
    }
    lane->count = 0;
    lane->holds++;
    return taken;
}

void recorder_hold(struct recorder *recorder, size_t app)
{
    struct lane *lane = &recorder->lanes[app];
    drop_all(lane);
    lane->holds++;
}

void recorder_cut(struct recorder *recorder, size_t app, int64_t ended_ms)
{
    struct lane *lane = &recorder->lanes[app];
    if (lane->lost_ms == INT64_MIN || lane->lost_ms < ended_ms - one_end_ms)
        lane->run++;
}

unsigned recorder_run(const struct recorder *recorder, size_t app)
{
    return recorder->lanes[app].run;
}

void recorder_release(struct recorder *recorder, size_t app)
{
    struct lane *lane = &recorder->lanes[app];
    lane->holds--;
    loop_timer_set(lane->timer, 0);
}

void recorder_status(const struct recorder *recorder, size_t app, struct recorder_status *status)
{
    const struct lane *lane = &recorder->lanes[app];
    struct window next = windows_next(&lane->windows);
    *status = (struct recorder_status){
        .always = options(lane)->always,
        .recording = running_slice(lane) != NULL,
        .from_ms = next.from_ms,
        .until_ms = next.until_ms,
        .problem = lane->problem.text[0] ? lane->problem.text : NULL,
    };
    for (size_t i = 0; i < lane->count; i++)
        status->slices += lane->slices[i]->state == SLICE_ENDED;
}
