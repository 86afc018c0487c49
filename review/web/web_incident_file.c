#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"
#include "review/web/web_incident.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From a bucket a file comes through memory, which holds it until the browser has it all. */
enum { BUCKET_FILE_MAX = 64 << 20, BUCKET_AT_ONCE = 2, BUCKET_WAIT_S = 20 };

/* Of the whole process, like its memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int under_way;

/* False: others are under way, and go on being so. */
static bool enter(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += BUCKET_WAIT_S;
    int code = 0;
    pthread_mutex_lock(&lock);
    while (under_way == BUCKET_AT_ONCE && code == 0)
        code = pthread_cond_timedwait(&freed, &lock, &until);
    bool entered = under_way < BUCKET_AT_ONCE;
    under_way += entered;
    pthread_mutex_unlock(&lock);
    return entered;
}

static void leave(void *data)
{
    free(data);
    pthread_mutex_lock(&lock);
    under_way--;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&lock);
}

/* Whether it is one of the incident's: anything else in its folder is somebody else's. */
static bool is_listed(const struct incident *incident, const char *name)
{
    if (!strcmp(name, "incident.json") || !strcmp(name, "report.html"))
        return true;
    if (incident->metrics_file && !strcmp(name, incident->metrics_file))
        return true;
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].file && !strcmp(name, incident->profiles[i].file))
            return true;
    return false;
}

static unsigned read_bucket(struct store *store, const struct store_incident *stored,
    const char *name, struct web_reply *reply, struct error *err)
{
    if (!enter()) {
        error_set(err,
            "%d files are being downloaded from the bucket: try again when they are done.",
            BUCKET_AT_ONCE);
        return 503;
    }
    struct buf file;
    int status = store_read_file(store, stored, name, BUCKET_FILE_MAX, &file, err);
    if (status < 0) {
        buf_free(&file);
        leave(NULL);
        return 404;
    }
    buf_free(&reply->body);
    reply->body = file;
    reply->release = leave;
    return 200;
}

static unsigned open_folder(struct store *store, const struct store_incident *stored,
    const char *name, struct web_reply *reply, struct error *err)
{
    reply->file = store_open_file(store, stored, name, &reply->file_size, err);
    return reply->file < 0 ? 404 : 200;
}

static unsigned find_file(struct store *store, const char *id, const char *name,
    struct web_reply *reply, struct error *err)
{
    struct store_incident *stored = store_find(store, id, err);
    if (!stored)
        return 404;
    unsigned status = 200;
    if (!is_listed(stored->incident, name)) {
        error_set(err, "The incident lists no file %s.", name);
        status = 404;
    } else if (store_is_bucket(store)) {
        status = read_bucket(store, stored, name, reply, err);
    } else {
        status = open_folder(store, stored, name, reply, err);
    }
    store_incident_free(stored);
    return status;
}

void web_incident_file(
    struct web_site *site, const char *id, const char *name, struct web_reply *reply)
{
    struct error err = {""};
    struct store *store = web_stores_take(site->stores, &err);
    unsigned status = store ? find_file(store, id, name, reply, &err) : 503;
    web_stores_give(site->stores, store);
    if (status != 200) {
        web_page_problem(site, reply, status, err.text);
        return;
    }
    reply->type = "application/octet-stream";
    reply->attachment = xstrdup(name);
}
