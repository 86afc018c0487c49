#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"
#include "review/web/web_incident.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

#include <string.h>

enum { FILE_MAX = 256 << 20 };

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

static unsigned read_file(struct store *store, const char *id, const char *name,
    struct web_reply *reply, struct error *err)
{
    struct store_incident *stored = store_find(store, id, err);
    if (!stored)
        return 404;
    unsigned status = 200;
    if (!is_listed(stored->incident, name)) {
        error_set(err, "The incident lists no file %s.", name);
        status = 404;
    } else if (store_read_file(store, stored, name, FILE_MAX, &reply->body, err) < 0) {
        status = 404;
    }
    store_incident_free(stored);
    return status;
}

void web_incident_file(
    struct web_site *site, const char *id, const char *name, struct web_reply *reply)
{
    struct error err = {""};
    struct store *store = web_stores_take(site->stores, &err);
    unsigned status = store ? read_file(store, id, name, reply, &err) : 503;
    web_stores_give(site->stores, store);
    if (status != 200) {
        web_page_problem(site, reply, status, err.text);
        return;
    }
    reply->type = "application/octet-stream";
    reply->attachment = xstrdup(name);
}
