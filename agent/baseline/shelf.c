#include "agent/baseline/shelf.h"

#include "agent/baseline/choice.h"
#include "agent/baseline/parcel.h"
#include "agent/baseline/stowing.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static const int64_t part_ms = 6 * 60 * 60 * 1000, day_ms = 24 * 60 * 60 * 1000;

struct shelf {
    const struct config *config;
    struct offload *disk;
    char *path;
    struct incident **all;
    size_t count;
};

/* One that is on its way there. */
struct coming {
    struct shelf *shelf;
    struct stowing stowing;
    char *from, *data;
    void (*done)(void *arg, const struct shelf_result *result);
    void *arg;
};

static bool is_same_part(const struct incident *a, const struct incident *b)
{
    return !strcmp(a->app, b->app) &&
           a->fired_ms % day_ms / part_ms == b->fired_ms % day_ms / part_ms;
}

/* Whether a keeps its place against b. */
static bool outdoes(const struct incident *a, const struct incident *b)
{
    if (choice_same_image(&a->target, &b->target) && choice_is_whole(a) != choice_is_whole(b))
        return choice_is_whole(a);
    return a->fired_ms > b->fired_ms;
}

static void work_remove(void *arg)
{
    struct error err;
    if (fs_remove(arg, &err) < 0)
        log_warn("a baseline that is not needed any more stays: %s", err.text);
}

static void remove_folder(struct shelf *shelf, const char *name)
{
    offload_submit(shelf->disk, work_remove, free, xasprintf("%s/%s", shelf->path, name));
}

static void forget(struct shelf *shelf, size_t index)
{
    incident_free(shelf->all[index]);
    shelf->all[index] = shelf->all[--shelf->count];
}

/* Gives it the place of its part of the day; the one that has lost it is removed. False: it is
 * itself the loser, and still the caller's. */
static bool place(struct shelf *shelf, struct incident *incident)
{
    for (size_t i = shelf->count; i-- > 0;)
        if (!strcmp(shelf->all[i]->id, incident->id))
            forget(shelf, i); /* what is in its folder is the new one's */
    for (size_t i = shelf->count; i-- > 0;) {
        if (!is_same_part(shelf->all[i], incident))
            continue;
        bool loses = outdoes(shelf->all[i], incident);
        remove_folder(shelf, loses ? incident->id : shelf->all[i]->id);
        if (loses)
            return false;
        forget(shelf, i);
    }
    shelf->all = xrealloc(shelf->all, shelf->count + 1, sizeof *shelf->all);
    shelf->all[shelf->count++] = incident;
    return true;
}

/* NULL and err when it is none of ours. */
static struct incident *read_kept(const struct shelf *shelf, const char *id, struct error *err)
{
    char *path = xasprintf("%s/%s/incident.json", shelf->path, id);
    struct incident *incident = incident_read(path, err);
    free(path);
    if (!incident)
        return NULL;
    int status = stowing_check(shelf->config, incident, err);
    if (status == 0 && strcmp(incident->id, id) != 0)
        status = error_set(err, "its id is not that of its folder");
    if (status == 0)
        return incident;
    incident_free(incident);
    return NULL;
}

/* What is neither a baseline nor half of one was put there by somebody else, and stays. */
static int take_up(void *arg, const char *name)
{
    struct shelf *shelf = arg;
    struct error err = {0};
    if (name[0] == '.') {
        remove_folder(shelf, name);
        return 0;
    }
    if (!incident_id_valid(name) || !incident_id_is_of(name, "baseline"))
        return 0;
    struct incident *incident = read_kept(shelf, name, &err);
    if (!incident) {
        log_warn("baseline %s is not kept any longer: %s", name, err.text);
        remove_folder(shelf, name);
    } else if (!place(shelf, incident)) {
        incident_free(incident);
    }
    return 0;
}

struct shelf *shelf_open(const struct config *config, struct offload *disk)
{
    struct shelf *shelf = xcalloc(1, sizeof *shelf);
    shelf->config = config;
    shelf->disk = disk;
    shelf->path = xasprintf("%s/baselines", config->state);
    fs_each(shelf->path, take_up, shelf, NULL);
    return shelf;
}

void shelf_reload(struct shelf *shelf, const struct config *config)
{
    shelf->config = config;
}

void shelf_close(struct shelf *shelf)
{
    if (!shelf)
        return;
    while (shelf->count)
        forget(shelf, 0);
    free(shelf->all);
    free(shelf->path);
    free(shelf);
}

const struct incident *const *shelf_all(const struct shelf *shelf, size_t *count)
{
    *count = shelf->count;
    return (const struct incident *const *)shelf->all;
}

static void work(void *arg)
{
    struct coming *coming = arg;
    stowing_work(&coming->stowing);
}

static void worked(void *arg)
{
    struct coming *coming = arg;
    struct stowing *stowing = &coming->stowing;
    bool placed = stowing->kept && place(coming->shelf, stowing->incident);
    struct shelf_result result = {
        .incident = stowing->incident, .kept = placed, .err = &stowing->err};
    coming->done(coming->arg, &result);
    if (!placed)
        incident_free(stowing->incident);
    free(coming->from);
    free(coming->data);
    free(coming);
}

static struct coming *new_coming(
    struct shelf *shelf, void (*done)(void *arg, const struct shelf_result *result), void *arg)
{
    struct coming *coming = xcalloc(1, sizeof *coming);
    coming->shelf = shelf;
    coming->done = done;
    coming->arg = arg;
    coming->stowing = (struct stowing){.config = shelf->config, .shelf = shelf->path};
    return coming;
}

void shelf_copy(struct shelf *shelf, const char *folder,
    void (*done)(void *arg, const struct shelf_result *result), void *arg)
{
    struct coming *coming = new_coming(shelf, done, arg);
    coming->stowing.from = coming->from = xstrdup(folder);
    offload_submit(shelf->disk, work, worked, coming);
}

void shelf_unpack(struct shelf *shelf, const char *data, size_t size,
    void (*done)(void *arg, const struct shelf_result *result), void *arg)
{
    struct coming *coming = new_coming(shelf, done, arg);
    coming->data = xcalloc(size + 1, 1);
    memcpy(coming->data, data, size);
    coming->stowing.data = coming->data;
    coming->stowing.size = size;
    offload_submit(shelf->disk, work, worked, coming);
}

char *shelf_packed_path(const struct shelf *shelf, const char *app)
{
    char *name = parcel_file_name(app);
    char *path = xasprintf("%s/%s", shelf->path, name);
    free(name);
    return path;
}
