/* Measures containers by the Docker Engine API over its socket: a sample each tick, what the engine
 * knows of the container now and then, and what happens to it as it happens. Answers come on the
 * loop. */
#include "sources/cgroup/cgroup_limits.h"
#include "sources/docker/docker_events.h"
#include "sources/docker/docker_json.h"
#include "sources/docker/docker_socket.h"
#include "sources/ecs/ecs_app.h"
#include "sources/measure.h"
#include "sources/source.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 10000,     /* how often the engine is asked about a container again */
    LOOK_SOON_MS = 1000, /* while it is missing */
    EVENTS_MS = 5000,    /* before the stream of events is opened again */
    SILENCE_MS = 10000,  /* without a new sample before that is said */
    DEADLINE_MS = 5000,  /* for an answer, or the interval if that is longer */
    MAX_ANSWER_BYTES = 1 << 20,
    DAY_MS = 86400000
};

struct docker;

struct watched {
    struct docker *docker;
    char *name;
    struct ecs_task task;     /* its container; replaced only in `sample`: identify hands it out */
    struct ecs_task *arrived; /* a newer one */
    bool known;               /* task is there */
    bool own_network;         /* as it has interfaces that are its alone */
    bool no_parts;            /* samples lack what the working set is made of */
    struct ecs_app state;
    struct measured_series series;
    struct http_request *look_request, *sample_request, *events_request;
    struct docker_events events;
    bool events_refused;  /* the last time that they were asked for */
    uint64_t kills_taken; /* of those that events tells of */
    int64_t look_ms, events_ms, asked_ms, sampled_ms;
    struct error look_problem, sample_problem; /* of the last answer; "": none */
};

struct docker {
    struct source_setup setup;
    char *socket;
    struct watched *apps;
    struct ecs_machine machine;
    struct http_request *names_request;
    char *names;  /* of the containers that run; NULL: not known */
    bool answers; /* the engine has answered, and it is */
    bool podman;
};

static struct http_request *ask(struct docker *self, const char *url,
    void (*done)(void *arg, const struct http_result *result), void *arg)
{
    int64_t interval_ms = self->setup.interval_ms;
    const struct http_options options = {.url = url,
        .unix_socket = self->socket,
        .upload_fd = -1,
        .timeout_ms = interval_ms > DEADLINE_MS ? interval_ms : DEADLINE_MS,
        .max_answer_bytes = MAX_ANSWER_BYTES,
        .done = done,
        .arg = arg};
    return http_start(self->setup.loop, &options);
}

/* -1 and err when the answer is none to be parsed. */
static int check_answer(
    struct docker *self, const char *what, const struct http_result *result, struct error *err)
{
    if (result->outcome != HTTP_ANSWERED) {
        if (docker_socket_check(self->socket, err) == 0)
            error_set(
                err, "the engine at %s did not answer: %s", self->socket, result->error->text);
        return -1;
    }
    self->answers = true;
    self->podman = http_header(result, "Libpod-API-Version") != NULL;
    if (result->status == 200)
        return 0;
    char words[160];
    docker_problem_parse(words, sizeof words, result->body.data, result->body.size);
    return error_set(err, "the engine at %s answers %d to %s%s%s", self->socket, result->status,
        what, *words ? ": " : "", words);
}

static void names_answered(void *arg, const struct http_result *result)
{
    struct docker *self = arg;
    struct buf names;
    self->names_request = NULL;
    buf_init(&names, 300);
    if (check_answer(self, "/containers/json", result, NULL) == 0)
        docker_names_parse(&names, result->body.data, result->body.size);
    free(self->names);
    self->names = xstrdup(names.data);
    buf_free(&names);
    for (size_t i = 0; i < self->setup.app_count; i++)
        self->apps[i].look_ms = 0;
}

/* Once it is known which there are instead. */
static void say_missing(struct watched *app)
{
    struct docker *self = app->docker;
    app->look_ms = clock_mono_ms() + LOOK_SOON_MS;
    if (self->names)
        error_set(&app->look_problem, "the engine has no container %s (app.container)%s%s",
            app->name, *self->names ? "; it has: " : "", self->names);
    else if (!self->names_request)
        self->names_request = ask(
            self, "http://docker/containers/json?limit=10", names_answered, self);
}

static void looked(void *arg, const struct http_result *result)
{
    struct watched *app = arg;
    struct error *err = &app->look_problem;
    app->look_request = NULL;
    if (result->outcome == HTTP_ANSWERED && result->status == 404) {
        app->docker->answers = true;
        say_missing(app);
        return;
    }
    if (check_answer(app->docker, "/containers/.../json", result, err) < 0)
        return;
    struct ecs_task *task = xcalloc(1, sizeof *task);
    if (docker_container_parse(task, &app->own_network, result->body.data, result->body.size,
            !app->docker->podman, err) < 0) {
        error_prefix(err, "the engine's container %s", app->name);
        ecs_task_free(task);
        free(task);
        return;
    }
    err->text[0] = '\0';
    if (app->arrived)
        ecs_task_free(app->arrived);
    free(app->arrived);
    app->arrived = task;
}

static void sampled(void *arg, const struct http_result *result)
{
    struct watched *app = arg;
    struct docker *self = app->docker;
    struct ecs_stats stats;
    struct measures measures;
    struct error *err = &app->sample_problem;
    app->sample_request = NULL;
    bool empty = result->outcome == HTTP_ANSWERED && result->status == 200 && !result->body.size;
    if (empty || (result->outcome == HTTP_ANSWERED && result->status != 200))
        app->look_ms = 0; /* it may have ended */
    if (empty)
        return;
    if (check_answer(self, "/containers/.../stats", result, err) < 0)
        return;
    if (ecs_sample_parse(&stats, result->body.data, result->body.size, err) < 0) {
        error_prefix(err, "the engine's sample of %s", app->name);
        return;
    }
    err->text[0] = '\0';
    app->no_parts = isnan(stats.working_set_bytes);
    stats.has_net = stats.has_net && app->own_network;
    if (!ecs_app_measure(&app->state, &stats, &self->machine, &measures))
        return;
    app->sampled_ms = app->asked_ms;
    if (measured_series_push(&app->series, app->asked_ms, &measures) && self->setup.sampled)
        self->setup.sampled(self->setup.arg);
}

static int on_events(void *arg, const void *data, size_t size)
{
    struct watched *app = arg;
    app->events_refused = false;
    app->events.kills_said = !app->docker->podman;
    if (docker_events_take(&app->events, data, size))
        app->look_ms = 0;
    return 0;
}

static void events_ended(void *arg, const struct http_result *result)
{
    struct watched *app = arg;
    app->events_refused = result->outcome == HTTP_ANSWERED && result->status != 200;
    app->events_request = NULL;
    docker_events_end(&app->events);
}

static void follow_events(struct watched *app, int64_t now_ms)
{
    struct docker *self = app->docker;
    if (app->events_request || now_ms < app->events_ms || !self->answers)
        return;
    char *url = xasprintf(
        "http://docker/events?filters=%%7B%%22container%%22%%3A%%5B%%22%s%%22%%5D%%7D", app->name);
    const struct http_options options = {.url = url,
        .unix_socket = self->socket,
        .upload_fd = -1,
        .own_connection = true,
        .timeout_ms = DAY_MS,
        .max_answer_bytes = INT64_MAX,
        .on_data = on_events,
        .done = events_ended,
        .arg = app};
    app->events_request = http_start(self->setup.loop, &options);
    app->events_ms = now_ms + EVENTS_MS;
    free(url);
}

/* A new look at the app's container, or news of it. */
static void adopt(struct watched *app, int64_t now_ms)
{
    uint64_t kills = app->state.oom_kills, restarts = app->state.restarts;
    bool first = !app->known;
    if (app->arrived) {
        ecs_task_free(&app->task);
        app->task = *app->arrived;
        free(app->arrived);
        app->arrived = NULL;
        app->known = true;
        app->sample_problem.text[0] = '\0';
        ecs_app_update(&app->state, &app->task, &app->task.containers[0]);
        if (app->events_request && !app->events_refused) /* which tells of the same kills */
            app->state.oom_kills = kills;
    }
    app->state.oom_kills += app->events.oom_kills - app->kills_taken;
    app->kills_taken = app->events.oom_kills;
    if (first && app->known)
        app->sampled_ms = now_ms;
    if (!first && (app->state.oom_kills != kills || app->state.restarts != restarts))
        ecs_app_push_counts(&app->state, &app->series, now_ms);
}

static void ask_what_is_due(struct watched *app, int64_t now_ms)
{
    struct docker *self = app->docker;
    char *url = NULL;
    if (now_ms >= app->look_ms && !app->look_request) {
        url = xasprintf("http://docker/containers/%s/json", app->name);
        app->look_ms = now_ms + LOOK_MS;
        app->look_request = ask(self, url, looked, app);
        free(url);
    }
    follow_events(app, now_ms);
    if (!app->known || app->state.ended || app->sample_request)
        return;
    url = xasprintf("http://docker/containers/%s/stats?stream=false&one-shot=true", app->name);
    app->asked_ms = now_ms;
    app->sample_request = ask(self, url, sampled, app);
    free(url);
}

static int app_status(const struct watched *app, int64_t now_ms, struct error *err)
{
    int64_t silence_ms = 3 * app->docker->setup.interval_ms;
    silence_ms = silence_ms > SILENCE_MS ? silence_ms : SILENCE_MS;
    if (app->look_problem.text[0])
        return error_set(err, "%s", app->look_problem.text);
    if (app->known && app->state.ended)
        return error_set(err, "the container %s does not run", app->name);
    if (app->sample_problem.text[0])
        return error_set(err, "%s", app->sample_problem.text);
    if (app->known && now_ms - app->sampled_ms > silence_ms)
        return error_set(err, "the engine has had no new sample of the container %s for %lld s",
            app->name, (long long)silence_ms / 1000);
    return 0;
}

static int docker_sample(void *arg, int64_t now_ms, struct error *err)
{
    struct docker *self = arg;
    int status = 0;
    for (size_t i = 0; i < self->setup.app_count; i++) {
        struct watched *app = &self->apps[i];
        adopt(app, now_ms);
        ask_what_is_due(app, now_ms);
        if (app_status(app, now_ms, status < 0 ? NULL : err) < 0)
            status = -1;
    }
    return status;
}

static int docker_check_container(const char *name, struct error *err)
{
    if (!name)
        return error_set(err, "is missing (the source docker needs the container's name or id)");
    if (!docker_name_is_valid(name))
        return error_set(err, "%.100s is no name or id of a container", name);
    return 0;
}

static int check_apps(const struct source_setup *setup, struct error *err)
{
    return source_check_apps(setup, docker_check_container, "the container's name or id", err);
}

static bool docker_present(const struct source_setup *setup, struct error *why)
{
    char *path = check_apps(setup, why) < 0 ? NULL : docker_socket_path(why);
    bool present = path && docker_socket_check(path, why) == 0;
    free(path);
    return present;
}

static void *docker_open(const struct source_setup *setup, struct error *err)
{
    char *path = check_apps(setup, err) < 0 ? NULL : docker_socket_path(err);
    if (!path)
        return NULL;
    struct docker *self = xcalloc(1, sizeof *self);
    self->setup = *setup;
    self->socket = path;
    const char *root = strcmp(setup->root, "/") ? setup->root : "";
    self->machine = (struct ecs_machine){
        cgroup_machine_cpus(root), cgroup_machine_memory_bytes(root)};
    self->apps = xcalloc(setup->app_count, sizeof *self->apps);
    for (size_t i = 0; i < setup->app_count; i++) {
        struct watched *app = &self->apps[i];
        app->docker = self;
        app->name = xstrdup(setup->apps[i].container);
        measured_series_init(&app->series, setup->series, setup->apps[i].prefix);
    }
    return self;
}

static void close_app(struct watched *app)
{
    http_cancel(app->look_request);
    http_cancel(app->sample_request);
    http_cancel(app->events_request);
    docker_events_end(&app->events);
    ecs_app_free(&app->state);
    ecs_task_free(&app->task);
    if (app->arrived)
        ecs_task_free(app->arrived);
    free(app->arrived);
    free(app->name);
}

static void docker_close(void *arg)
{
    struct docker *self = arg;
    http_cancel(self->names_request);
    for (size_t i = 0; i < self->setup.app_count; i++)
        close_app(&self->apps[i]);
    free(self->names);
    free(self->apps);
    free(self->socket);
    free(self);
}

static void docker_identify(void *arg, size_t index, struct source_identity *identity)
{
    const struct docker *self = arg;
    const struct watched *app = &self->apps[index];
    *identity = (struct source_identity){.container = app->name};
    if (app->known)
        ecs_app_identify(&app->task.containers[0], identity);
}

static void docker_life(void *arg, size_t index, struct source_life *life)
{
    const struct docker *self = arg;
    const struct watched *app = &self->apps[index];
    ecs_app_life(&app->state, !app->known, life);
    if (app->events.ends && life->exit_code < 0)
        life->exit_code = app->events.exit_code;
}

static void docker_look_again(void *arg)
{
    struct docker *self = arg;
    for (size_t i = 0; i < self->setup.app_count; i++)
        self->apps[i].look_ms = 0;
}

static void describe_app(const struct docker *self, const struct watched *app,
    void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct ecs_app *state = &app->state;
    char *sentence;
    ecs_app_describe(state, &self->machine, app->name,
        isnan(state->cores_limit) ? "the online CPUs" : "the container's limit",
        isnan(state->memory_limit) ? "the machine's memory" : "the container's limit", say, arg);
    if (app->no_parts) {
        sentence = xasprintf("%s: memory is not measured: %s does not say how much of it is file "
                             "cache; use source: process or source: cgroup to have it",
            app->name, self->podman ? "Podman" : "the engine");
        say(arg, sentence);
        free(sentence);
    }
    if (!app->own_network) {
        sentence = xasprintf("%s: net.* is not measured: the container has no network of its own; "
                             "source: process measures the one that it is in",
            app->name);
        say(arg, sentence);
        free(sentence);
    }
    if (app->events_refused) {
        sentence = xasprintf(
            "%s: the engine does not let its events be followed, so a kill that is "
            "followed by a restart at once may be missed",
            app->name);
        say(arg, sentence);
        free(sentence);
    }
}

static void docker_describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct docker *self = arg;
    for (size_t i = 0; i < self->setup.app_count; i++)
        if (self->apps[i].known)
            describe_app(self, &self->apps[i], say, say_arg);
    if (self->podman)
        say(say_arg,
            "oom_kills counts ends with status 137 that nobody asked Podman for, which a kill "
            "past it and a stop that had to kill show, too");
    say(say_arg,
        "cpu.pressure, memory.pressure and io.pressure are not measured: the engine does not "
        "tell them; source: process or source: cgroup has them");
}

const struct source_kind source_docker = {
    .kind = {.name = "docker",
        .help = "the Docker Engine API over its socket, Podman's, too",
        .check_container = docker_check_container},
    .present = docker_present,
    .open = docker_open,
    .sample = docker_sample,
    .identify = docker_identify,
    .life = docker_life,
    .look_again = docker_look_again,
    .describe = docker_describe,
    .close = docker_close,
};
