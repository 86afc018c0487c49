#include "config/config.h"
#include "config/document.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SILENCE_MS = 10000 };

const char config_default_path[] = "/etc/stakeout/stakeout.yaml";
const char config_default_state[] = "/var/lib/stakeout";
static const char variable[] = "STAKEOUT_CONFIG";

/* Appends the next block; 1 at the end, -1 with err. Waits for a pipe whose writer is slow. */
static int read_block(int fd, const char *path, struct buf *text, struct error *err)
{
    char block[16384];
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    ssize_t got = read(fd, block, sizeof block);
    if (got == 0)
        return 1;
    if (got > 0) {
        if (buf_append(text, block, (size_t)got) < 0)
            return error_set(err, "%s is larger than %d bytes", path, DOCUMENT_SIZE_MAX);
        return 0;
    }
    if (errno != EAGAIN && errno != EINTR)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    if (errno == EAGAIN && poll(&waited, 1, SILENCE_MS) == 0)
        return error_set(
            err, "nothing came from %s for %d s; does its writer hang?", path, SILENCE_MS / 1000);
    return 0;
}

/* A file, or a pipe as in `-c <(command)`. It never waits without bound: a FIFO opened without
 * O_NONBLOCK would until somebody writes. */
static int read_file(const char *path, struct buf *text, struct error *err)
{
    struct stat info;
    buf_init(text, DOCUMENT_SIZE_MAX);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    int status = 0;
    while (status == 0)
        status = read_block(fd, path, text, err);
    if (status > 0 && text->size == 0 && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode))
        status = error_set(err, "%s is a pipe, and nobody writes to it; give a file", path);
    close(fd);
    return status < 0 ? -1 : 0;
}

static const char *text_given(const char *path)
{
    const char *given = path ? NULL : getenv(variable);
    return given && *given ? given : NULL;
}

const char *config_file(const char *path)
{
    return text_given(path) ? NULL : path ? path : config_default_path;
}

int config_locate(const char *path, struct buf *text, char **name, struct error *err)
{
    const char *given = text_given(path);
    if (given) {
        *name = xasprintf("$%s", variable);
        buf_init(text, DOCUMENT_SIZE_MAX);
        if (buf_puts(text, given) == 0)
            return 0;
        return error_set(err, "the text in $%s is larger than 1 MiB", variable);
    }
    const char *file = config_file(path);
    *name = xstrdup(file);
    if (!path && !fs_exists(file)) {
        buf_init(text, DOCUMENT_SIZE_MAX);
        return error_set(err, "no configuration: give -c FILE, put its text into $%s, or write %s",
            variable, file);
    }
    return read_file(file, text, err);
}
