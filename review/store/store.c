#include "review/store/store.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/store/store_backend.h"
#include "review/store/store_walk.h"

#include <stdlib.h>
#include <string.h>

enum {
    READ_AHEAD = 16, /* incidents of a bucket that are read at a time */
    SERVICES_MAX = 100000,
    READ_FAILURES_MAX = 3 /* in a row, of a bucket: it is out of reach then */
};

struct store {
    const struct store_backend *backend;
    void *self;
    char *where; /* without a slash at its end */
};

static char *without_slashes(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    return xstrndup(text, length);
}

/* "bucket/prefix" */
static void *open_bucket(const char *rest, const struct s3_settings *settings, struct error *err)
{
    const char *slash = strchr(rest, '/');
    char *bucket = slash ? xstrndup(rest, (size_t)(slash - rest)) : xstrdup(rest);
    struct s3_settings complete = *settings;
    complete.bucket = bucket;
    complete.prefix = slash ? slash + strspn(slash, "/") : "";
    void *self = store_s3_open(&complete, err);
    free(bucket);
    return self;
}

struct store *store_open(const char *where, const struct s3_settings *settings, struct error *err)
{
    static const char scheme[] = "s3://";
    const size_t skip = sizeof scheme - 1;
    bool bucket = !strncmp(where, scheme, skip);
    if (!*where) {
        error_set(err, "the place to read is empty; name a folder or s3://bucket/prefix");
        return NULL;
    }
    if (bucket && (!where[skip] || where[skip] == '/')) {
        error_set(err, "%s names no bucket; write s3://bucket/prefix", where);
        return NULL;
    }
    struct store *store = xcalloc(1, sizeof *store);
    store->backend = bucket ? &store_s3 : &store_folder;
    store->where = without_slashes(where);
    store->self = bucket ? open_bucket(store->where + skip, settings, err)
                         : store_folder_open(store->where, err);
    if (store->self)
        return store;
    free(store->where);
    free(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store->backend->close(store->self);
    free(store->where);
    free(store);
}

bool store_is_bucket(const struct store *store)
{
    return store->backend == &store_s3;
}

static void stored_free(struct store_incident *stored)
{
    free(stored->service);
    free(stored->id);
    free(stored->location);
    buf_free(&stored->text);
    buf_free(&stored->marks);
    incident_free(stored->incident);
}

void store_incident_free(struct store_incident *stored)
{
    if (!stored)
        return;
    stored_free(stored);
    free(stored);
}

static int check_identity(const struct store_incident *stored, struct error *err)
{
    const struct incident *incident = stored->incident;
    if (!strcmp(incident->id, stored->id) && !strcmp(incident->service, stored->service))
        return 0;
    return error_set(err, "it says that it is %s of the service %s, which is not where it lies",
        incident->id, incident->service);
}

/* Fills `stored`, which is to be freed in any case. -1 when it could not be read at all; what is
 * read and broken is 0 with a problem. */
static int load(
    struct store *store, const char *service, const char *id, struct store_incident *stored)
{
    char *folder = incident_folder(service, id);
    char *path = xasprintf("%s/" STORE_INCIDENT, folder);
    *stored = (struct store_incident){
        .service = xstrdup(service),
        .id = xstrdup(id),
        .location = xasprintf("%s/%s", store->where, folder),
    };
    buf_init(&stored->marks, 0);
    int status = store->backend->read(
        store->self, path, INCIDENT_TEXT_MAX, &stored->text, &stored->problem);
    if (status == 0) {
        stored->incident = incident_from_text(
            stored->text.data, stored->text.size, &stored->problem);
        if (stored->incident && check_identity(stored, &stored->problem) < 0) {
            incident_free(stored->incident);
            stored->incident = NULL;
        }
    }
    free(path);
    free(folder);
    return status;
}

/* What people noted is not worth an incident: without it, it is shown as well. */
static void load_marks(struct store *store, struct store_incident *stored)
{
    struct error err;
    if (store_read_file(store, stored, STORE_MARKS, STORE_MARKS_MAX, &stored->marks, &err) < 0)
        buf_clear(&stored->marks);
}

/* What was found waits here while what comes before it is read. */
struct delivery {
    struct store *store;
    const struct store_filter *filter;
    int (*each)(void *arg, const struct store_incident *stored);
    void *arg;
    struct store_place waiting[READ_AHEAD]; /* a ring */
    size_t first, count;
    size_t told;
    int failures; /* in a row */
    bool ended;   /* by `each`, or there are as many as were asked for */
};

/* Begins to read it. */
static void expect(const struct delivery *delivery, const struct store_place *place)
{
    const struct store *store = delivery->store;
    if (!store->backend->expect)
        return;
    char *folder = incident_folder(place->service, place->id);
    char *path = xasprintf("%s/" STORE_INCIDENT, folder);
    char *marks = xasprintf("%s/" STORE_MARKS, folder);
    struct store_span span = {.path = path};
    store->backend->expect(store->self, STORE_READ, &span, INCIDENT_TEXT_MAX);
    span.path = marks;
    if (place->marked)
        store->backend->expect(store->self, STORE_READ, &span, STORE_MARKS_MAX);
    free(marks);
    free(path);
    free(folder);
}

/* Reads no more at a time than are wanted still: what is read is paid for. */
static int fill(struct delivery *delivery, struct store_walk *walk, struct error *err)
{
    size_t most = delivery->store->backend->expect ? READ_AHEAD : 1;
    size_t limit = delivery->filter->limit;
    if (limit > 0 && limit - delivery->told < most)
        most = limit - delivery->told;
    int status = 1;
    while (delivery->count < most && status > 0) {
        struct store_place *place =
            &delivery->waiting[(delivery->first + delivery->count) % READ_AHEAD];
        status = store_walk_next(walk, place, err);
        if (status > 0) {
            expect(delivery, place);
            delivery->count++;
        }
    }
    return status < 0 ? -1 : 0;
}

static int deliver(struct delivery *delivery, struct error *err)
{
    struct store_incident stored;
    struct store *store = delivery->store;
    struct store_place *place = &delivery->waiting[delivery->first];
    int status = 0;
    bool unread = load(store, place->service, place->id, &stored) < 0;
    stored.stamp = place->stamp;
    if (place->marked)
        load_marks(store, &stored);
    delivery->failures = unread ? delivery->failures + 1 : 0;
    if (delivery->failures == READ_FAILURES_MAX && store_is_bucket(store)) {
        status = error_set(err, "%s", stored.problem.text);
    } else if (!stored.incident || stored.incident->fired_ms >= delivery->filter->since_ms) {
        delivery->ended = delivery->each(delivery->arg, &stored) != 0;
        delivery->told += stored.incident != NULL;
    }
    if (delivery->filter->limit > 0 && delivery->told == delivery->filter->limit)
        delivery->ended = true;
    stored_free(&stored);
    free(place->id);
    delivery->first = (delivery->first + 1) % READ_AHEAD;
    delivery->count--;
    return status;
}

int store_list(struct store *store, const struct store_filter *filter,
    int (*each)(void *arg, const struct store_incident *stored), void *arg, struct error *err)
{
    struct delivery delivery = {.store = store, .filter = filter, .each = each, .arg = arg};
    struct store_walk *walk = store_walk_open(
        store->backend, store->self, store->where, filter, err);
    int status = walk ? fill(&delivery, walk, err) : -1;
    while (status == 0 && delivery.count > 0) {
        status = deliver(&delivery, err);
        if (delivery.ended)
            break;
        if (status == 0)
            status = fill(&delivery, walk, err);
    }
    for (; delivery.count > 0; delivery.count--)
        free(delivery.waiting[(delivery.first + delivery.count - 1) % READ_AHEAD].id);
    store_walk_close(walk);
    return status;
}

size_t store_count(struct store *store, const struct store_filter *filter, size_t most)
{
    struct store_place place;
    size_t count = 0;
    struct store_walk *walk = store_walk_open(
        store->backend, store->self, store->where, filter, NULL);
    for (; walk && count < most && store_walk_next(walk, &place, NULL) > 0; count++)
        free(place.id);
    store_walk_close(walk);
    return count;
}

bool store_requests(const struct store *store, struct s3_count *count)
{
    if (!store->backend->count)
        return false;
    *count = store->backend->count(store->self);
    return true;
}

struct services {
    char **all;
    size_t count;
};

static int take_service(void *arg, const char *name)
{
    static const char key[] = "service=";
    struct services *services = arg;
    const char *service = name + sizeof key - 1;
    if (strncmp(name, key, sizeof key - 1) != 0 || !incident_name_valid(service))
        return 0;
    if (services->count == SERVICES_MAX)
        return 1;
    services->all = xrealloc(services->all, services->count + 1, sizeof *services->all);
    services->all[services->count++] = xstrdup(service);
    return 0;
}

static char *path_of_incident(const char *service, const char *id)
{
    char *folder = incident_folder(service, id);
    char *path = xasprintf("%s/" STORE_INCIDENT, folder);
    free(folder);
    return path;
}

static void expect_in(
    const struct store *store, const struct services *services, size_t index, const char *id)
{
    if (!store->backend->expect || index >= services->count)
        return;
    char *path = path_of_incident(services->all[index], id);
    store->backend->expect(store->self, STORE_HAS, &(struct store_span){.path = path}, 0);
    free(path);
}

/* The service that has this incident: 1 and *service (the caller frees), 0 when none has. */
static int find_service_of(struct store *store, const char *id, char **service, struct error *err)
{
    struct services services = {0};
    const struct store_span top = {.path = "", .begin = ""};
    int status = store->backend->names(store->self, &top, take_service, &services, err);
    if (status > 0) /* enough of them */
        status = 0;
    for (size_t i = 1; i < READ_AHEAD; i++)
        expect_in(store, &services, i, id);
    for (size_t i = 0; i < services.count && status == 0; i++) {
        expect_in(store, &services, i + READ_AHEAD, id);
        char *path = path_of_incident(services.all[i], id);
        status = store->backend->has(store->self, path, err);
        if (status > 0)
            *service = xstrdup(services.all[i]);
        free(path);
    }
    for (size_t i = 0; i < services.count; i++)
        free(services.all[i]);
    free(services.all);
    if (store->backend->expect)
        store->backend->expect(store->self, STORE_NOTHING, NULL, 0);
    return status;
}

struct store_incident *store_find(struct store *store, const char *id, struct error *err)
{
    if (!incident_id_valid(id)) {
        error_set(err, "this is not the id of an incident, which looks like "
                       "20261123T150401Z-cpu-high-1a2b3c");
        return NULL;
    }
    char *service = NULL;
    int status = find_service_of(store, id, &service, err);
    if (status == 0)
        error_set(err, "there is no incident %s in %s", id, store->where);
    if (status <= 0)
        return NULL;
    struct store_incident *stored = xcalloc(1, sizeof *stored);
    load(store, service, id, stored);
    free(service);
    if (stored->incident)
        return stored;
    error_set(err, "cannot use %s/incident.json: %s", stored->location, stored->problem.text);
    store_incident_free(stored);
    return NULL;
}

/* The path of a plain name in a folder, or NULL and err. */
static char *path_in(const char *folder, const char *name, struct error *err)
{
    if (incident_name_valid(name))
        return xasprintf("%s/%s", folder, name);
    error_set(err, "a file of an incident has a plain name: letters, digits, . _ -");
    return NULL;
}

static char *path_of(const struct store_incident *stored, const char *name, struct error *err)
{
    char *folder = incident_folder(stored->service, stored->id);
    char *path = path_in(folder, name, err);
    free(folder);
    return path;
}

int store_read_file(struct store *store, const struct store_incident *stored, const char *name,
    size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    char *path = path_of(stored, name, err);
    int status = path ? store->backend->read(store->self, path, max, buf, err) : -1;
    free(path);
    return status;
}

int store_open_file(struct store *store, const struct store_incident *stored, const char *name,
    uint64_t *size, struct error *err)
{
    char *path = path_of(stored, name, err);
    int fd = path ? store->backend->open(store->self, path, size, err) : -1;
    free(path);
    return fd;
}

/* Takes the path over; NULL: err is filled already. */
static int find(struct store *store, char *path, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    int status = path ? store->backend->has(store->self, path, err) : -1;
    if (status > 0)
        status = store->backend->read(store->self, path, max, buf, err) < 0 ? -1 : 1;
    free(path);
    return status;
}

int store_find_file(struct store *store, const struct store_incident *stored, const char *name,
    size_t max, struct buf *buf, struct error *err)
{
    return find(store, path_of(stored, name, err), max, buf, err);
}

int store_write_file(struct store *store, const struct store_incident *stored, const char *name,
    const void *data, size_t size, struct error *err)
{
    char *path = path_of(stored, name, err), *json = path_of(stored, STORE_INCIDENT, NULL);
    int status = path ? store->backend->has(store->self, json, err) : -1;
    if (status == 0)
        status = error_set(err, "the incident %s is not there any more", stored->id);
    else if (status > 0)
        status = store->backend->write(store->self, path, data, size, err);
    free(json);
    free(path);
    return status;
}

static char *state_path(const char *service, const char *name, struct error *err)
{
    if (!incident_name_valid(service)) {
        error_set(err, "a service's name has letters, digits, . _ - only");
        return NULL;
    }
    char *folder = xasprintf("service=%s/_state", service);
    char *path = path_in(folder, name, err);
    free(folder);
    return path;
}

int store_read_state(struct store *store, const char *service, const char *name, size_t max,
    struct buf *buf, struct error *err)
{
    return find(store, state_path(service, name, err), max, buf, err);
}

int store_write_state(struct store *store, const char *service, const char *name, const void *data,
    size_t size, struct error *err)
{
    char *path = state_path(service, name, err);
    int status = path ? store->backend->write(store->self, path, data, size, err) : -1;
    free(path);
    return status;
}
