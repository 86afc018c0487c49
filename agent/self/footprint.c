#include "agent/self/footprint.h"

#include "core/fs.h"

#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
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

/* A segment that is never written is the file's pages and nothing else. Those of the program itself
 * stay (it has no name): a debugger has breakpoints in them. */
static int release(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    uintptr_t page = *(const uintptr_t *)arg;
    for (size_t i = 0; *info->dlpi_name && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) / page * page;
        uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
            madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void footprint_release_libraries(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(release, &page);
}
