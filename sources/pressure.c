#include "sources/pressure.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "sources/cgroup/cgroup_limits.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char pressure_remedy[] = "cpu.pressure, memory.pressure and io.pressure are not measured: "
                               "the kernel has no pressure files "
                               "for its cgroup (that takes version 2 of cgroups and a kernel with "
                               "CONFIG_PSI, some with psi=1 on "
                               "its command line)";

void pressure_init(struct pressure *pressure)
{
    *pressure = (struct pressure){0};
    for (int i = 0; i < PRESSURE_KINDS; i++)
        pressure->fds[i] = -1;
}

void pressure_close(struct pressure *pressure)
{
    for (int i = 0; i < PRESSURE_KINDS; i++)
        if (pressure->fds[i] >= 0)
            close(pressure->fds[i]);
    pressure_init(pressure);
}

bool pressure_is_open(const struct pressure *pressure)
{
    for (int i = 0; i < PRESSURE_KINDS; i++)
        if (pressure->fds[i] >= 0)
            return true;
    return false;
}

void pressure_open(struct pressure *pressure, const char *folder)
{
    static const char *const names[PRESSURE_KINDS] = {
        [PRESSURE_CPU] = "cpu.pressure",
        [PRESSURE_MEMORY] = "memory.pressure",
        [PRESSURE_IO] = "io.pressure",
    };
    pressure_close(pressure);
    for (int i = 0; i < PRESSURE_KINDS; i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);
        pressure->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
        free(path);
    }
}

/* Where version 1 has the controllers, the tree of version 2 may be there without being used. */
static bool is_populated(const char *folder)
{
    char text[CGROUP_FILE_MAX];
    uint64_t populated;
    size_t size = cgroup_read_file(folder, "cgroup.events", text);
    return cgroup_parse_key(text, size, "populated", &populated) && populated;
}

char *pressure_find(const struct cgroup_mounts *mounts, const char *container)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (!mounts->all[i].v2)
            continue;
        char *folder = xasprintf("%s/%s", mounts->all[i].path, container);
        if (is_populated(folder))
            return folder;
        free(folder);
    }
    return NULL;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123456" */
bool pressure_parse(const char *text, size_t length, uint64_t *stalled_us)
{
    static const char line[] = "some ", key[] = " total=";
    if (length < sizeof line - 1 || memcmp(text, line, sizeof line - 1) != 0)
        return false;
    const char *end = memchr(text, '\n', length);
    length = end ? (size_t)(end - text) : length;
    const char *total = memmem(text, length, key, sizeof key - 1);
    if (!total)
        return false;
    total += sizeof key - 1;
    return cgroup_parse_number(total, (size_t)(text + length - total), stalled_us) &&
           *stalled_us != UINT64_MAX;
}

void pressure_measure(struct pressure *pressure, struct measures *measures)
{
    static const enum measured what[PRESSURE_KINDS] = {
        MEASURED_CPU_PRESSURE, MEASURED_MEMORY_PRESSURE, MEASURED_IO_PRESSURE};
    for (int i = 0; i < PRESSURE_KINDS; i++) {
        char text[256];
        uint64_t stalled_us;
        if (pressure->fds[i] < 0)
            continue;
        ssize_t size = pread(pressure->fds[i], text, sizeof text, 0);
        int64_t at_ns = clock_mono_ns();
        if (size <= 0 || !pressure_parse(text, (size_t)size, &stalled_us))
            continue;
        /* A little more than all of it when the kernel's own clock is read later than ours. */
        double share = counter_rate(&pressure->stalled[i], stalled_us, at_ns) / 1e4;
        measures->value[what[i]] = isnan(share) ? NAN : fmin(share, 100);
    }
}
