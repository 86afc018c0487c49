/* The readers of what the kernel says of a process. */
#include "sources/process/process_cgroup.h"
#include "sources/process/process_stat.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct process_stat stat;
    uint64_t anonymous, file;
    unsigned long pid;
    if (process_stat_parse(&stat, text, size) && strlen(stat.name) >= PROCESS_NAME_SIZE)
        abort();
    process_memory_parse(text, size, &anonymous, &file);
    process_newest_parse(text, size, &pid);
    const struct cgroup_mount mounts[] = {{.v2 = true}, {.controllers = 1u << CGROUP_MEMORY}};
    for (int i = 0; i < 2; i++) {
        char *cgroup = cgroup_parse_path(text, size, &mounts[i]);
        if (cgroup && *cgroup != '/')
            abort();
        const char *below = cgroup ? process_cgroup_below(cgroup, "/docker") : NULL;
        if (below && (*below ? *below != '/' : false))
            abort();
        free(cgroup);
    }
    char *copy = xstrndup(text, size);
    process_pid_parse(copy);
    free(copy);
    return 0;
}
