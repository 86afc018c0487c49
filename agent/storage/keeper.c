#include "agent/storage/keeper.h"

#include "agent/storage/backoff.h"
#include "agent/storage/incident_files.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdlib.h>
#include <string.h>

static const int64_t pace_ms = 60000;

static const size_t none = SIZE_MAX;

struct keepsake {
    char *path, *key;
    bool waits; /* the exporter lacks the newest version */
    bool once;  /* it goes from the list when the exporter has it */
    bool over;  /* it is to go from the list, and is on its way */
};

struct keeper {
    struct keeper_setup setup;
    struct keepsake *files;
    size_t count;
    size_t sending; /* index of the file that is on its way; SIZE_MAX: none */
    struct loop_timer *timer;
    int64_t not_before_ms;
    int64_t wait_ms; /* of the backoff; 0: the last one worked */
    char *error;     /* of the last try; NULL: it worked, or there was none */
    bool hurried;
    bool failed; /* the last try since the hurry */
};

static void come_due(void *arg)
{
    struct keeper *keeper = arg;
    keeper->setup.due(keeper->setup.arg);
}

struct keeper *keeper_open(const struct keeper_setup *setup)
{
    struct keeper *keeper = xcalloc(1, sizeof *keeper);
    keeper->setup = *setup;
    keeper->sending = none;
    keeper->timer = loop_timer_new(setup->loop, come_due, keeper);
    return keeper;
}

void keeper_close(struct keeper *keeper)
{
    if (!keeper)
        return;
    for (size_t i = 0; i < keeper->count; i++) {
        free(keeper->files[i].path);
        free(keeper->files[i].key);
    }
    loop_timer_free(keeper->timer);
    free(keeper->files);
    free(keeper->error);
    free(keeper);
}

static struct keepsake *find(struct keeper *keeper, const char *key)
{
    for (size_t i = 0; i < keeper->count; i++)
        if (!strcmp(keeper->files[i].key, key))
            return &keeper->files[i];
    keeper->files = xrealloc(keeper->files, keeper->count + 1, sizeof *keeper->files);
    keeper->files[keeper->count] = (struct keepsake){.key = xstrdup(key)};
    return &keeper->files[keeper->count++];
}

/* When the first one that waits may go: the minute counts for none that goes once, a backoff does.
 */
static int64_t next_ms(const struct keeper *keeper)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < keeper->count; i++) {
        const struct keepsake *file = &keeper->files[i];
        int64_t from_ms = file->once && keeper->wait_ms == 0 ? 0 : keeper->not_before_ms;
        if (file->waits && from_ms < next)
            next = from_ms;
    }
    return next;
}

static struct keepsake *put(struct keeper *keeper, const char *path, const char *key)
{
    struct keepsake *file = find(keeper, key);
    free(file->path);
    file->path = xstrdup(path);
    file->waits = true;
    file->over = false;
    return file;
}

static void wake(struct keeper *keeper)
{
    if (keeper->hurried)
        keeper_hurry(keeper);
    else
        loop_timer_set(keeper->timer, next_ms(keeper));
}

void keeper_put(struct keeper *keeper, const char *path, const char *key)
{
    put(keeper, path, key);
    wake(keeper);
}

void keeper_put_once(struct keeper *keeper, const char *path, const char *key)
{
    put(keeper, path, key)->once = true;
    wake(keeper);
}

static bool is_once(const struct keepsake *file, const char *prefix)
{
    return file->once && !strncmp(file->key, prefix, strlen(prefix));
}

bool keeper_has_once(const struct keeper *keeper, const char *prefix)
{
    for (size_t i = 0; i < keeper->count; i++)
        if (is_once(&keeper->files[i], prefix))
            return true;
    return false;
}

static void remove_file(struct keeper *keeper, size_t index)
{
    free(keeper->files[index].path);
    free(keeper->files[index].key);
    keeper->count--;
    memmove(keeper->files + index, keeper->files + index + 1,
        (keeper->count - index) * sizeof *keeper->files);
    if (keeper->sending != none && keeper->sending > index)
        keeper->sending--;
}

void keeper_drop_once(struct keeper *keeper, const char *prefix)
{
    for (size_t i = keeper->count; i-- > 0;) {
        if (!is_once(&keeper->files[i], prefix))
            continue;
        if (keeper->sending == i)
            keeper->files[i].over = true;
        else
            remove_file(keeper, i);
    }
}

void keeper_hand_over(const struct keeper *keeper, struct keeper *heir)
{
    for (size_t i = 0; i < keeper->count; i++)
        if (keeper->files[i].waits || keeper->sending == i)
            put(heir, keeper->files[i].path, keeper->files[i].key)->once = keeper->files[i].once;
    wake(heir);
}

static void note_failure(struct keeper *keeper, const struct send_result *result)
{
    struct keepsake *file = &keeper->files[keeper->sending];
    int64_t wait_ms = backoff_next_ms(&keeper->wait_ms, result);
    if (!keeper->error || strcmp(keeper->error, result->reason) != 0)
        log_warn("%s %s in %s: %s; next try in %.0f s",
            file->once ? "what came late is not added to"
                       : "the next task of the service will not find",
            file->key, *keeper->setup.name, result->reason, (double)wait_ms / 1000);
    free(keeper->error);
    keeper->error = xstrdup(result->reason);
    file->waits = keeper->failed = true;
    keeper->not_before_ms = clock_mono_ms() + wait_ms;
}

static void note_success(struct keeper *keeper)
{
    const char *key = keeper->files[keeper->sending].key;
    if (keeper->error)
        log_info("%s is kept in %s again", key, *keeper->setup.name);
    else
        log_debug("%s is kept in %s", key, *keeper->setup.name);
    free(keeper->error);
    keeper->error = NULL;
    keeper->wait_ms = 0;
    keeper->failed = false;
    if (!keeper->files[keeper->sending].once)
        keeper->not_before_ms = keeper->hurried ? 0 : clock_mono_ms() + pace_ms;
}

static bool any_waits(const struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->count; i++)
        if (keeper->files[i].waits)
            return true;
    return false;
}

static void sent(void *arg, const struct send_result *result)
{
    struct keeper *keeper = arg;
    const struct keepsake *file = &keeper->files[keeper->sending];
    bool ends = file->once && !file->waits &&
                (result->outcome == SEND_STORED || result->outcome == SEND_REJECTED);
    if (result->outcome == SEND_STORED)
        note_success(keeper);
    else
        note_failure(keeper, result);
    size_t index = keeper->sending;
    keeper->sending = none;
    if (ends || keeper->files[index].over)
        remove_file(keeper, index);
    if (any_waits(keeper))
        loop_timer_set(keeper->timer, next_ms(keeper));
    keeper->setup.over(keeper->setup.arg);
}

bool keeper_send(struct keeper *keeper)
{
    bool all = clock_mono_ms() >= keeper->not_before_ms;
    if (keeper->sending != none || (!all && keeper->wait_ms))
        return false;
    size_t next = 0;
    while (
        next < keeper->count && !(keeper->files[next].waits && (all || keeper->files[next].once)))
        next++;
    if (next == keeper->count)
        return false;
    struct keepsake *file = &keeper->files[next];
    file->waits = false; /* a version that comes from here on is another one */
    keeper->sending = next;
    struct artifact artifact = {file->path, file->key, content_type_of(file->key), true, NULL};
    keeper->setup.kind->send(keeper->setup.exporter, &artifact, sent, keeper);
    return true;
}

void keeper_hurry(struct keeper *keeper)
{
    keeper->hurried = true;
    keeper->failed = false;
    keeper->not_before_ms = keeper->wait_ms = 0;
    if (any_waits(keeper))
        loop_timer_set(keeper->timer, 0);
}

bool keeper_waits(const struct keeper *keeper)
{
    return keeper->sending != none || (any_waits(keeper) && !keeper->failed);
}
