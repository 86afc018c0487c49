#include "exporters/directory_claims.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/offload.h"
#include "exporters/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One job of the thread: a claim or a count. It outlives a close. */
struct asking {
    struct directory_claims *claims; /* NULL: nobody waits any more */
    struct asking *next;
    char *path, *text;
    struct claim_result claim;
    struct count_result count;
    void (*claimed)(void *arg, const struct claim_result *result);
    void (*counted)(void *arg, const struct count_result *result);
    void *arg;
};

struct directory_claims {
    struct offload *thread;
    char *path;
    struct asking *first;
};

struct directory_claims *directory_claims_open(struct offload *thread, const char *path)
{
    struct directory_claims *claims = xcalloc(1, sizeof *claims);
    claims->thread = thread;
    claims->path = xstrdup(path);
    return claims;
}

void directory_claims_close(struct directory_claims *claims)
{
    for (struct asking *asking = claims->first; asking; asking = asking->next)
        asking->claims = NULL;
    free(claims->path);
    free(claims);
}

/* On the thread. It is not synced: after a power cut nobody is left who holds it. */
static void make_file(void *arg)
{
    struct asking *asking = arg;
    struct claim_result *result = &asking->claim;
    struct error err = {0};
    char *parent = xstrdup(asking->path);
    int fd = -1;
    if (fs_make_folders(dirname(parent), &err) == 0)
        fd = open(asking->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    free(parent);
    if (fd >= 0 && fs_write_all(fd, asking->text, strlen(asking->text)) == 0)
        result->outcome = CLAIM_TAKEN;
    else if (fd < 0 && !err.text[0] && errno == EEXIST)
        result->outcome = CLAIM_EXISTS;
    else {
        result->outcome = CLAIM_FAILED;
        result->refused = true;
        if (!err.text[0])
            error_set(&err, "cannot write %s: %s", asking->path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    snprintf(result->reason, sizeof result->reason, "%s", err.text);
}

static int count_one(void *arg, const char *name)
{
    struct count_result *result = arg;
    (void)name;
    return ++result->count == EXPORTER_COUNT_MAX;
}

/* On the thread. */
static void count_files(void *arg)
{
    struct asking *asking = arg;
    struct error err = {0};
    if (fs_each(asking->path, count_one, &asking->count, &err) < 0)
        asking->count.count = -1;
    snprintf(asking->count.reason, sizeof asking->count.reason, "%s", err.text);
}

static void have_asked(void *arg)
{
    struct asking *asking = arg;
    struct asking **at = asking->claims ? &asking->claims->first : NULL;
    while (at && *at != asking)
        at = &(*at)->next;
    if (at)
        *at = asking->next;
    if (at && asking->claimed)
        asking->claimed(asking->arg, &asking->claim);
    else if (at)
        asking->counted(asking->arg, &asking->count);
    free(asking->path);
    free(asking->text);
    free(asking);
}

static struct asking *begin(struct directory_claims *claims, const char *key, void *arg)
{
    struct asking *asking = xcalloc(1, sizeof *asking);
    *asking = (struct asking){.claims = claims,
        .next = claims->first,
        .path = xasprintf("%s/%s", claims->path, key),
        .arg = arg};
    claims->first = asking;
    return asking;
}

void directory_claims_claim(struct directory_claims *claims, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct asking *asking = begin(claims, key, arg);
    asking->text = xstrdup(text);
    asking->claimed = done;
    offload_submit(claims->thread, make_file, have_asked, asking);
}

void directory_claims_count(struct directory_claims *claims, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    struct asking *asking = begin(claims, key, arg);
    asking->counted = done;
    offload_submit(claims->thread, count_files, have_asked, asking);
}
