#include "core/descriptors.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static const rlim_t wanted = 8192, spare = 256;

const char descriptors_remedy[] = "raise the limit of open files (nofile in the `ulimits` of "
                                  "compose or a task definition, LimitNOFILE of systemd)";

void descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t descriptors_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? UINT64_MAX : limit.rlim_cur;
}

bool descriptors_are_scarce(int newest)
{
    uint64_t limit = descriptors_limit(), kept = limit / 2 < spare ? limit / 2 : spare;
    return newest >= 0 && (uint64_t)newest >= limit - kept;
}

bool descriptors_are_out(struct error *err)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
        return false;
    if (errno == ENFILE)
        error_set(err, "the machine has as many files open as it can (fs.file-max)");
    else
        error_set(err, "all %llu files that stakeout may have open are open: %s",
            (unsigned long long)descriptors_limit(), descriptors_remedy);
    return true;
}
