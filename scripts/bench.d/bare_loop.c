/* The floor of sampling: reads the given files at every tick and does nothing with them.
 *
 *   bare_loop INTERVAL_MS FILE... -- FILE...
 *
 * Files before the -- stay open and are read at every tick, those after it are opened and read
 * every 10 s: as the cgroup source does it. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILES = 32, RARELY_MS = 10000 };

static char text[16384];

static int open_kept(char **names, int *fds)
{
    int count = 0;
    for (; names[count] && strcmp(names[count], "--") != 0 && count < MAX_FILES; count++) {
        fds[count] = open(names[count], O_RDONLY | O_CLOEXEC);
        if (fds[count] < 0) {
            fprintf(stderr, "bare_loop: %s: %s\n", names[count], strerror(errno));
            exit(1);
        }
    }
    return count;
}

static void read_once(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!read(fd, text, sizeof text);
    close(fd);
}

int main(int argc, char **argv)
{
    long interval_ms = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (interval_ms <= 0) {
        fprintf(stderr, "usage: bare_loop INTERVAL_MS FILE... -- FILE...\n");
        return 2;
    }
    int fds[MAX_FILES];
    int kept = open_kept(argv + 2, fds);
    char **rarely = argv[2 + kept] ? argv + 2 + kept + 1 : argv + argc;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int64_t tick = 0;; tick++) {
        if (tick * interval_ms % RARELY_MS < interval_ms)
            for (char **name = rarely; *name; name++)
                read_once(*name);
        for (int i = 0; i < kept; i++)
            (void)!pread(fds[i], text, sizeof text, 0);
        next.tv_nsec += interval_ms % 1000 * 1000000;
        next.tv_sec += interval_ms / 1000 + next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
    }
}
