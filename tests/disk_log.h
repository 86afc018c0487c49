/* What a program does to the files below one folder, operation by operation, as long as it is being
 * recorded: for test_power_loss.c. The functions here take the place of libc's in the test program,
 * so they see what the agent's code does, on whichever thread. Otherwise a sync does nothing: whole
 * folders of files are written and read again, and no power will be lost. */
#ifndef TESTS_DISK_LOG_H
#define TESTS_DISK_LOG_H

#include "core/alloc.h"
#include "core/buf.h"
#include "core/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum operation_type { OPENED, WRITTEN, SYNCED, RENAMED, EXCHANGED, REMOVED, FOLDER_MADE, SAID };

struct operation {
    enum operation_type type;
    int handle;      /* what OPENED gave a number and WRITTEN and SYNCED speak of */
    char *path, *to; /* below the folder */
    char *data;      /* WRITTEN, and a log line that was SAID */
    size_t size;
    bool creates, truncates;
    bool on_loop; /* by the thread that records, which is the loop's */
};

enum { LOG_FDS = 4096 };

static struct {
    pthread_mutex_t lock;
    pthread_t loop;
    bool recording;
    char root[64];
    struct operation *all;
    size_t count, begin; /* begin: what came before it was there already */
    int handles;
    int handle_of[LOG_FDS]; /* by descriptor; 0: none below the folder */
    char *errors;           /* log lines of level error, while nothing is recorded */
} disk_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The part below the folder, "." for itself, or NULL. */
static inline char *below_root(const char *path)
{
    size_t length = strlen(disk_log.root);
    if (!disk_log.recording || strncmp(path, disk_log.root, length) != 0 ||
        (path[length] && path[length] != '/'))
        return NULL;
    return xstrdup(path[length] ? path + length + 1 : ".");
}

static inline void log_operation(struct operation operation)
{
    operation.on_loop = pthread_equal(pthread_self(), disk_log.loop);
    disk_log.all = xrealloc(disk_log.all, disk_log.count + 1, sizeof *disk_log.all);
    disk_log.all[disk_log.count++] = operation;
}

/* What was there before is durable. */
static inline void note_node(const char *path, const char *below)
{
    struct stat info;
    int handle = ++disk_log.handles;
    if (lstat(path, &info) < 0)
        abort();
    if (S_ISDIR(info.st_mode)) {
        if (*below)
            log_operation((struct operation){.type = FOLDER_MADE, .path = xstrdup(below)});
        DIR *folder = opendir(path);
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                continue;
            char *inner = xasprintf("%s/%s", path, entry->d_name);
            note_node(inner, inner + strlen(disk_log.root) + 1);
            free(inner);
        }
        closedir(folder);
    }
    log_operation((struct operation){
        .type = OPENED, .path = xstrdup(*below ? below : "."), .creates = true, .handle = handle});
    if (S_ISREG(info.st_mode)) {
        struct buf text;
        if (fs_read(path, 1 << 20, &text, NULL) < 0)
            abort();
        log_operation((struct operation){.type = WRITTEN,
            .handle = handle,
            .size = text.size,
            .data = xstrndup(text.data, text.size)});
        buf_free(&text);
    }
    log_operation((struct operation){.type = SYNCED, .handle = handle});
}

static inline void disk_log_begin(const char *root)
{
    snprintf(disk_log.root, sizeof disk_log.root, "%s", root);
    memset(disk_log.handle_of, 0, sizeof disk_log.handle_of);
    disk_log.loop = pthread_self();
    disk_log.handles = 0;
    note_node(root, "");
    disk_log.begin = disk_log.count;
    disk_log.recording = true;
}

static inline void disk_log_end(void)
{
    disk_log.recording = false;
}

/* Forgets what came after so many operations. */
static inline void disk_log_cut(size_t count)
{
    while (disk_log.count > count) {
        struct operation *last = &disk_log.all[--disk_log.count];
        free(last->path);
        free(last->to);
        free(last->data);
    }
}

/* Records again, behind what there is. */
static inline void disk_log_go_on(void)
{
    memset(disk_log.handle_of, 0, sizeof disk_log.handle_of);
    disk_log.recording = true;
}

static inline void disk_log_clear(void)
{
    disk_log_cut(0);
    free(disk_log.all);
    disk_log.all = NULL;
}

static inline int handle_of(int fd)
{
    return disk_log.recording && fd >= 0 && fd < LOG_FDS ? disk_log.handle_of[fd] : 0;
}

/* What it does is done and noted in one step: the order is that of the files. */
static inline long noted(long result, struct operation operation)
{
    int code = errno;
    if (operation.path || operation.handle) {
        if (result >= 0) {
            log_operation(operation);
        } else {
            free(operation.path);
            free(operation.to);
        }
    }
    pthread_mutex_unlock(&disk_log.lock);
    errno = code;
    return result;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    pthread_mutex_lock(&disk_log.lock);
    struct operation operation = {.type = OPENED,
        .path = below_root(path),
        .creates = flags & O_CREAT,
        .truncates = flags & O_TRUNC};
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < LOG_FDS)
        disk_log.handle_of[fd] = operation.path ? ++disk_log.handles : 0;
    operation.handle = fd >= 0 && operation.path ? disk_log.handles : 0;
    return (int)noted(fd, operation);
}

int dup(int fd)
{
    pthread_mutex_lock(&disk_log.lock);
    int copy = (int)syscall(SYS_dup, fd);
    if (copy >= 0 && copy < LOG_FDS)
        disk_log.handle_of[copy] = handle_of(fd);
    return (int)noted(copy, (struct operation){.type = OPENED});
}

int close(int fd)
{
    pthread_mutex_lock(&disk_log.lock);
    if (fd >= 0 && fd < LOG_FDS)
        disk_log.handle_of[fd] = 0;
    return (int)noted(syscall(SYS_close, fd), (struct operation){.type = OPENED});
}

static inline ssize_t say(const void *data, size_t size)
{
    pthread_mutex_lock(&disk_log.lock);
    char *line = xstrndup(data, size);
    if (disk_log.recording) {
        log_operation((struct operation){.type = SAID, .data = line});
    } else {
        if (strstr(line, "level=error") && !disk_log.errors)
            disk_log.errors = xstrdup(line);
        else if (!strstr(line, "level="))
            (void)!syscall(SYS_write, STDERR_FILENO, data, size);
        free(line);
    }
    pthread_mutex_unlock(&disk_log.lock);
    return (ssize_t)size;
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (fd == STDERR_FILENO)
        return say(data, size);
    pthread_mutex_lock(&disk_log.lock);
    long result = syscall(SYS_write, fd, data, size);
    struct operation operation = {.type = WRITTEN, .handle = handle_of(fd)};
    if (operation.handle && result > 0) {
        operation.size = (size_t)result;
        operation.data = xcalloc(operation.size, 1);
        memcpy(operation.data, data, operation.size);
    }
    return noted(result, operation);
}

int fsync(int fd)
{
    pthread_mutex_lock(&disk_log.lock);
    return (int)noted(0, (struct operation){.type = SYNCED, .handle = handle_of(fd)});
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int rename(const char *from, const char *to)
{
    pthread_mutex_lock(&disk_log.lock);
    struct operation operation = {.type = RENAMED, .path = below_root(from), .to = below_root(to)};
    return (int)noted(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), operation);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    pthread_mutex_lock(&disk_log.lock);
    struct operation operation = {.type = flags & RENAME_EXCHANGE ? EXCHANGED : RENAMED,
        .path = below_root(from),
        .to = below_root(to)};
    return (int)noted(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags), operation);
}

int unlink(const char *path)
{
    pthread_mutex_lock(&disk_log.lock);
    return (int)noted(syscall(SYS_unlinkat, AT_FDCWD, path, 0),
        (struct operation){.type = REMOVED, .path = below_root(path)});
}

int rmdir(const char *path)
{
    pthread_mutex_lock(&disk_log.lock);
    return (int)noted(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR),
        (struct operation){.type = REMOVED, .path = below_root(path)});
}

int mkdir(const char *path, mode_t mode)
{
    pthread_mutex_lock(&disk_log.lock);
    return (int)noted(syscall(SYS_mkdirat, AT_FDCWD, path, mode),
        (struct operation){.type = FOLDER_MADE, .path = below_root(path)});
}

/* Nothing uses these; whoever does has to say here what a loss of power makes of it. */
int ftruncate(int fd, off_t size)
{
    if (handle_of(fd))
        abort();
    return (int)syscall(SYS_ftruncate, fd, size);
}

int link(const char *from, const char *to)
{
    char *path = below_root(to);
    if (path)
        abort();
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

#endif
