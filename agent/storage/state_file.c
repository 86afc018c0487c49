#include "agent/storage/state_file.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

/* One version of a file on its way to the disk. */
struct writing {
    char *path, *text;
    int status;
    struct error err;
    void (*done)(void *arg, const struct error *err);
    void *arg;
};

static void write_file(void *arg)
{
    struct writing *writing = arg;
    writing->status = fs_write(writing->path, writing->text, strlen(writing->text), &writing->err);
}

static void written(void *arg)
{
    struct writing *writing = arg;
    writing->done(writing->arg, writing->status < 0 ? &writing->err : NULL);
    free(writing->path);
    free(writing->text);
    free(writing);
}

void state_file_write(struct offload *disk, const char *path, char *text,
    void (*done)(void *arg, const struct error *err), void *arg)
{
    struct writing *writing = xcalloc(1, sizeof *writing);
    *writing = (struct writing){.path = xstrdup(path), .text = text, .done = done, .arg = arg};
    offload_submit(disk, write_file, written, writing);
}
