/* Measures processes by /proc, where the app's PID namespace is shared: by name or pid, with all
 * that descend from them; limits, throttling and kills by their cgroups, as far as these can be
 * seen. */
#include "sources/process/process_cgroup.h"
#include "sources/process/process_scan.h"
#include "sources/process/process_tree.h"
#include "sources/source.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/descriptors.h"
#include "core/error.h"
#include "core/log.h"
#include "core/metric.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    REFRESH_MS = 10000,
    SEARCH_MS = 1000,
    MOST_OF_TIME = 100 /* searching takes at most one of so many ms */
};

struct watched {
    char *name; /* or pid */
    struct measured_series series;
    struct process_tree tree;
    struct process_cgroup cgroup;
    struct process_seen process; /* the newest that was watched; pid 0: none yet */
    int64_t started_wall_ms;
    uint64_t starts;
    int net_fd; /* -1: not open */
    struct counter cpu, received, sent;
    int64_t refresh_ms, search_ms;
    bool said_left_out;   /* that not all of its processes are counted */
    struct error problem; /* of the last search */
};

struct process_source {
    char *root; /* "" for / */
    struct watched *apps;
    size_t app_count;
};

static void close_net(struct watched *app)
{
    if (app->net_fd >= 0)
        close(app->net_fd);
    app->net_fd = -1;
    app->received = app->sent = (struct counter){0};
}

/* The counters of its network namespace, which an open file keeps only while it runs. */
static void open_net(struct watched *app, const char *root)
{
    close_net(app);
    char *path = xasprintf("%s/proc/%lu/net/dev", root, app->process.pid);
    app->net_fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
}

/* Of one that was found once. */
static int has_ended(struct watched *app)
{
    return error_set(&app->problem,
        process_pid_parse(app->name)
            ? "the process %s has ended: set app.container to the program's name instead of a pid, "
              "so that what runs next is found"
            : "the process %s has ended: the next one of that name is watched",
        app->name);
}

/* A pid that was given is that of one process: when it has ended, another may have its number. */
static int search(struct watched *app, const char *root, struct process_seen *found)
{
    bool seen = app->process.pid, one = seen && process_pid_parse(app->name);
    enum process_choice choice = process_find(found, root, app->name, &app->problem);
    if (choice == PROCESS_NONE && descriptors_are_out(&app->problem))
        return -1;
    if ((choice == PROCESS_NONE && seen) ||
        (choice == PROCESS_FOUND && one && found->started_ticks != app->process.started_ticks))
        return has_ended(app);
    return choice == PROCESS_FOUND ? 0 : -1;
}

static int find(struct watched *app, const char *root, int64_t now_ms)
{
    struct process_seen found;
    if (now_ms < app->search_ms)
        return -1;
    int64_t began_ms = clock_mono_ms();
    int status = search(app, root, &found);
    int64_t pause_ms = (clock_mono_ms() - began_ms) * MOST_OF_TIME;
    app->search_ms = now_ms + (pause_ms > SEARCH_MS ? pause_ms : SEARCH_MS);
    if (status < 0)
        return -1;
    if (!process_tree_open(&app->tree, root, &found))
        return descriptors_are_out(&app->problem) ? -1 : has_ended(app);
    app->said_left_out = false;
    app->process = found;
    app->started_wall_ms = process_started_wall_ms(found.started_ticks);
    app->starts++;
    app->search_ms = app->refresh_ms = 0;
    app->cpu = (struct counter){0};
    open_net(app, root);
    return 0;
}

static void measure_net(struct watched *app, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t received, sent;
    ssize_t size = app->net_fd < 0 ? -1 : pread(app->net_fd, text, sizeof text, 0);
    int64_t at_ns = clock_mono_ns();
    if (size <= 0 || !cgroup_parse_net_dev(text, (size_t)size, &received, &sent))
        return;
    measures->value[MEASURED_NET_RECEIVED] = counter_rate(&app->received, received, at_ns);
    measures->value[MEASURED_NET_SENT] = counter_rate(&app->sent, sent, at_ns);
}

static void measure(
    struct watched *app, const struct process_usage *usage, struct measures *measures)
{
    const struct cgroup_limits *limits = &app->cgroup.limits;
    double cores = counter_rate(&app->cpu, usage->cpu_ns, clock_mono_ns()) / 1e9;
    measures->value[MEASURED_CPU_CORES] = cores;
    measures->value[MEASURED_CPU] = 100 * cores / limits->cores;
    measures->value[MEASURED_MEMORY_BYTES] = (double)usage->memory_bytes;
    measures->value[MEASURED_MEMORY] = 100 * (double)usage->memory_bytes / limits->memory_bytes;
    measures->value[MEASURED_MEMORY_RSS] = (double)usage->anonymous_bytes;
    measure_net(app, measures);
}

/* Once for each process that is the app. */
static void say_what_is_left_out(struct watched *app)
{
    const struct process_tree *tree = &app->tree;
    if (app->said_left_out || !(tree->full || tree->scarce))
        return;
    app->said_left_out = true;
    if (tree->scarce)
        log_warn("source process: of the processes of %s those beyond %zu are not counted, as %llu "
                 "files may be open: %s",
            app->name, tree->count, (unsigned long long)descriptors_limit(), descriptors_remedy);
    else
        log_warn("source process: %s has more than %d processes: those beyond are not counted",
            app->name, PROCESS_TREE_MAX);
}

/* What its cgroup says is read once more: was it killed? */
static void note_end(struct watched *app, struct measures *measures)
{
    process_cgroup_measure(&app->cgroup, measures);
    process_tree_close(&app->tree);
    close_net(app);
}

static void refresh(struct watched *app, const char *root, int64_t now_ms)
{
    if (now_ms < app->refresh_ms)
        return;
    process_cgroup_look(&app->cgroup, root, app->process.pid);
    app->refresh_ms = now_ms + REFRESH_MS;
}

/* Twice, as another one may run already when one has ended. */
static int sample_app(struct watched *app, const char *root, int64_t now_ms, struct error *err)
{
    struct measures measures;
    struct process_usage usage;
    measures_clear(&measures);
    bool measured = false;
    for (int attempt = 0; attempt < 2 && !measured; attempt++) {
        if (!process_tree_is_open(&app->tree) && find(app, root, now_ms) < 0)
            break;
        refresh(app, root, now_ms);
        measured = process_tree_read(&app->tree, now_ms, &usage);
        if (!measured)
            note_end(app, &measures);
    }
    if (measured) {
        say_what_is_left_out(app);
        measure(app, &usage, &measures);
        process_cgroup_measure(&app->cgroup, &measures);
    }
    if (app->starts)
        measures.value[MEASURED_RESTARTS] = (double)(app->starts - 1);
    measured_series_push(&app->series, now_ms, &measures);
    return measured ? 0 : error_set(err, "%s", app->problem.text);
}

static int process_sample(void *arg, int64_t now_ms, struct error *err)
{
    struct process_source *self = arg;
    int status = 0;
    for (size_t i = 0; i < self->app_count; i++)
        if (sample_app(&self->apps[i], self->root, now_ms, status < 0 ? NULL : err) < 0)
            status = -1;
    return status;
}

static void process_close(void *arg)
{
    struct process_source *self = arg;
    for (size_t i = 0; i < self->app_count; i++) {
        struct watched *app = &self->apps[i];
        process_tree_close(&app->tree);
        process_cgroup_free(&app->cgroup);
        close_net(app);
        free(app->name);
    }
    free(self->apps);
    free(self->root);
    free(self);
}

static int process_check_container(const char *name, struct error *err)
{
    if (!name)
        return error_set(
            err, "is missing (the source process needs the name or pid of the app's process)");
    if (!*name || strchr(name, '/'))
        return error_set(
            err, "%.100s is no name of a process: leave out its folder", *name ? name : "\"\"");
    return 0;
}

static int check_apps(const struct source_setup *setup, struct error *err)
{
    return source_check_apps(
        setup, process_check_container, "the name or pid of the app's process", err);
}

static bool process_present(const struct source_setup *setup, struct error *why)
{
    return check_apps(setup, why) == 0;
}

static void *process_open(const struct source_setup *setup, struct error *err)
{
    if (check_apps(setup, err) < 0)
        return NULL;
    struct process_source *self = xcalloc(1, sizeof *self);
    self->root = xstrdup(strcmp(setup->root, "/") ? setup->root : "");
    self->apps = xcalloc(setup->app_count, sizeof *self->apps);
    self->app_count = setup->app_count;
    for (size_t i = 0; i < setup->app_count; i++) {
        struct watched *app = &self->apps[i];
        app->name = xstrdup(setup->apps[i].container);
        app->net_fd = -1;
        process_cgroup_init(&app->cgroup);
        measured_series_init(&app->series, setup->series, setup->apps[i].prefix);
    }
    return self;
}

static void process_identify(void *arg, size_t index, struct source_identity *identity)
{
    const struct process_source *self = arg;
    const struct watched *app = &self->apps[index];
    *identity = (struct source_identity){
        .container = app->name, .started_wall_ms = app->started_wall_ms};
}

static void process_life(void *arg, size_t index, struct source_life *life)
{
    const struct process_source *self = arg;
    const struct watched *app = &self->apps[index];
    *life = (struct source_life){.known = app->starts > 0,
        .gone = !process_tree_is_open(&app->tree),
        .starts = app->starts,
        .oom_kills = process_cgroup_kills(&app->cgroup),
        .exit_code = -1};
}

static void describe_app(
    const struct watched *app, void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct process_cgroup *cgroup = &app->cgroup;
    const struct cgroup_limits *limits = &cgroup->limits;
    char size[VALUE_TEXT_SIZE], cores[VALUE_TEXT_SIZE], since[RFC3339_SIZE];
    metric_format(UNIT_BYTES, limits->memory_bytes, size);
    rfc3339_format(app->started_wall_ms, since);
    char *sentence = xasprintf(
        "%s is the process %lu, which runs since %s, with its descendants: cpu is a share of %s "
        "(%s), memory of %s (%s)",
        app->name, app->process.pid, since, metric_format_level(UNIT_CORES, limits->cores, cores),
        limits->quota_folder ? "its cgroup's quota" : "the online CPUs", size,
        limits->memory_folder ? "its cgroup's limit" : "the machine's memory");
    say(arg, sentence);
    free(sentence);
    if (!cgroup->through_process) {
        sentence = xasprintf(
            "%s: its own view of its cgroup cannot be read, so limits may be missing and oom_kills "
            "may be a gap: run stakeout as the same user, or with CAP_SYS_PTRACE",
            app->name);
        say(arg, sentence);
        free(sentence);
    }
    if (!pressure_is_open(&cgroup->pressure)) {
        sentence = xasprintf("%s: %s", app->name, pressure_remedy);
        say(arg, sentence);
        free(sentence);
    }
}

static void process_describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct process_source *self = arg;
    for (size_t i = 0; i < self->app_count; i++)
        if (process_tree_is_open(&self->apps[i].tree))
            describe_app(&self->apps[i], say, say_arg);
    say(say_arg,
        "net.* counts all traffic of the process's network namespace, that of others in it, "
        "too");
}

const struct source_kind source_process = {
    .kind = {.name = "process",
        .help = "a process by name or pid and its descendants, where its PID namespace is shared",
        .check_container = process_check_container},
    .present = process_present,
    .open = process_open,
    .sample = process_sample,
    .identify = process_identify,
    .life = process_life,
    .describe = process_describe,
    .close = process_close,
};
