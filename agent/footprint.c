#include "agent/footprint.h"

#include "core/fs.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int count(void *arg, const char *name)
{
    (void)name;
    ++*(unsigned *)arg;
    return 0;
}

void footprint_read(struct footprint *footprint)
{
    *footprint = (struct footprint){0};
    struct buf text;
    unsigned long long size_pages, resident_pages;
    if (fs_read("/proc/self/statm", 4096, &text, NULL) == 0 &&
        sscanf(text.data, "%llu %llu", &size_pages, &resident_pages) == 2)
        footprint->resident_bytes = resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
    buf_free(&text);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        footprint->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    fs_each("/proc/self/fd", count, &footprint->open_fds, NULL);
    if (footprint->open_fds > 0)
        footprint->open_fds--; /* the folder itself was open while it was read */
}
