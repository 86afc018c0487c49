#include "agent/baseline/baselines.h"

#include "agent/baseline/choice.h"
#include "agent/baseline/parcel.h"
#include "agent/baseline/rehearsal.h"
#include "agent/baseline/schedule.h"
#include "agent/baseline/shelf.h"
#include "agent/storage/delivery.h"
#include "agent/storage/recall.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/metric.h"
#include "sources/source.h"

#include <stdlib.h>
#include <string.h>

static const int64_t recall_pause_ms = 5000, recall_longest_pause_ms = 300000;
static const int64_t recall_patience_ms = 12000; /* two tries, 5 s apart */

/* One app. Times are monotonic; INT64_MIN: never. */
struct watch {
    struct baselines *baselines;
    const struct app_config *app;
    char *key; /* of the packed one in the stores */
    int64_t calm_since_ms, captured_ms, failed_ms;
    unsigned lessers;                /* in a row, of what was taken: less than what is kept */
    char unrest[BASELINES_WHY_SIZE]; /* "": it is calm */
    char *taking;                    /* the id of the one that is being taken */
    bool running;                    /* an incident is */
    struct plan plan;
    char **problems;
    size_t problem_count;
    struct recall *recall;
};

struct baselines {
    struct baselines_setup setup; /* delivery NULL: it is closed */
    struct shelf *shelf;
    struct watch *watches; /* by app */
    size_t coming;         /* to the shelf */
    bool begun;
};

static bool is_on(const struct baselines *baselines)
{
    return baselines->setup.config->baseline.every_ms > 0;
}

/* The app's newest, or with an identity the newest of what runs there: where the image is not
 * known, each start of the app may be of another one. NULL: none. */
static const struct incident *newest_of(
    const struct watch *watch, const struct source_identity *identity)
{
    size_t count;
    const struct incident *const *all = shelf_all(watch->baselines->shelf, &count);
    const struct incident *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        bool ours = !strcmp(all[i]->app, watch->app->name);
        if (identity)
            ours = ours &&
                   choice_same_deploy(&all[i]->target, identity->image, identity->revision) &&
                   (identity->image || all[i]->fired_ms >= identity->started_wall_ms);
        if (ours && (!newest || all[i]->fired_ms > newest->fired_ms))
            newest = all[i];
    }
    return newest;
}

static void note_problems(struct watch *watch, const struct incident *baseline)
{
    rehearsal_free(watch->problems, watch->problem_count);
    watch->problems = rehearsal_problems(
        watch->baselines->setup.config, baseline, &watch->problem_count);
}

static void open_watch(struct baselines *baselines, size_t app)
{
    struct watch *watch = &baselines->watches[app];
    char *name = parcel_file_name(baselines->setup.config->apps[app].name);
    *watch = (struct watch){.baselines = baselines,
        .app = &baselines->setup.config->apps[app],
        .key = xasprintf("service=%s/_state/%s", baselines->setup.config->service, name),
        .calm_since_ms = INT64_MIN,
        .captured_ms = INT64_MIN,
        .failed_ms = INT64_MIN,
        .plan = {.due_ms = INT64_MIN}};
    free(name);
    const struct incident *newest = newest_of(watch, NULL);
    if (newest)
        note_problems(watch, newest);
}

struct baselines *baselines_open(const struct baselines_setup *setup)
{
    struct baselines *baselines = xcalloc(1, sizeof *baselines);
    baselines->setup = *setup;
    baselines->shelf = shelf_open(setup->config, setup->disk);
    baselines->watches = xcalloc(setup->config->app_count, sizeof *baselines->watches);
    for (size_t i = 0; i < setup->config->app_count; i++)
        open_watch(baselines, i);
    return baselines;
}

void baselines_stop(struct baselines *baselines)
{
    if (!baselines)
        return;
    for (size_t i = 0; i < baselines->setup.config->app_count; i++)
        recall_stop(baselines->watches[i].recall);
    baselines->setup.delivery = NULL;
}

static void close_watch(struct watch *watch)
{
    recall_close(watch->recall);
    rehearsal_free(watch->problems, watch->problem_count);
    free(watch->taking);
    free(watch->key);
}

void baselines_close(struct baselines *baselines)
{
    if (!baselines)
        return;
    for (size_t i = 0; i < baselines->setup.config->app_count; i++)
        close_watch(&baselines->watches[i]);
    shelf_close(baselines->shelf);
    free(baselines->watches);
    free(baselines);
}

/* What an app is like does not change with the configuration. */
static void go_on(struct watch *watch, const struct watch *before)
{
    watch->calm_since_ms = before->calm_since_ms;
    watch->captured_ms = before->captured_ms;
    watch->failed_ms = before->failed_ms;
    watch->lessers = before->lessers;
}

void baselines_reload(
    struct baselines *baselines, const struct config *config, struct delivery *delivery)
{
    struct watch *before = baselines->watches;
    size_t count = baselines->setup.config->app_count;
    baselines->setup.config = config;
    baselines->setup.delivery = delivery;
    baselines->begun = false;
    shelf_reload(baselines->shelf, config);
    baselines->watches = xcalloc(config->app_count, sizeof *baselines->watches);
    for (size_t i = 0; i < config->app_count; i++) {
        open_watch(baselines, i);
        for (size_t j = 0; j < count; j++)
            if (!strcmp(before[j].app->name, config->apps[i].name))
                go_on(&baselines->watches[i], &before[j]);
    }
    for (size_t i = 0; i < count; i++)
        close_watch(&before[i]);
    free(before);
}

bool baselines_are_writing(const struct baselines *baselines)
{
    return baselines->coming > 0;
}

static void unpacked(void *arg, const struct shelf_result *result)
{
    const struct watch *watch = arg;
    watch->baselines->coming--;
    if (result->kept)
        log_info("app %s: baseline %s of an earlier task is there to compare with",
            watch->app->name, result->incident->id);
    else if (result->err->text[0])
        log_warn("%s of a store is passed over: %s", watch->key, result->err->text);
}

static void settled(void *arg, size_t exporter, const char *from, const char *text, size_t size)
{
    struct watch *watch = arg;
    (void)exporter;
    (void)from;
    if (!text || !watch->baselines->setup.delivery)
        return;
    watch->baselines->coming++;
    shelf_unpack(watch->baselines->shelf, text, size, unpacked, watch);
}

/* Nothing waits for it: without an answer the next baseline is a first one. */
static void ask_stores(struct watch *watch)
{
    const struct baselines_setup *setup = &watch->baselines->setup;
    watch->recall = recall_start(&(struct recall_setup){.loop = setup->loop,
        .delivery = setup->delivery,
        .key = watch->key,
        .max_bytes = PARCEL_MAX_BYTES,
        .unread = "the baseline of an earlier task of the service is not compared with",
        .pause_ms = recall_pause_ms,
        .longest_pause_ms = recall_longest_pause_ms,
        .patience_ms = recall_patience_ms,
        .settled = settled,
        .arg = watch});
}

static void begin(struct baselines *baselines)
{
    for (size_t i = 0; !baselines->begun && i < baselines->setup.config->app_count; i++)
        if (!newest_of(&baselines->watches[i], NULL))
            ask_stores(&baselines->watches[i]);
    baselines->begun = true;
}

static void look_around(struct watch *watch, size_t app, int64_t now_ms)
{
    const struct baselines_setup *setup = &watch->baselines->setup;
    const char *id = setup->running(setup->arg, app);
    if (watch->taking && (!id || strcmp(watch->taking, id) != 0)) {
        free(watch->taking);
        watch->taking = NULL;
    }
    if (watch->running && !id)
        watch->captured_ms = now_ms;
    watch->running = id != NULL;
    if (setup->unrest(setup->arg, app, watch->unrest)) {
        watch->calm_since_ms = INT64_MIN;
        return;
    }
    watch->unrest[0] = '\0';
    if (watch->calm_since_ms == INT64_MIN)
        watch->calm_since_ms = now_ms;
}

/* Nothing lies in the future: a clock that was set back must not put the next one off for long. */
static int64_t mono_of(int64_t wall_ms, int64_t now_ms)
{
    int64_t mono_ms = wall_ms - clock_wall_ms() + clock_mono_ms();
    return mono_ms < now_ms ? mono_ms : now_ms;
}

static char *reason_of(
    const struct watch *watch, const struct source_identity *identity, int64_t now_ms)
{
    char calm[VALUE_TEXT_SIZE], every[VALUE_TEXT_SIZE];
    const struct config *config = watch->baselines->setup.config;
    int64_t calm_s = (now_ms - watch->calm_since_ms) / 1000;
    metric_format_level(UNIT_SECONDS, (double)calm_s, calm);
    metric_format_level(UNIT_SECONDS, (double)config->baseline.every_ms / 1000, every);
    switch (watch->plan.need) {
    case NEED_FIRST:
        return xasprintf(
            "calm for %s: the first baseline, and a rehearsal of what a spike takes", calm);
    case NEED_DEPLOY:
        return identity->image
                   ? xasprintf("calm for %s after a deploy: the image is %s", calm, identity->image)
                   : xasprintf("calm for %s after a start of the app", calm);
    default:
        return xasprintf("calm for %s, and the last baseline is %s old", calm, every);
    }
}

static void take(
    struct watch *watch, size_t app, const struct source_identity *identity, int64_t now_ms)
{
    const struct baselines_setup *setup = &watch->baselines->setup;
    struct error err;
    char *reason = reason_of(watch, identity, now_ms);
    const char *id = setup->take(setup->arg, app, reason, &err);
    free(reason);
    if (!id) {
        log_warn("app %s: no baseline can be taken: %s", watch->app->name, err.text);
        watch->failed_ms = now_ms;
        watch->lessers = 0;
        return;
    }
    free(watch->taking);
    watch->taking = xstrdup(id);
    watch->running = true;
}

static void update(struct watch *watch, size_t app, int64_t now_ms)
{
    const struct baselines_setup *setup = &watch->baselines->setup;
    struct source_identity identity = {0};
    look_around(watch, app, now_ms);
    setup->identify(setup->arg, app, &identity);
    const struct incident *newest = newest_of(watch, &identity);
    struct situation situation = {.now_ms = now_ms,
        .every_ms = setup->config->baseline.every_ms,
        .calm_since_ms = watch->calm_since_ms,
        .captured_ms = watch->captured_ms,
        .newest_ms = newest ? mono_of(newest->fired_ms, now_ms) : INT64_MIN,
        .failed_ms = watch->failed_ms,
        .lessers = watch->lessers,
        .deployed = !newest && newest_of(watch, NULL)};
    schedule_plan(&situation, &watch->plan);
    if (watch->plan.now && !watch->baselines->coming && !watch->running)
        take(watch, app, &identity, now_ms);
}

void baselines_update(struct baselines *baselines, int64_t now_ms)
{
    if (!is_on(baselines) || !baselines->setup.delivery)
        return;
    begin(baselines);
    for (size_t i = 0; i < baselines->setup.config->app_count; i++)
        update(&baselines->watches[i], i, now_ms);
}

static void tell_problems(const struct watch *watch)
{
    for (size_t i = 0; i < watch->problem_count; i++)
        log_warn("app %s: what a spike would take was rehearsed: %s", watch->app->name,
            watch->problems[i]);
}

static void keep_in_stores(const struct watch *watch)
{
    struct delivery *delivery = watch->baselines->setup.delivery;
    char *path = shelf_packed_path(watch->baselines->shelf, watch->app->name);
    for (size_t i = 0; delivery && i < delivery_exporters(delivery); i++)
        delivery_keep(delivery, i, path, watch->key);
    free(path);
}

static bool has_profile(const struct incident *baseline)
{
    for (size_t i = 0; i < baseline->profile_count; i++)
        if (baseline->profiles[i].status == PROFILE_OK)
            return true;
    return false;
}

static void note_taken(struct watch *watch, const struct shelf_result *result)
{
    watch->failed_ms = result->kept ? INT64_MIN : clock_mono_ms();
    watch->lessers = !result->kept && has_profile(result->incident) ? watch->lessers + 1 : 0;
    note_problems(watch, result->incident);
    tell_problems(watch);
    if (result->kept)
        keep_in_stores(watch);
}

static void copied(void *arg, const struct shelf_result *result)
{
    struct baselines *baselines = arg;
    baselines->coming--;
    if (result->err->text[0])
        log_warn("a baseline is not kept to compare with: %s", result->err->text);
    for (size_t i = 0; result->incident && i < baselines->setup.config->app_count; i++)
        if (!strcmp(baselines->watches[i].app->name, result->incident->app))
            note_taken(&baselines->watches[i], result);
}

void baselines_taken(struct baselines *baselines, const char *folder)
{
    baselines->coming++;
    shelf_copy(baselines->shelf, folder, copied, baselines);
}

const char *baselines_choose(const struct baselines *baselines, const struct incident *incident)
{
    size_t count;
    const struct incident *const *all = shelf_all(baselines->shelf, &count);
    const struct incident *chosen = choice_make(all, count, incident);
    return chosen ? chosen->id : NULL;
}

void baselines_status(
    const struct baselines *baselines, size_t app, struct baselines_status *status)
{
    const struct watch *watch = &baselines->watches[app];
    const struct incident *newest = newest_of(watch, NULL);
    *status = (struct baselines_status){.newest = newest ? newest->id : NULL,
        .taken_wall_ms = newest ? newest->fired_ms : 0,
        .taking = watch->taking,
        .due_ms = watch->plan.due_ms,
        .unrest = watch->unrest[0] ? watch->unrest : NULL,
        .problems = watch->problems,
        .problem_count = watch->problem_count};
}
