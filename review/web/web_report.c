#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/analysis/reanalysis.h"
#include "review/evidence/evidence.h"
#include "review/history/history.h"
#include "review/page/embedded.h"
#include "review/page/html.h"
#include "review/page/report.h"
#include "review/store/store.h"
#include "review/web/assets.h"
#include "review/web/web_cache.h"
#include "review/web/web_incident.h"
#include "review/web/web_index.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_reading.h"
#include "review/web/web_tools.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

EMBEDDED(web_css);
EMBEDDED(web_js);

enum { NONCE_SIZE = 32 + 1, PAGE_MAX = 2 * REPORT_MAX };

/* Stands for the nonce in a report that is kept; every answer gets another one. */
static const char nonce_place[NONCE_SIZE] = "nonce-of-this-answer-goes-here--";

/* What is kept of a report: the text, and where what changes goes into it. */
struct kept {
    size_t navigation_at, actions_at;
};

/* While a report is made. */
struct making {
    struct web_site *site;
    struct kept kept;
};

static void note_navigation(void *arg, struct buf *out)
{
    struct making *making = arg;
    making->kept.navigation_at = out->size;
}

static void note_actions(void *arg, struct buf *out)
{
    struct making *making = arg;
    making->kept.actions_at = out->size;
}

static char *link_incident(void *arg, const char *id)
{
    const struct making *making = arg;
    struct web_index_view view = web_index_hold(making->site->index);
    bool there = incident_id_valid(id) && web_index_find(&view, id);
    web_index_release(making->site->index);
    return there ? xasprintf("/incident/%s", id) : NULL;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), end = strlen(suffix);
    return length >= end && !strcmp(text + length - end, suffix);
}

/* Names of files and ids are plain, so that they need no escaping in an address. */
static struct report_link *make_links(const struct incident *incident)
{
    struct report_link *links = xcalloc(incident->profile_count + 1, sizeof *links);
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (!profile->file || profile->status == PROFILE_FAILED)
            continue;
        links[i].download = xasprintf("/incident/%s/%s", incident->id, profile->file);
        if (asset_has_speedscope() && has_suffix(profile->file, ".pb.gz"))
            links[i].speedscope = xasprintf(
                "/speedscope/#profileURL=%%2Fincident%%2F%s%%2F%s&title=%s&view=left-heavy",
                incident->id, profile->file, profile->file);
    }
    return links;
}

static void free_links(struct report_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(links[i].download);
        free(links[i].speedscope);
    }
    free(links);
}

static void make(struct making *making, struct evidence *evidence, const struct history *history,
    struct buf *out)
{
    const char *const styles[] = {web_css, NULL}, *const scripts[] = {web_js, NULL};
    struct report_link *links = make_links(evidence->incident);
    const struct report_extras extras = {
        .history = history,
        .nonce = nonce_place,
        .links = links,
        .incident_link = link_incident,
        .put_navigation = note_navigation,
        .put_actions = note_actions,
        .arg = making,
        .styles = styles,
        .scripts = scripts,
    };
    report_write(out, evidence, &extras);
    free_links(links, evidence->incident->profile_count);
}

/* The group's history as seen from the incident, and the stamp of its incident.json; -1 when the
 * index does not have it (yet). */
static int find_history(
    struct web_site *site, const char *id, struct history *history, uint64_t *stamp)
{
    *history = (struct history){.count = 0};
    struct web_index_view view = web_index_hold(site->index);
    const struct web_summary *summary = web_index_find(&view, id);
    int status = -1;
    *stamp = summary ? summary->stamp : 0;
    if (summary)
        status = history_of(web_index_book(site->index), summary->service, summary->group, id,
            web_index_known(site->index, summary->service), clock_wall_ms(), history);
    web_index_release(site->index);
    return status;
}

/* A report says what its group's history was: with another history it is another one, and so it is
 * when its incident was written again. */
static char *key_of(const char *id, uint64_t stamp, const struct history *history)
{
    return xasprintf("%s %" PRIx64 " %zu %lld %d %s %s", id, stamp, history->count,
        (long long)history->last_ms, history->known,
        history->verdict_text ? history->verdict_text : "", history->trend ? history->trend : "");
}

/* The parts are kept in front of the text. */
static void keep(
    struct web_site *site, const char *key, const struct kept *kept, const struct buf *text)
{
    char *all = xcalloc(sizeof *kept + text->size, 1);
    memcpy(all, kept, sizeof *kept);
    memcpy(all + sizeof *kept, text->data, text->size);
    web_cache_put(site->reports, key, all, sizeof *kept + text->size);
    free(all);
}

static bool recall(struct web_site *site, const char *key, struct kept *kept, struct buf *text)
{
    struct buf all;
    buf_init(&all, PAGE_MAX);
    bool found = web_cache_get(site->reports, key, &all) && all.size >= sizeof *kept;
    if (found) {
        memcpy(kept, all.data, sizeof *kept);
        buf_append(text, all.data + sizeof *kept, all.size - sizeof *kept);
    }
    buf_free(&all);
    return found;
}

/* The report from the cache, or made now. */
static int get_report(
    struct web_site *site, const char *id, struct kept *kept, struct buf *text, struct error *err)
{
    struct history history;
    struct web_reading reading;
    uint64_t stamp;
    const struct reanalysis_wish wish = {.baseline = true, .inflated_bytes = REANALYSIS_MAX};
    bool has_history = find_history(site, id, &history, &stamp) == 0;
    char *key = key_of(id, stamp, &history);
    int status = 0;
    if (!recall(site, key, kept, text)) {
        struct making making = {.site = site};
        web_reading_enter();
        status = web_reading_make(&reading, site, id, &wish, err);
        if (status == 0) {
            make(&making, reading.evidence, has_history ? &history : NULL, text);
            *kept = making.kept;
            keep(site, key, kept, text);
        }
        web_reading_free(&reading);
        web_reading_leave();
    }
    free(key);
    history_free(&history);
    return status;
}

static void set_nonce(struct buf *text, const char nonce[NONCE_SIZE])
{
    const size_t length = NONCE_SIZE - 1;
    char *at = text->data, *end = text->data + text->size;
    while ((at = memmem(at, (size_t)(end - at), nonce_place, length))) {
        memcpy(at, nonce, length);
        at += length;
    }
}

static void set_policy(struct web_reply *reply, const char nonce[NONCE_SIZE])
{
    reply->own_policy = xasprintf(
        "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        nonce, nonce);
    reply->policy = reply->own_policy;
}

void web_incident_page(struct web_site *site, const char *id, struct web_reply *reply)
{
    struct buf text;
    struct kept kept = {0};
    struct error err = {""};
    char nonce[NONCE_SIZE];
    buf_init(&text, PAGE_MAX);
    if (get_report(site, id, &kept, &text, &err) < 0) {
        web_page_problem(site, reply, 404, err.text);
    } else {
        struct buf *out = &reply->body;
        web_guard_secret(nonce, sizeof nonce);
        set_nonce(&text, nonce);
        set_policy(reply, nonce);
        buf_append(out, text.data, kept.navigation_at);
        web_tools_navigation(out, site, id);
        buf_append(out, text.data + kept.navigation_at, kept.actions_at - kept.navigation_at);
        web_tools_actions(out, site, id);
        buf_append(out, text.data + kept.actions_at, text.size - kept.actions_at);
    }
    buf_free(&text);
}
