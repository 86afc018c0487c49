#include "commands/report_memory.h"

#include "core/error.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* Measured: the process has 30 MiB of address space before it does anything, and takes up to four
 * times as much as the profiles inflate to. */
static const size_t at_start_bytes = (size_t)32 << 20, page_bytes = (size_t)8 << 20;
static const size_t memory_per_byte = 4;
static const size_t without_limit_bytes = (size_t)512 << 20;

int report_memory_limit(int64_t bytes, struct error *err)
{
    struct rlimit limit;
    if (bytes < (int64_t)(2 * at_start_bytes))
        return error_set(err, "it has to be at least 64MiB");
    if (getrlimit(RLIMIT_AS, &limit) < 0)
        return error_set(err, "this process cannot be limited: %s", strerror(errno));
    if (limit.rlim_cur <= (rlim_t)bytes)
        return 0;
    limit.rlim_cur = (rlim_t)bytes;
    if (setrlimit(RLIMIT_AS, &limit) < 0)
        return error_set(err, "this process cannot be limited: %s", strerror(errno));
    return 0;
}

size_t report_memory_for_profiles(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return without_limit_bytes;
    size_t taken = at_start_bytes + page_bytes;
    size_t left = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
    size_t bytes = left / memory_per_byte;
    return bytes < without_limit_bytes ? bytes : without_limit_bytes;
}
