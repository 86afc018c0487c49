#include "sources/cgroup/cgroup_limits.h"

#include "core/alloc.h"
#include "core/fs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t cgroup_read_file(const char *folder, const char *name, char text[CGROUP_FILE_MAX])
{
    char *path = xasprintf("%s/%s", folder, name);
    size_t size = fs_read_text(path, text, CGROUP_FILE_MAX);
    free(path);
    return size;
}

static bool cpu_limit(const struct cgroup_place *place, const char *folder, double *cores)
{
    char text[CGROUP_FILE_MAX];
    if (place->v2) {
        size_t size = cgroup_read_file(folder, "cpu.max", text);
        return cgroup_parse_cpu_max(text, size, cores);
    }
    uint64_t quota_us, period_us;
    size_t size = cgroup_read_file(folder, "cpu.cfs_quota_us", text);
    if (!cgroup_parse_number(text, size, &quota_us)) /* -1: none */
        return false;
    size = cgroup_read_file(folder, "cpu.cfs_period_us", text);
    if (!cgroup_parse_number(text, size, &period_us) || quota_us == 0 || period_us == 0)
        return false;
    *cores = (double)quota_us / (double)period_us;
    return true;
}

static bool memory_limit(const struct cgroup_place *place, const char *folder, double *bytes)
{
    /* What v1 says without a limit: LONG_MAX rounded down to pages, of up to 64 KiB. */
    static const uint64_t unlimited = 0x7FFFFFFFFFFF0000;
    char text[CGROUP_FILE_MAX];
    const char *name = place->v2 ? "memory.max" : "memory.limit_in_bytes";
    size_t size = cgroup_read_file(folder, name, text);
    uint64_t limit;
    if (!cgroup_parse_number(text, size, &limit) || limit >= unlimited || limit == 0)
        return false;
    *bytes = (double)limit;
    return true;
}

/* The folder of the nearest cgroup with a limit, to be freed; NULL when none has one. */
static char *nearest_limit(const struct cgroup_place *place,
    bool (*limit_of)(const struct cgroup_place *, const char *, double *), double *limit)
{
    if (!place->folder)
        return NULL;
    char *folder = xstrdup(place->folder);
    for (size_t length = strlen(folder); length >= place->mount_length;) {
        folder[length] = '\0';
        if (limit_of(place, folder, limit))
            return folder;
        const char *slash = strrchr(folder, '/');
        length = slash ? (size_t)(slash - folder) : 0;
        if (length == 0)
            break;
    }
    free(folder);
    return NULL;
}

double cgroup_machine_cpus(const char *root)
{
    char text[CGROUP_FILE_MAX];
    char *folder = xasprintf("%s/sys/devices/system/cpu", root);
    unsigned count = cgroup_parse_cpu_list(text, cgroup_read_file(folder, "online", text));
    free(folder);
    return count ? count : (double)sysconf(_SC_NPROCESSORS_ONLN);
}

double cgroup_machine_memory_bytes(const char *root)
{
    char text[CGROUP_FILE_MAX];
    uint64_t kib;
    char *folder = xasprintf("%s/proc", root);
    size_t size = cgroup_read_file(folder, "meminfo", text);
    free(folder);
    return cgroup_parse_key(text, size, "MemTotal:", &kib) ? (double)kib * 1024 : NAN;
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void drop_if(bool beyond, char **folder)
{
    if (!beyond)
        return;
    free(*folder);
    *folder = NULL;
}

bool cgroup_limits_read(struct cgroup_limits *limits, const char *root,
    const struct cgroup_place *cpu, const struct cgroup_place *memory)
{
    double cores = cgroup_machine_cpus(root), memory_bytes = cgroup_machine_memory_bytes(root);
    struct cgroup_limits now = {0};
    now.quota_folder = nearest_limit(cpu, cpu_limit, &now.cores);
    drop_if(now.cores > cores, &now.quota_folder);
    now.memory_folder = nearest_limit(memory, memory_limit, &now.memory_bytes);
    drop_if(now.memory_bytes > memory_bytes, &now.memory_folder);
    if (!now.quota_folder)
        now.cores = cores;
    if (!now.memory_folder)
        now.memory_bytes = memory_bytes;
    bool moved = !same(limits->quota_folder, now.quota_folder);
    cgroup_limits_free(limits);
    *limits = now;
    return moved;
}

void cgroup_limits_free(struct cgroup_limits *limits)
{
    free(limits->quota_folder);
    free(limits->memory_folder);
    *limits = (struct cgroup_limits){0};
}
