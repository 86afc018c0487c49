/* Measures containers by the ECS task metadata endpoint, version 4. One request a tick,
 * /task/stats, serves all apps; /task says now and then which containers there are. Answers come on
 * the loop. */
#include "sources/cgroup/cgroup_limits.h"
#include "sources/ecs/ecs_app.h"
#include "sources/ecs/ecs_json.h"
#include "sources/measure.h"
#include "sources/source.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TASK_MS = 30000,     /* how often /task is asked again */
    TASK_SOON_MS = 2000, /* while a container is missing or has no samples */
    SILENCE_MS = 15000,  /* without a new sample before that is said; Fargate's cache is 10 s */
    DEADLINE_MS = 2000,  /* for an answer, or the interval if that is longer */
    BACK_OFF_MS = 1000,  /* after the first 429, doubled up to */
    MAX_BACK_OFF_MS = 30000,
    CLOCK_SET_MS = 60000, /* a sample older than this: a clock was set instead */
    MAX_ANSWER_BYTES = 1 << 20
};

struct watched_app {
    const struct source_app *setup;
    const struct ecs_container *container; /* in the task; NULL: it has none */
    struct ecs_app state;
    struct measured_series series;
    struct error problem; /* why it has no container; "" when it has, or nothing is known */
    int64_t sampled_ms;   /* when its last new sample was asked for, or watching began */
    int64_t last_ms;      /* time of its newest sample in the series */
};

struct ecs {
    struct source_setup setup;
    char *base;
    struct watched_app *apps;
    struct ecs_machine machine;
    struct http_request *task_request, *stats_request, *own_request;
    char *own_id;             /* the agent's own container; NULL: not known */
    bool needs_own_id;        /* an app has no container given */
    struct ecs_task task;     /* replaced only in `sample`: identify hands its strings out */
    struct ecs_task *arrived; /* a newer one */
    bool known;               /* task is there */
    int64_t task_ms;          /* when /task is due */
    int64_t task_asked_ms;    /* when it was asked last */
    int64_t asked_ms;         /* the tick of the pending stats request */
    int64_t wait_ms;          /* no request before this: 429 */
    int64_t back_off_ms;
    int64_t least_lag_ms; /* smallest distance of our clock from the endpoint's; INT64_MAX */
    struct error own_problem, task_problem, stats_problem; /* of the last answer; "": none */
};

static struct http_request *ask(
    struct ecs *self, const char *path, void (*done)(void *arg, const struct http_result *result))
{
    char *url = xasprintf("%s%s", self->base, path);
    int64_t interval_ms = self->setup.interval_ms;
    struct http_options options = {.url = url,
        .upload_fd = -1,
        .timeout_ms = interval_ms > DEADLINE_MS ? interval_ms : DEADLINE_MS,
        .max_answer_bytes = MAX_ANSWER_BYTES,
        .done = done,
        .arg = self};
    struct http_request *request = http_start(self->setup.loop, &options);
    free(url);
    return request;
}

static void back_off(struct ecs *self)
{
    self->back_off_ms = self->back_off_ms ? self->back_off_ms * 2 : BACK_OFF_MS;
    if (self->back_off_ms > MAX_BACK_OFF_MS)
        self->back_off_ms = MAX_BACK_OFF_MS;
    self->wait_ms = clock_mono_ms() + self->back_off_ms;
}

/* -1 and err when the answer is none to be parsed. */
static int check_answer(
    struct ecs *self, const char *path, const struct http_result *result, struct error *err)
{
    static const char name[] = "the ECS metadata endpoint";
    if (result->outcome != HTTP_ANSWERED)
        return error_set(err,
            "%s did not answer %s: %s; is ECS_CONTAINER_METADATA_URI_V4 what ECS set, and no "
            "firewall in the way?",
            name, path, result->error->text);
    if (result->status == 429) {
        back_off(self);
        return error_set(err, "%s limits requests (429): asked again in %.3g s", name,
            (double)self->back_off_ms / 1000);
    }
    self->back_off_ms = 0;
    if (result->status == 200)
        return 0;
    char words[160];
    ecs_problem_parse(words, sizeof words, result->body.data, result->body.size);
    return error_set(
        err, "%s answers %d to %s%s%s", name, result->status, path, *words ? ": " : "", words);
}

static void own_answered(void *arg, const struct http_result *result)
{
    struct ecs *self = arg;
    self->own_request = NULL;
    if (check_answer(self, "the base address", result, &self->own_problem) < 0)
        return;
    free(self->own_id);
    self->own_id = ecs_own_id_parse(result->body.data, result->body.size);
    if (!self->own_id)
        error_set(
            &self->own_problem, "the ECS metadata endpoint does not say which container asks");
}

static void drop_task(struct ecs_task *task)
{
    if (task)
        ecs_task_free(task);
    free(task);
}

static void task_answered(void *arg, const struct http_result *result)
{
    struct ecs *self = arg;
    self->task_request = NULL;
    struct error *err = &self->task_problem;
    if (check_answer(self, "/task", result, err) < 0)
        return;
    struct ecs_task *task = xcalloc(1, sizeof *task);
    if (ecs_task_parse(task, result->body.data, result->body.size, err) < 0) {
        error_prefix(err, "the ECS metadata endpoint's /task");
        drop_task(task);
        return;
    }
    err->text[0] = '\0';
    drop_task(self->arrived);
    self->arrived = task;
}

/* When a sample was taken, on the series' clock: the tick that asked for it, less its age in whole
 * intervals. The endpoint's clock may be another than ours, so its age is how much more it lags
 * than the freshest one did. */
static int64_t sample_time_ms(struct ecs *self, const struct watched_app *app)
{
    int64_t lag_ms = clock_wall_ms() - app->state.read_ns / 1000000;
    int64_t interval_ms = self->setup.interval_ms;
    if (lag_ms < self->least_lag_ms || lag_ms - self->least_lag_ms > CLOCK_SET_MS)
        self->least_lag_ms = lag_ms;
    int64_t age_ms = (lag_ms - self->least_lag_ms) / interval_ms * interval_ms;
    int64_t time_ms = self->asked_ms - age_ms;
    return time_ms > app->last_ms ? time_ms : self->asked_ms;
}

static void ask_task_soon(struct ecs *self)
{
    if (self->task_ms > self->task_asked_ms + TASK_SOON_MS)
        self->task_ms = self->task_asked_ms + TASK_SOON_MS;
}

static bool take_sample(struct ecs *self, struct watched_app *app, const struct ecs_stats *stats)
{
    struct measures measures;
    if (!stats->found) /* it may be gone */
        ask_task_soon(self);
    if (!ecs_app_measure(&app->state, stats, &self->machine, &measures))
        return false;
    app->sampled_ms = self->asked_ms;
    app->last_ms = sample_time_ms(self, app);
    return measured_series_push(&app->series, app->last_ms, &measures);
}

static void stats_answered(void *arg, const struct http_result *result)
{
    struct ecs *self = arg;
    self->stats_request = NULL;
    struct error *err = &self->stats_problem;
    if (check_answer(self, "/task/stats", result, err) < 0)
        return;
    size_t count = self->setup.app_count;
    const char **ids = xcalloc(count, sizeof *ids);
    struct ecs_stats *stats = xcalloc(count, sizeof *stats);
    for (size_t i = 0; i < count; i++)
        ids[i] = self->apps[i].state.docker_id;
    bool any = false;
    if (ecs_stats_parse(stats, ids, count, result->body.data, result->body.size, err) < 0) {
        error_prefix(err, "the ECS metadata endpoint's /task/stats");
    } else {
        err->text[0] = '\0';
        for (size_t i = 0; i < count; i++)
            any = take_sample(self, &self->apps[i], &stats[i]) || any;
    }
    free(stats);
    free(ids);
    if (any && self->setup.sampled)
        self->setup.sampled(self->setup.arg);
}

/* A new look at the app's container. */
static void update_app(struct ecs *self, struct watched_app *app, int64_t now_ms)
{
    const char *name = app->setup->container;
    app->container = NULL;
    if (!name && !self->own_id) {
        app->problem = self->own_problem;
        return;
    }
    app->container = ecs_app_choose(&self->task, name, self->own_id, &app->problem);
    if (!app->container)
        return;
    app->problem.text[0] = '\0';
    uint64_t kills = app->state.oom_kills, restarts = app->state.restarts;
    bool first = !app->state.docker_id;
    ecs_app_update(&app->state, &self->task, app->container);
    if (first)
        app->sampled_ms = now_ms;
    else if (app->state.oom_kills != kills || app->state.restarts != restarts)
        ecs_app_push_counts(&app->state, &app->series, now_ms);
}

static void adopt_task(struct ecs *self, int64_t now_ms)
{
    if (!self->arrived || (self->needs_own_id && self->own_request))
        return;
    ecs_task_free(&self->task);
    self->task = *self->arrived;
    free(self->arrived);
    self->arrived = NULL;
    self->known = true;
    for (size_t i = 0; i < self->setup.app_count; i++)
        update_app(self, &self->apps[i], now_ms);
}

static void ask_what_is_due(struct ecs *self, int64_t now_ms)
{
    if (now_ms < self->wait_ms)
        return;
    bool watching = false, missing = false;
    for (size_t i = 0; i < self->setup.app_count; i++) {
        watching = watching || self->apps[i].container;
        missing = missing || !self->apps[i].container;
    }
    if (missing)
        ask_task_soon(self);
    if (now_ms >= self->task_ms && !self->task_request) {
        if (self->needs_own_id && !self->own_id && !self->own_request)
            self->own_request = ask(self, "", own_answered);
        self->task_request = ask(self, "/task", task_answered);
        self->task_asked_ms = now_ms;
        self->task_ms = now_ms + TASK_MS;
    }
    if (watching && !self->stats_request) {
        self->stats_request = ask(self, "/task/stats", stats_answered);
        self->asked_ms = now_ms;
    }
}

static int app_status(
    const struct ecs *self, const struct watched_app *app, int64_t now_ms, struct error *err)
{
    int64_t silence_ms = 3 * self->setup.interval_ms;
    silence_ms = silence_ms > SILENCE_MS ? silence_ms : SILENCE_MS;
    if (app->problem.text[0])
        return error_set(err, "%s", app->problem.text);
    if (app->container && now_ms - app->sampled_ms > silence_ms)
        return error_set(err,
            "the ECS metadata endpoint has had no new sample of the container %s for %lld s",
            app->container->name ? app->container->name : app->state.docker_id,
            (long long)silence_ms / 1000);
    return 0;
}

static int ecs_sample(void *arg, int64_t now_ms, struct error *err)
{
    struct ecs *self = arg;
    adopt_task(self, now_ms);
    ask_what_is_due(self, now_ms);
    const char *problem = self->known ? self->stats_problem.text : self->task_problem.text;
    if (*problem)
        return error_set(err, "%s", problem);
    for (size_t i = 0; i < self->setup.app_count; i++)
        if (app_status(self, &self->apps[i], now_ms, err) < 0)
            return -1;
    return 0;
}

static const char *endpoint_from_environment(void)
{
    const char *base = getenv("ECS_CONTAINER_METADATA_URI_V4");
    return base && *base ? base : NULL;
}

static const char not_set[] = "ECS_CONTAINER_METADATA_URI_V4 is not set: this is no ECS task "
                              "(platform 1.4 or agent 1.39 and later set it); elsewhere leave "
                              "`source` out, or name process, docker or cgroup";

static bool ecs_present(const struct source_setup *setup, struct error *why)
{
    (void)setup;
    if (endpoint_from_environment())
        return true;
    error_set(why, "%s", not_set);
    return false;
}

static void ecs_close(void *arg)
{
    struct ecs *self = arg;
    http_cancel(self->task_request);
    http_cancel(self->stats_request);
    http_cancel(self->own_request);
    for (size_t i = 0; i < self->setup.app_count; i++)
        ecs_app_free(&self->apps[i].state);
    ecs_task_free(&self->task);
    drop_task(self->arrived);
    free(self->own_id);
    free(self->apps);
    free(self->base);
    free(self);
}

static void *ecs_open(const struct source_setup *setup, struct error *err)
{
    const char *base = endpoint_from_environment();
    if (!base) {
        error_set(err, "%s", not_set);
        return NULL;
    }
    if ((strncasecmp(base, "http://", 7) != 0 && strncasecmp(base, "https://", 8) != 0) ||
        strpbrk(base, " \t\r\n")) {
        error_set(err,
            "ECS_CONTAINER_METADATA_URI_V4 is no http URL: %s; ECS sets it: leave it as it is",
            base);
        return NULL;
    }
    struct ecs *self = xcalloc(1, sizeof *self);
    self->setup = *setup;
    self->base = xstrdup(base);
    for (size_t length = strlen(base); self->base[length - 1] == '/'; length--)
        self->base[length - 1] = '\0';
    self->least_lag_ms = INT64_MAX;
    const char *root = strcmp(setup->root, "/") ? setup->root : "";
    self->machine = (struct ecs_machine){
        cgroup_machine_cpus(root), cgroup_machine_memory_bytes(root)};
    self->apps = xcalloc(setup->app_count, sizeof *self->apps);
    for (size_t i = 0; i < setup->app_count; i++) {
        self->apps[i].setup = &setup->apps[i];
        self->needs_own_id = self->needs_own_id || !setup->apps[i].container;
        measured_series_init(&self->apps[i].series, setup->series, setup->apps[i].prefix);
    }
    ask_what_is_due(self, clock_mono_ms());
    return self;
}

static void ecs_identify(void *arg, size_t index, struct source_identity *identity)
{
    const struct ecs *self = arg;
    const struct ecs_container *container = self->apps[index].container;
    *identity = (struct source_identity){.task_arn = self->task.arn,
        .cluster = self->task.cluster,
        .family = self->task.family,
        .revision = self->task.revision};
    if (container)
        ecs_app_identify(container, identity);
}

static void ecs_life(void *arg, size_t index, struct source_life *life)
{
    const struct ecs *self = arg;
    ecs_app_life(&self->apps[index].state, !self->apps[index].container, life);
}

static void ecs_look_again(void *arg)
{
    ask_task_soon(arg);
}

static void describe_app(const struct ecs *self, const struct watched_app *app,
    void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct ecs_app *state = &app->state;
    const char *name = app->container->name ? app->container->name : state->docker_id;
    const char *memory_of = isnan(state->memory_limit) ? "the machine's memory"
                                                       : "the task's limit";
    ecs_app_describe(state, &self->machine, name,
        isnan(state->cores_limit) ? "the online CPUs" : "the task's limit",
        app->container->memory_limit_bytes > 0 ? "the container's limit" : memory_of, say, arg);
}

static void ecs_describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct ecs *self = arg;
    for (size_t i = 0; i < self->setup.app_count; i++)
        if (self->apps[i].container)
            describe_app(self, &self->apps[i], say, say_arg);
    say(say_arg,
        "net.* is what the metadata endpoint says: in awsvpc mode of all containers of the "
        "task together, refreshed every 10 s or so");
    say(say_arg,
        "oom_kills counts exits with status 137, which a kill for another reason shows, too");
}

const struct source_kind source_ecs = {
    .kind = {.name = "ecs", .help = "the task metadata endpoint of Amazon ECS, version 4"},
    .present = ecs_present,
    .certain = true,
    .open = ecs_open,
    .sample = ecs_sample,
    .identify = ecs_identify,
    .life = ecs_life,
    .look_again = ecs_look_again,
    .describe = ecs_describe,
    .close = ecs_close,
};
