#include "review/store/store.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "review/store/store_backend.h"

#include <stdlib.h>
#include <string.h>

#define INCIDENT_FILE "incident.json"

enum {
    PLACES_MAX = 1000000,
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

/* Names found on the way down, each with the service that it belongs to. */
struct place {
    char *service;
    char *name;  /* a date or an id */
    bool marked; /* has STORE_MARKS */
    uint64_t stamp;
};

struct places {
    struct place *all;
    size_t count, capacity;
};

static void places_free(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->all[i].service);
        free(places->all[i].name);
    }
    free(places->all);
    *places = (struct places){0};
}

static int places_add(
    struct places *places, const char *service, const char *name, bool marked, uint64_t stamp)
{
    if (places->count == PLACES_MAX)
        return 1;
    if (places->count == places->capacity) {
        places->capacity = places->capacity ? places->capacity * 2 : 64;
        places->all = xrealloc(places->all, places->capacity, sizeof *places->all);
    }
    places->all[places->count++] = (struct place){xstrdup(service), xstrdup(name), marked, stamp};
    return 0;
}

/* Newest first: dates and ids sort as text like the times in them. */
static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = strcmp(b->name, a->name);
    return order ? order : strcmp(a->service, b->service);
}

static void places_sort(struct places *places)
{
    if (places->count > 1)
        qsort(places->all, places->count, sizeof *places->all, compare_places);
}

struct search {
    struct store *store;
    const struct store_filter *filter;
    char since_date[sizeof "2026-11-23"];
    struct places *found;
    const char *service; /* whose dates or ids are looked for */
};

static int take_service(void *arg, const char *name)
{
    static const char key[] = "service=";
    struct search *search = arg;
    const char *service = name + sizeof key - 1;
    if (strncmp(name, key, sizeof key - 1) != 0 || !incident_name_valid(service))
        return 0;
    return places_add(search->found, service, "", false, 0);
}

static int take_date(void *arg, const char *name)
{
    static const char key[] = "date=";
    struct search *search = arg;
    const char *date = name + sizeof key - 1;
    if (strncmp(name, key, sizeof key - 1) != 0 || strlen(date) != sizeof search->since_date - 1)
        return 0;
    bool wanted = date[4] == '-' && date[7] == '-' &&
                  strspn(date, "0123456789-") == sizeof search->since_date - 1 &&
                  strcmp(date, search->since_date) >= 0;
    return wanted ? places_add(search->found, search->service, date, false, 0) : 0;
}

static int take_id(void *arg, const char *id, bool marked, uint64_t stamp)
{
    struct search *search = arg;
    const struct store_filter *filter = search->filter;
    int64_t fired_ms;
    if (!incident_id_valid(id) || incident_id_time(id, &fired_ms) < 0)
        return 0;
    /* An id has whole seconds only: the exact time is compared once it is known. */
    if (filter->since_ms > fired_ms + 999)
        return 0;
    if (filter->trigger && !incident_id_is_of(id, filter->trigger))
        return 0;
    if (filter->wanted && !filter->wanted(filter->arg, search->service, id, stamp))
        return 0;
    return places_add(search->found, search->service, id, marked, stamp);
}

static int check_count(const struct store *store, int status, struct error *err)
{
    if (status > 0)
        return error_set(err,
            "%s holds more than %d incidents in one place; narrow it down with "
            "a service",
            store->where, PLACES_MAX);
    return status;
}

static int find_services(struct search *search, struct places *services, struct error *err)
{
    struct store *store = search->store;
    search->found = services;
    if (search->filter->service) {
        if (!incident_name_valid(search->filter->service))
            return error_set(err, "a service's name has letters, digits, . _ - only");
        return places_add(services, search->filter->service, "", false, 0);
    }
    int status = store->backend->names(store->self, "", take_service, search, err);
    return check_count(store, status, err);
}

static int find_dates(
    struct search *search, const struct places *services, struct places *dates, struct error *err)
{
    struct store *store = search->store;
    int status = 0;
    search->found = dates;
    for (size_t i = 0; i < services->count && status == 0; i++) {
        search->service = services->all[i].service;
        char *path = xasprintf("service=%s", search->service);
        status = store->backend->names(store->self, path, take_date, search, err);
        free(path);
    }
    places_sort(dates);
    return check_count(store, status, err);
}

static int find_ids(struct search *search, const struct place *dates, size_t count,
    struct places *ids, struct error *err)
{
    struct store *store = search->store;
    const char *const files[2] = {INCIDENT_FILE, search->filter->marks ? STORE_MARKS : NULL};
    int status = 0;
    search->found = ids;
    for (size_t i = 0; i < count && status == 0; i++) {
        search->service = dates[i].service;
        char *path = xasprintf("service=%s/date=%s", dates[i].service, dates[i].name);
        status = store->backend->holders(store->self, path, files, take_id, search, err);
        free(path);
    }
    places_sort(ids);
    return check_count(store, status, err);
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
    char *path = xasprintf("%s/" INCIDENT_FILE, folder);
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

struct delivery {
    int (*each)(void *arg, const struct store_incident *stored);
    void *arg;
    int failures; /* in a row */
    bool ended;   /* by `each` */
};

static int deliver(
    struct search *search, const struct place *place, struct delivery *delivery, struct error *err)
{
    struct store_incident stored;
    bool unread = load(search->store, place->service, place->name, &stored) < 0;
    int status = 0;
    stored.stamp = place->stamp;
    if (place->marked)
        load_marks(search->store, &stored);
    delivery->failures = unread ? delivery->failures + 1 : 0;
    if (delivery->failures == READ_FAILURES_MAX && store_is_bucket(search->store))
        status = error_set(err, "%s", stored.problem.text);
    else if (!stored.incident || stored.incident->fired_ms >= search->filter->since_ms)
        delivery->ended = delivery->each(delivery->arg, &stored) != 0;
    stored_free(&stored);
    return status;
}

/* All incidents of one date, of every service that has it. */
static int list_date(struct search *search, const struct place *dates, size_t count,
    struct delivery *delivery, struct error *err)
{
    struct places ids = {0};
    int status = find_ids(search, dates, count, &ids, err);
    for (size_t i = 0; i < ids.count && status == 0 && !delivery->ended; i++)
        status = deliver(search, &ids.all[i], delivery, err);
    places_free(&ids);
    return status;
}

int store_list(struct store *store, const struct store_filter *filter,
    int (*each)(void *arg, const struct store_incident *stored), void *arg, struct error *err)
{
    struct search search = {.store = store, .filter = filter};
    struct delivery delivery = {.each = each, .arg = arg};
    struct places services = {0}, dates = {0};
    if (filter->since_ms != INT64_MIN) {
        char text[RFC3339_SIZE];
        rfc3339_format(filter->since_ms, text);
        memcpy(search.since_date, text, sizeof search.since_date - 1);
    }
    int status = find_services(&search, &services, err);
    if (status == 0)
        status = find_dates(&search, &services, &dates, err);
    for (size_t i = 0, next; i < dates.count && status == 0 && !delivery.ended; i = next) {
        next = i + 1;
        while (next < dates.count && !strcmp(dates.all[next].name, dates.all[i].name))
            next++;
        status = list_date(&search, &dates.all[i], next - i, &delivery, err);
    }
    places_free(&services);
    places_free(&dates);
    return status;
}

/* The service that has this incident: 1 and *service (the caller frees), 0 when none has. */
static int find_service_of(struct store *store, const char *id, char **service, struct error *err)
{
    struct store_filter all = {.since_ms = INT64_MIN};
    struct search search = {.store = store, .filter = &all};
    struct places services = {0};
    int status = find_services(&search, &services, err);
    for (size_t i = 0; i < services.count && status == 0; i++) {
        char *folder = incident_folder(services.all[i].service, id);
        char *path = xasprintf("%s/" INCIDENT_FILE, folder);
        status = store->backend->has(store->self, path, err);
        if (status > 0)
            *service = xstrdup(services.all[i].service);
        free(path);
        free(folder);
    }
    places_free(&services);
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
    char *path = path_of(stored, name, err), *json = path_of(stored, INCIDENT_FILE, NULL);
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
