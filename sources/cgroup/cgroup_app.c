#include "sources/cgroup/cgroup_app.h"

#include "core/alloc.h"
#include "core/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    REFRESH_MS = 10000,
    ALERT = 10, /* measurings */
    RETRY_MS =
        1000 /* while a part of the cgroup or the app is missing: it may be about to be made */
};

/* Reads a kept file from its start: its size, -1 when that cannot be. */
static ssize_t read_kept(
    const struct cgroup_app *app, enum cgroup_kept kept, char text[CGROUP_FILE_MAX])
{
    return app->fds[kept] < 0 ? -1 : pread(app->fds[kept], text, CGROUP_FILE_MAX, 0);
}

static void close_kept(struct cgroup_app *app, enum cgroup_kept kept)
{
    if (app->fds[kept] >= 0)
        close(app->fds[kept]);
    app->fds[kept] = -1;
}

static void open_kept(
    struct cgroup_app *app, enum cgroup_kept kept, const char *folder, const char *name)
{
    close_kept(app, kept);
    char *path = xasprintf("%s/%s", folder, name);
    app->fds[kept] = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
}

/* In v2 one file has both the CPU time and the periods of the cgroup's own quota. */
static bool throttle_in_usage(const struct cgroup_app *app)
{
    const char *quota = app->limits.quota_folder;
    const struct cgroup_place *usage = &app->places[CGROUP_CPUACCT];
    return quota && usage->v2 && usage->folder && !strcmp(quota, usage->folder);
}

static void refresh_limits(struct cgroup_app *app, const char *root)
{
    const struct cgroup_place *cpu = &app->places[CGROUP_CPU];
    struct cgroup_limits *limits = &app->limits;
    if (!cgroup_limits_read(limits, root, cpu, &app->places[CGROUP_MEMORY]))
        return;
    /* Periods are counted where the quota is. */
    app->throttle = (struct throttle){0};
    if (limits->quota_folder && !throttle_in_usage(app))
        open_kept(app, KEPT_THROTTLE, limits->quota_folder, "cpu.stat");
    else
        close_kept(app, KEPT_THROTTLE);
}

/* In version 2 the processes may be in cgroups below it. */
static bool is_populated_below(const struct cgroup_place *place)
{
    char text[CGROUP_FILE_MAX];
    uint64_t populated;
    cgroup_read_file(place->folder, "cgroup.events", text);
    return place->v2 && cgroup_parse_key(text, strlen(text), "populated", &populated) && populated;
}

/* Looks which processes the cgroup has; every hierarchy lists the same. */
static void look_at_processes(struct cgroup_app *app)
{
    char text[CGROUP_FILE_MAX];
    const struct cgroup_place *place = NULL;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!app->places[i].folder)
            continue;
        place = &app->places[i];
        cgroup_read_file(place->folder, "cgroup.procs", text);
        if (text[0])
            break;
    }
    if (place && !text[0] && is_populated_below(place))
        strcpy(text, "0\n");
    if (place)
        cgroup_procs_update(&app->procs, text);
}

/* When the process began: field 22 of proc(5)'s stat, in clock ticks since boot. 0: unknown. */
static int64_t process_started_ms(const char *process)
{
    char text[CGROUP_FILE_MAX];
    cgroup_read_file(process, "stat", text);
    const char *field = strrchr(text, ')'); /* the name before it may hold anything */
    for (int skipped = 2; field && skipped < 22; skipped++)
        field = strchr(field + 1, ' ');
    if (!field)
        return 0;
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    int64_t started_ms = strtoll(field, NULL, 10) * 1000 / sysconf(_SC_CLK_TCK);
    return clock_wall_ms() - ((int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000 - started_ms);
}

/* The network's counters are those of a process of the cgroup: its network namespace has them.
 * Looked up again now and then, as an open file would keep the namespace of a dead process. */
static void refresh_process(struct cgroup_app *app, const char *root)
{
    look_at_processes(app);
    unsigned long pid = cgroup_procs_first(&app->procs);
    if (!pid) {
        close_kept(app, KEPT_NET);
        app->pid = 0;
        return;
    }
    char *folder = xasprintf("%s/proc/%lu", root, pid);
    open_kept(app, KEPT_NET, folder, "net/dev");
    struct stat info;
    if (app->fds[KEPT_NET] < 0 || fstat(app->fds[KEPT_NET], &info) < 0 ||
        info.st_ino != app->net_inode) {
        app->received = app->sent = (struct counter){0};
        app->net_inode = app->fds[KEPT_NET] < 0 ? 0 : info.st_ino;
    }
    if (pid != app->pid)
        app->started_wall_ms = process_started_ms(folder);
    app->pid = pid;
    free(folder);
}

static void forget_place(struct cgroup_app *app)
{
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        free(app->places[i].folder);
        app->places[i] = (struct cgroup_place){0};
    }
    for (unsigned i = 0; i < KEPT_COUNT; i++)
        close_kept(app, (enum cgroup_kept)i);
    pressure_close(&app->pressure);
    app->usage = app->received = app->sent = (struct counter){0};
    cgroup_limits_free(&app->limits);
    app->refresh_ms = 0;
    app->pid = 0;
    cgroup_procs_clear(&app->procs);
}

bool cgroup_app_is_open(const struct cgroup_app *app)
{
    return app->fds[KEPT_USAGE] >= 0 || app->fds[KEPT_MEMORY] >= 0;
}

/* Looks for the parts of the cgroup that are not known yet and opens their files. True when CPU or
 * memory can be measured. */
static bool find_places(struct cgroup_app *app, const struct cgroup_mounts *mounts)
{
    for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
        if (!app->places[i].folder)
            cgroup_find(&app->places[i], mounts, (enum cgroup_controller)i, app->container);
    const struct cgroup_place *cpu = &app->places[CGROUP_CPUACCT];
    const struct cgroup_place *memory = &app->places[CGROUP_MEMORY];
    if (cpu->folder && app->fds[KEPT_USAGE] < 0)
        open_kept(app, KEPT_USAGE, cpu->folder, cpu->v2 ? "cpu.stat" : "cpuacct.usage");
    if (memory->folder && app->fds[KEPT_MEMORY] < 0) {
        open_kept(app, KEPT_MEMORY, memory->folder,
            memory->v2 ? "memory.current" : "memory.usage_in_bytes");
        open_kept(app, KEPT_MEMORY_STAT, memory->folder, "memory.stat");
        open_kept(
            app, KEPT_OOM, memory->folder, memory->v2 ? "memory.events" : "memory.oom_control");
    }
    return cgroup_app_is_open(app);
}

static void refresh_pressure(struct cgroup_app *app, const struct cgroup_mounts *mounts)
{
    if (pressure_is_open(&app->pressure))
        return;
    char *folder = pressure_find(mounts, app->container);
    if (folder)
        pressure_open(&app->pressure, folder);
    free(folder);
}

static void refresh(
    struct cgroup_app *app, const struct cgroup_mounts *mounts, const char *root, int64_t now_ms)
{
    if (now_ms < app->refresh_ms && !app->alert)
        return;
    app->alert -= app->alert > 0;
    find_places(app, mounts);
    refresh_limits(app, root);
    refresh_pressure(app, mounts);
    refresh_process(app, root);
    bool gone = app->procs.starts && !app->procs.populated;
    bool whole = app->fds[KEPT_USAGE] >= 0 && app->fds[KEPT_MEMORY] >= 0 && !gone;
    app->refresh_ms = now_ms + (whole ? REFRESH_MS : RETRY_MS);
}

static void set_throttled(
    struct cgroup_app *app, const char *text, size_t size, struct measures *measures)
{
    uint64_t periods, throttled;
    if (cgroup_parse_key(text, size, "nr_periods", &periods) &&
        cgroup_parse_key(text, size, "nr_throttled", &throttled))
        measures->value[MEASURED_CPU_THROTTLED] = throttle_share(
            &app->throttle, periods, throttled);
}

/* -1 when the file cannot be read, which is how a removed cgroup shows: ENODEV. */
static int measure_cpu(struct cgroup_app *app, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t used;
    ssize_t size = read_kept(app, KEPT_USAGE, text);
    int64_t at_ns = clock_mono_ns();
    if (size < 0)
        return -1;
    bool v2 = app->places[CGROUP_CPUACCT].v2;
    bool found = v2 ? cgroup_parse_key(text, (size_t)size, "usage_usec", &used)
                    : cgroup_parse_number(text, (size_t)size, &used);
    if (found) {
        double per_second = counter_rate(&app->usage, used, at_ns);
        double cores = per_second / (v2 ? 1e6 : 1e9);
        measures->value[MEASURED_CPU_CORES] = cores;
        measures->value[MEASURED_CPU] = 100 * cores / app->limits.cores;
    }
    if (!throttle_in_usage(app))
        size = read_kept(app, KEPT_THROTTLE, text);
    if (size > 0)
        set_throttled(app, text, (size_t)size, measures);
    return 0;
}

static int measure_memory(struct cgroup_app *app, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t used, inactive, anonymous, kills;
    bool v2 = app->places[CGROUP_MEMORY].v2;
    ssize_t size = read_kept(app, KEPT_MEMORY, text);
    if (size < 0)
        return -1;
    bool known = cgroup_parse_number(text, (size_t)size, &used);
    size = read_kept(app, KEPT_MEMORY_STAT, text);
    size_t length = size > 0 ? (size_t)size : 0;
    if (cgroup_parse_key(text, length, v2 ? "anon" : "total_rss", &anonymous))
        measures->value[MEASURED_MEMORY_RSS] = (double)anonymous;
    if (known &&
        cgroup_parse_key(text, length, v2 ? "inactive_file" : "total_inactive_file", &inactive)) {
        /* They are read one after the other, so the part may be larger than the whole. */
        double working_set = used > inactive ? (double)(used - inactive) : 0;
        measures->value[MEASURED_MEMORY_BYTES] = working_set;
        measures->value[MEASURED_MEMORY] = 100 * working_set / app->limits.memory_bytes;
    }
    size = read_kept(app, KEPT_OOM, text);
    if (size > 0 && cgroup_parse_key(text, (size_t)size, "oom_kill", &kills)) {
        if (kills > app->oom_kills) { /* was it the app's end? */
            look_at_processes(app);
            cgroup_app_look_again(app);
        }
        app->oom_kills = kills;
        measures->value[MEASURED_OOM_KILLS] = (double)(app->oom_kills_before + kills);
    }
    return 0;
}

static void measure_net(struct cgroup_app *app, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t received, sent;
    ssize_t size = read_kept(app, KEPT_NET, text);
    int64_t at_ns = clock_mono_ns();
    if (size <= 0 || !cgroup_parse_net_dev(text, (size_t)size, &received, &sent))
        return;
    measures->value[MEASURED_NET_RECEIVED] = counter_rate(&app->received, received, at_ns);
    measures->value[MEASURED_NET_SENT] = counter_rate(&app->sent, sent, at_ns);
}

/* A cgroup that was made anew under its name is a restarted container. Every hierarchy has inodes
 * of its own, and they are made anew one after the other. */
static void note_restart(struct cgroup_app *app)
{
    static const enum cgroup_kept told_by[] = {KEPT_USAGE, KEPT_MEMORY};
    ino_t inodes[2] = {0};
    bool restarted = false;
    for (int i = 0; i < 2; i++) {
        struct stat info;
        int fd = app->fds[told_by[i]];
        if (fd >= 0 && fstat(fd, &info) == 0)
            inodes[i] = info.st_ino;
        restarted = restarted || (app->inodes[i] && inodes[i] && app->inodes[i] != inodes[i]);
    }
    for (int i = 0; i < 2; i++)
        if (inodes[i] || restarted)
            app->inodes[i] = inodes[i];
    if (!restarted)
        return;
    app->restarts++;
    app->oom_kills_before += app->oom_kills;
    app->oom_kills = 0;
}

void cgroup_app_init(struct cgroup_app *app, const char *container)
{
    *app = (struct cgroup_app){.container = xstrdup(container)};
    for (int i = 0; i < KEPT_COUNT; i++)
        app->fds[i] = -1;
    pressure_init(&app->pressure);
}

void cgroup_app_free(struct cgroup_app *app)
{
    forget_place(app);
    free(app->container);
}

bool cgroup_app_find(struct cgroup_app *app, const struct cgroup_mounts *mounts)
{
    if (!find_places(app, mounts))
        return false;
    note_restart(app);
    return true;
}

bool cgroup_app_measure(struct cgroup_app *app, const struct cgroup_mounts *mounts,
    const char *root, int64_t now_ms, struct measures *measures)
{
    refresh(app, mounts, root, now_ms);
    measures_clear(measures);
    bool cpu = measure_cpu(app, measures) == 0;
    bool memory = measure_memory(app, measures) == 0;
    /* Also when only one part of it is gone: the rest is about to follow. */
    if ((!cpu && app->fds[KEPT_USAGE] >= 0) || (!memory && app->fds[KEPT_MEMORY] >= 0)) {
        forget_place(app);
        return false;
    }
    measure_net(app, measures);
    pressure_measure(&app->pressure, measures);
    measures->value[MEASURED_RESTARTS] = (double)app->restarts;
    return true;
}

void cgroup_app_look_again(struct cgroup_app *app)
{
    app->alert = ALERT;
}

uint64_t cgroup_app_kills(const struct cgroup_app *app)
{
    return app->oom_kills_before + app->oom_kills;
}
