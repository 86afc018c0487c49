#include "sources/process/process_cgroup.h"

#include "core/alloc.h"
#include "core/fs.h"
#include "sources/process/process_stat.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CGROUP_TEXT = 1 << 16 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void forget_places(struct process_cgroup *cgroup)
{
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        free(cgroup->places[i].folder);
        cgroup->places[i] = (struct cgroup_place){0};
    }
}

void process_cgroup_init(struct process_cgroup *cgroup)
{
    *cgroup = (struct process_cgroup){.throttle_fd = -1, .oom_fd = -1};
    pressure_init(&cgroup->pressure);
}

void process_cgroup_free(struct process_cgroup *cgroup)
{
    forget_places(cgroup);
    cgroup_limits_free(&cgroup->limits);
    close_fd(&cgroup->throttle_fd);
    close_fd(&cgroup->oom_fd);
    pressure_close(&cgroup->pressure);
    free(cgroup->text);
}

const char *process_cgroup_below(const char *cgroup, const char *top)
{
    size_t length = strlen(top);
    while (length > 0 && top[length - 1] == '/')
        length--;
    if (strncmp(cgroup, top, length) != 0 || (cgroup[length] && cgroup[length] != '/'))
        return NULL;
    const char *below = cgroup + length;
    for (const char *part = below; (part = strstr(part, "/..")); part += 3)
        if (!part[3] || part[3] == '/') /* outside of the agent's cgroup namespace */
            return NULL;
    return strcmp(below, "/") ? below : "";
}

/* The folder of a process's cgroup below this mount, to be freed; NULL when it is not there. */
static char *folder_below(
    const struct cgroup_mount *mount, const char *text, size_t size, const char *needed)
{
    char *cgroup = cgroup_parse_path(text, size, mount), *folder = NULL;
    const char *below = cgroup ? process_cgroup_below(cgroup, mount->top) : NULL;
    if (below) {
        folder = xasprintf("%s%s", mount->path, below);
        char *file = xasprintf("%s/%s", folder, needed);
        if (!fs_exists(file)) {
            free(folder);
            folder = NULL;
        }
        free(file);
    }
    free(cgroup);
    return folder;
}

/* True when any was found. */
static bool find_places(struct process_cgroup *cgroup, const struct cgroup_mounts *mounts,
    const char *text, size_t size)
{
    bool any = false;
    for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
        for (size_t j = 0; j < mounts->count && !cgroup->places[i].folder; j++) {
            if (!cgroup_mount_has(mounts, j, (enum cgroup_controller)i))
                continue;
            const struct cgroup_mount *mount = &mounts->all[j];
            char *folder = folder_below(mount, text, size, "cgroup.procs");
            if (folder)
                cgroup->places[i] = (struct cgroup_place){folder, strlen(mount->path), mount->v2};
        }
        any = any || cgroup->places[i].folder;
    }
    return any;
}

/* Only the root of all cgroups lacks cgroup.events: its pressure is everybody's. */
static void find_pressure(struct process_cgroup *cgroup, const struct cgroup_mounts *mounts,
    const char *text, size_t size)
{
    for (size_t i = 0; i < mounts->count && !pressure_is_open(&cgroup->pressure); i++) {
        if (!mounts->all[i].v2)
            continue;
        char *folder = folder_below(&mounts->all[i], text, size, "cgroup.events");
        if (folder)
            pressure_open(&cgroup->pressure, folder);
        free(folder);
    }
}

/* Kills in the root of all cgroups of version 1 are everybody's; that of version 2 counts none. */
static bool is_everybody(const struct cgroup_place *memory, const char *text, size_t size)
{
    const struct cgroup_mount mount = {.controllers = 1u << CGROUP_MEMORY};
    if (memory->v2)
        return false;
    char *cgroup = cgroup_parse_path(text, size, &mount);
    bool everybody = !cgroup || !strcmp(cgroup, "/");
    free(cgroup);
    return everybody;
}

static void open_in(int *fd, const char *folder, const char *name)
{
    close_fd(fd);
    char *path = xasprintf("%s/%s", folder, name);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
}

/* Kills are counted on where a new process is in the same cgroup as the last one. */
static void open_kills(struct process_cgroup *cgroup, const char *text, size_t size)
{
    const struct cgroup_place *memory = &cgroup->places[CGROUP_MEMORY];
    struct stat info;
    close_fd(&cgroup->oom_fd);
    if (!memory->folder || is_everybody(memory, text, size))
        return;
    open_in(&cgroup->oom_fd, memory->folder, memory->v2 ? "memory.events" : "memory.oom_control");
    if (cgroup->oom_fd < 0 || fstat(cgroup->oom_fd, &info) < 0)
        return;
    if (cgroup->oom_inode && cgroup->oom_inode != info.st_ino) {
        cgroup->kills_before += cgroup->kills;
        cgroup->kills = 0;
    }
    cgroup->oom_inode = info.st_ino;
}

static void read_limits(struct process_cgroup *cgroup, const char *root)
{
    struct cgroup_limits *limits = &cgroup->limits;
    if (!cgroup_limits_read(
            limits, root, &cgroup->places[CGROUP_CPU], &cgroup->places[CGROUP_MEMORY]))
        return;
    /* Periods are counted where the quota is. */
    cgroup->throttle = (struct throttle){0};
    close_fd(&cgroup->throttle_fd);
    if (limits->quota_folder)
        open_in(&cgroup->throttle_fd, limits->quota_folder, "cpu.stat");
}

static void find_all(
    struct process_cgroup *cgroup, const char *root, unsigned long pid, const struct buf *text)
{
    struct cgroup_mounts theirs, ours;
    cgroup_mounts_read_of(&theirs, root, pid);
    cgroup_mounts_read(&ours, root);
    forget_places(cgroup);
    cgroup_limits_free(&cgroup->limits);
    close_fd(&cgroup->throttle_fd);
    pressure_close(&cgroup->pressure);
    cgroup->through_process = find_places(cgroup, &theirs, text->data, text->size);
    if (!cgroup->through_process)
        find_places(cgroup, &ours, text->data, text->size);
    find_pressure(cgroup, &theirs, text->data, text->size);
    find_pressure(cgroup, &ours, text->data, text->size);
    open_kills(cgroup, text->data, text->size);
    cgroup_mounts_free(&theirs);
    cgroup_mounts_free(&ours);
}

void process_cgroup_look(struct process_cgroup *cgroup, const char *root, unsigned long pid)
{
    struct buf text;
    char *path = xasprintf("%s/proc/%lu/cgroup", root, pid);
    fs_read(path, MAX_CGROUP_TEXT, &text, NULL);
    if (pid != cgroup->pid || !cgroup->text || strcmp(text.data, cgroup->text) != 0) {
        find_all(cgroup, root, pid, &text);
        free(cgroup->text);
        cgroup->text = xstrdup(text.data);
        cgroup->pid = pid;
    }
    read_limits(cgroup, root);
    buf_free(&text);
    free(path);
}

static void measure_throttling(struct process_cgroup *cgroup, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t periods, throttled;
    ssize_t size = cgroup->throttle_fd < 0 ? -1 : pread(cgroup->throttle_fd, text, sizeof text, 0);
    if (size > 0 && cgroup_parse_key(text, (size_t)size, "nr_periods", &periods) &&
        cgroup_parse_key(text, (size_t)size, "nr_throttled", &throttled))
        measures->value[MEASURED_CPU_THROTTLED] = throttle_share(
            &cgroup->throttle, periods, throttled);
}

static void measure_kills(struct process_cgroup *cgroup, struct measures *measures)
{
    char text[CGROUP_FILE_MAX];
    uint64_t kills;
    ssize_t size = cgroup->oom_fd < 0 ? -1 : pread(cgroup->oom_fd, text, sizeof text, 0);
    if (size > 0 && cgroup_parse_key(text, (size_t)size, "oom_kill", &kills))
        cgroup->kills = kills;
    if (cgroup->oom_inode)
        measures->value[MEASURED_OOM_KILLS] = (double)process_cgroup_kills(cgroup);
}

void process_cgroup_measure(struct process_cgroup *cgroup, struct measures *measures)
{
    measure_throttling(cgroup, measures);
    measure_kills(cgroup, measures);
    pressure_measure(&cgroup->pressure, measures);
}

uint64_t process_cgroup_kills(const struct process_cgroup *cgroup)
{
    return cgroup->kills_before + cgroup->kills;
}
