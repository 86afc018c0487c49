/* A disk that fails: what a program does to the files below one folder ends with an error, as long
 * as it is told to. The functions here take the place of libc's in the test program, on whichever
 * thread. Reading still works. */
#ifndef TESTS_FAILING_DISK_H
#define TESTS_FAILING_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FAIL_MAKE = 1, FAIL_OPEN = 2, FAIL_WRITE = 4, FAIL_SYNC = 8, FAIL_RENAME = 16 };

static struct {
    char root[100];
    atomic_int operations; /* FAIL_... that fail; 0: the disk is well */
    atomic_int code;
} failing_disk;

static inline void failing_disk_fail(const char *root, int operations, int code)
{
    snprintf(failing_disk.root, sizeof failing_disk.root, "%s", root);
    atomic_store(&failing_disk.code, code);
    atomic_store(&failing_disk.operations, operations);
}

static inline void failing_disk_mend(void)
{
    atomic_store(&failing_disk.operations, 0);
}

static inline bool fails(int operation, const char *path)
{
    if (!(atomic_load(&failing_disk.operations) & operation) ||
        strncmp(path, failing_disk.root, strlen(failing_disk.root)) != 0)
        return false;
    errno = atomic_load(&failing_disk.code);
    return true;
}

static inline bool fails_at(int operation, int fd)
{
    char link[40], path[PATH_MAX] = "";
    if (!atomic_load(&failing_disk.operations))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && fails(operation, path);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if ((flags & O_ACCMODE) != O_RDONLY && fails(FAIL_OPEN, path))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return fails_at(FAIL_WRITE, fd) ? -1 : syscall(SYS_write, fd, data, size);
}

int fsync(int fd)
{
    return fails_at(FAIL_SYNC, fd) ? -1 : 0; /* no power will be lost */
}

int rename(const char *from, const char *to)
{
    return fails(FAIL_RENAME, from) ? -1
                                    : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return fails(FAIL_MAKE, path) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

#endif
