#include "core/fs.h"

#include "core/alloc.h"
#include "core/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int read_all(int fd, const char *path, size_t max, struct buf *buf, struct error *err)
{
    for (;;) {
        char block[16384];
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            return 0;
        if (buf_append(buf, block, (size_t)got) < 0)
            return error_set(err, "%s is larger than %zu bytes", path, max);
    }
}

int fs_read(const char *path, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    int status = read_all(fd, path, max, buf, err);
    close(fd);
    return status;
}

int fs_read_regular(const char *path, size_t max, struct buf *buf, struct error *err)
{
    struct stat found;
    buf_init(buf, max);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    int status = fstat(fd, &found) == 0 && S_ISREG(found.st_mode)
                     ? read_all(fd, path, max, buf, err)
                     : error_set(err, "%s is no regular file", path);
    close(fd);
    return status;
}

size_t fs_read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

int fs_sync_folder(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) < 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    return failed ? error_set(err, "cannot sync the folder %s: %s", path, strerror(code)) : 0;
}

int fs_sync_parent(const char *path, struct error *err)
{
    char *copy = xstrdup(path);
    int status = fs_sync_folder(dirname(copy), err);
    free(copy);
    return status;
}

/* Where files cannot be locked, nobody is writing any more what was begun this many seconds ago. */
enum { LEFTOVER_S = 3600 };

/* The parts of folder/name. */
struct target {
    char *folder; /* "" or with a slash at its end */
    const char *name;
};

static struct target target_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return (struct target){xstrndup(path, (size_t)(name - path)), name};
}

/* A writer holds the lock of its temporary until it is renamed or the process is gone, so a file
 * that can be locked is a leftover. One that was opened and not yet locked may be taken for one:
 * its writer finds it locked or gone, and takes another. */
static bool is_mine(int fd)
{
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &info) < 0 || info.st_nlink > 0;
}

/* folder/name -> folder/.name.PID-NUMBER.tmp, opened; the caller frees *temporary. Another process
 * may have the same id where containers share a folder: then the next number is free. -1 with
 * errno. */
static int open_temporary(const struct target *target, char **temporary)
{
    static atomic_uint number;
    for (;;) {
        *temporary = xasprintf("%s.%s.%ld-%u.tmp", target->folder, target->name, (long)getpid(),
            atomic_fetch_add(&number, 1));
        int fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd >= 0 ? is_mine(fd) : errno != EEXIST)
            return fd;
        if (fd >= 0)
            close(fd);
        free(*temporary);
    }
}

/* "PID-NUMBER.tmp" */
static bool is_end_of_temporary(const char *text)
{
    const char *number = text + strspn(text, "0123456789");
    if (number == text || *number != '-')
        return false;
    const char *end = number + 1 + strspn(number + 1, "0123456789");
    return end > number + 1 && !strcmp(end, ".tmp");
}

static void remove_if_abandoned(const char *path)
{
    struct stat info;
    bool abandoned = false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            abandoned = true;
        else if (errno != EWOULDBLOCK)
            abandoned = time(NULL) - info.st_mtime > LEFTOVER_S;
    }
    if (abandoned)
        unlink(path); /* before the lock is given back */
    if (fd >= 0)
        close(fd);
}

static int remove_leftover(void *arg, const char *name)
{
    const struct target *target = arg;
    size_t length = strlen(target->name);
    if (name[0] != '.' || strncmp(name + 1, target->name, length) != 0 || name[1 + length] != '.' ||
        !is_end_of_temporary(name + length + 2))
        return 0;
    char *path = xasprintf("%s%s", target->folder, name);
    remove_if_abandoned(path);
    free(path);
    return 0;
}

static void remove_leftovers(struct target *target)
{
    fs_each(*target->folder ? target->folder : ".", remove_leftover, target, NULL);
}

void fs_remove_leftovers(const char *path)
{
    struct target target = target_of(path);
    remove_leftovers(&target);
    free(target.folder);
}

int fs_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

static int copy_all(int from, int to)
{
    char block[65536];
    for (;;) {
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        if (fs_write_all(to, block, (size_t)got) < 0)
            return -1;
    }
}

struct content {
    const void *data;
    size_t size;
    int from; /* a file that it is copied from instead; -1: it is data */
};

static int fill(int fd, const struct content *content)
{
    int status = content->from >= 0 ? copy_all(content->from, fd)
                                    : fs_write_all(fd, content->data, content->size);
    return status == 0 ? fsync(fd) : status;
}

/* What all that write share. */
static int write_whole(const char *path, const struct content *content, struct error *err)
{
    char *temporary;
    struct target target = target_of(path);
    int fd = open_temporary(&target, &temporary);
    int failed = fd < 0 ? -1 : fill(fd, content);
    int code = errno;
    /* Some file systems tell of a write that failed only when a descriptor is closed; the lock
     * stays with the other. */
    int closing = failed ? -1 : dup(fd);
    if (!failed && (closing < 0 || close(closing) < 0 || rename(temporary, path) < 0)) {
        failed = -1;
        code = errno;
    }
    if (failed && fd >= 0)
        unlink(temporary);
    if (fd >= 0)
        close(fd);
    if (!failed)
        remove_leftovers(&target);
    free(temporary);
    free(target.folder);
    if (failed)
        return error_set(err, "cannot write %s: %s", path, strerror(code));
    return fs_sync_parent(path, err);
}

int fs_write(const char *path, const void *data, size_t size, struct error *err)
{
    const struct content content = {.data = data, .size = size, .from = -1};
    return write_whole(path, &content, err);
}

int fs_write_in(
    const char *folder, const char *name, const void *data, size_t size, struct error *err)
{
    char *path = xasprintf("%s/%s", folder, name);
    int status = fs_write(path, data, size, err);
    free(path);
    return status;
}

int fs_copy(const char *from, const char *to, struct error *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", from, strerror(errno));
    const struct content content = {.from = fd};
    int status = write_whole(to, &content, err);
    close(fd);
    return status;
}

/* A folder that is there already is fine, whoever made it. */
static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0755) == 0)
        return fs_sync_parent(path, err);
    int code = errno;
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    if (code == EEXIST)
        return error_set(
            err, "cannot make the folder %s: there is something else of that name", path);
    return error_set(err, "cannot make the folder %s: %s", path, strerror(code));
}

int fs_make_folders(const char *path, struct error *err)
{
    char *copy = xstrdup(path);
    int status = 0;
    for (char *at = copy + 1; status == 0; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        status = make_folder(copy, err);
        *at = end;
        if (end == '\0')
            break;
    }
    free(copy);
    return status;
}

int fs_each(
    const char *path, int (*each)(void *arg, const char *name), void *arg, struct error *err)
{
    DIR *folder = opendir(path);
    int status = 0, code = folder ? 0 : errno;
    while (folder && status == 0) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            code = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = each(arg, entry->d_name);
    }
    if (folder)
        closedir(folder);
    if (code)
        status = error_set(err, "cannot read the folder %s: %s", path, strerror(code));
    errno = code;
    return status;
}

struct removal {
    const char *folder;
    struct error *err;
};

static int remove_entry(void *arg, const char *name)
{
    const struct removal *removal = arg;
    char *path = xasprintf("%s/%s", removal->folder, name);
    int status = fs_remove(path, removal->err);
    free(path);
    return status;
}

int fs_remove(const char *path, struct error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        struct removal removal = {path, err};
        if (fs_each(path, remove_entry, &removal, err) != 0)
            return -1;
        if (rmdir(path) == 0)
            return 0;
    }
    return error_set(err, "cannot remove %s: %s", path, strerror(errno));
}

struct sizing {
    const char *folder;
    int depth;
    bool unshared; /* without files that have another name */
    uint64_t bytes;
};

static int add_size(void *arg, const char *name)
{
    struct sizing *sizing = arg;
    char *path = xasprintf("%s/%s", sizing->folder, name);
    struct stat info;
    mode_t mode = lstat(path, &info) == 0 ? info.st_mode : 0;
    if (S_ISREG(mode)) {
        sizing->bytes += sizing->unshared && info.st_nlink > 1 ? 0 : (uint64_t)info.st_size;
    } else if (S_ISDIR(mode) && sizing->depth > 0) {
        struct sizing inner = {
            .folder = path, .depth = sizing->depth - 1, .unshared = sizing->unshared};
        fs_each(path, add_size, &inner, NULL);
        sizing->bytes += inner.bytes;
    }
    free(path);
    return 0;
}

uint64_t fs_size(const char *path)
{
    struct sizing sizing = {.folder = path, .depth = 1};
    fs_each(path, add_size, &sizing, NULL);
    return sizing.bytes;
}

uint64_t fs_size_unshared(const char *path)
{
    struct sizing sizing = {.folder = path, .depth = 1, .unshared = true};
    fs_each(path, add_size, &sizing, NULL);
    return sizing.bytes;
}

bool fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
