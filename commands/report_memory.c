#include "commands/report_memory.h"

#include "core/error.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Measured with profiles in which hardly two stacks are the same (scripts/bench report): the page
 * takes 16 MiB at most, and reading and analysing up to seven times what the profiles inflate to.
 * The process has some 8 MiB of address space before it does anything, and 30 MiB where the
 * libraries that need a network are loaded with it. */
static const size_t page_bytes = (size_t)16 << 20, memory_per_byte = 7;
static const size_t least_bytes = (size_t)48 << 20;
static const size_t without_limit_bytes = (size_t)512 << 20;

int report_memory_limit(int64_t bytes, struct error *err)
{
    struct rlimit limit;
    if (bytes < (int64_t)least_bytes)
        return error_set(err, "it has to be at least %zuMiB", least_bytes >> 20);
    if (getrlimit(RLIMIT_AS, &limit) < 0)
        return error_set(err, "this process cannot be limited: %s", strerror(errno));
    if (limit.rlim_cur <= (rlim_t)bytes)
        return 0;
    limit.rlim_cur = (rlim_t)bytes;
    if (setrlimit(RLIMIT_AS, &limit) < 0)
        return error_set(err, "this process cannot be limited: %s", strerror(errno));
    return 0;
}

/* What this process has of it now; as measured when it cannot be known. */
static size_t address_space(void)
{
    unsigned long long pages = 0;
    char text[64];
    FILE *file = fopen("/proc/self/statm", "re");
    bool known = file && fgets(text, sizeof text, file) && sscanf(text, "%llu", &pages) == 1;
    if (file)
        fclose(file);
    return known ? (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) : least_bytes - page_bytes;
}

/* In a child: its exit status, or -1 when it came to no end of its own. */
static int work_apart(int (*work)(void *arg, size_t profile_bytes), void *arg, size_t profile_bytes)
{
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EXIT_FAILURE);
        int status = work(arg, profile_bytes);
        fflush(NULL);
        _exit(status);
    }
    int ended;
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

int report_memory_guard(int (*work)(void *arg, size_t profile_bytes), void *arg)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return work(arg, without_limit_bytes);
    size_t taken = address_space() + page_bytes;
    size_t left = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
    size_t bytes = left / memory_per_byte;
    int status = work_apart(work, arg, bytes < without_limit_bytes ? bytes : without_limit_bytes);
    return status >= 0 ? status : work(arg, 0);
}
