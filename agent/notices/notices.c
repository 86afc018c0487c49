#include "agent/notices/notices.h"

#include "agent/kinds.h"
#include "agent/notices/notice_writing.h"
#include "agent/notices/notices_parts.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_claims.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool on_known(void *arg, const struct incident *incident)
{
    const struct notices *notices = arg;
    const char *group = incident->analysis.group;
    return group && notices->setup.known(notices->setup.arg, group);
}

char *notices_review_url(const char *pattern, const char *service, const char *id)
{
    static const char id_mark[] = "{id}", service_mark[] = "{service}";
    struct buf url;
    buf_init(&url, SIZE_MAX - 1);
    while (*pattern) {
        bool is_id = !strncmp(pattern, id_mark, strlen(id_mark));
        bool is_service = !strncmp(pattern, service_mark, strlen(service_mark));
        if (is_id || is_service)
            buf_puts(&url, is_id ? id : service);
        else
            buf_append(&url, pattern, 1);
        pattern += is_id ? strlen(id_mark) : is_service ? strlen(service_mark) : 1;
    }
    return buf_take(&url);
}

/* The store that links lead to; the delivery's count: there is none. */
static size_t linking_store(const struct notices *notices)
{
    const struct delivery *delivery = notices->setup.delivery;
    size_t store = 0, count = delivery_exporters(delivery);
    while (store < count && !delivery_kind(delivery, store)->link)
        store++;
    return notices->setup.config->report_links_ms ? store : count;
}

static void give_links(const struct notices *notices, struct notifier *notifier, const char *id,
    const struct link_result *link)
{
    const struct config *config = notices->setup.config;
    struct notifier_links links = {
        .review_url = config->review_url
                          ? notices_review_url(config->review_url, config->service, id)
                          : NULL,
        .report_url = link ? link->url : NULL,
        .report_expires_ms = link ? link->expires_ms : 0};
    notifier_linked(notifier, &links);
}

static void make_link(struct notices *notices);

static void on_linked(void *arg, const struct link_result *link)
{
    struct notices *notices = arg;
    struct link_wanted wanted = notices->links[0];
    notices->link_count--;
    memmove(notices->links, notices->links + 1, notices->link_count * sizeof *notices->links);
    if (!link->url)
        log_warn("incident %s is told without a link to its report: %s", wanted.id, link->reason);
    if (wanted.notifier)
        give_links(notices, wanted.notifier, wanted.id, link);
    free(wanted.id);
    if (notices->link_count)
        make_link(notices);
}

static void make_link(struct notices *notices)
{
    const struct config *config = notices->setup.config;
    char *folder = incident_folder(config->service, notices->links[0].id);
    char *key = xasprintf("%s/report.html", folder);
    delivery_link(notices->setup.delivery, linking_store(notices), key,
        config->report_links_ms / 1000, on_linked, notices);
    free(key);
    free(folder);
}

static void on_link(void *arg, struct notifier *notifier, const char *id, bool report)
{
    struct notices *notices = arg;
    if (!report || linking_store(notices) == delivery_exporters(notices->setup.delivery)) {
        give_links(notices, notifier, id, NULL);
        return;
    }
    notices->links = xrealloc(notices->links, notices->link_count + 1, sizeof *notices->links);
    notices->links[notices->link_count++] = (struct link_wanted){notifier, xstrdup(id)};
    if (notices->link_count == 1)
        make_link(notices);
}

void notices_close_one(struct notices *notices, struct notifier *notifier)
{
    for (size_t i = 0; i < notices->link_count; i++)
        if (notices->links[i].notifier == notifier)
            notices->links[i].notifier = NULL;
    notifier_close(notifier);
}

struct notifier *notices_open_one(
    struct notices *notices, const struct exporter_config *config, struct error *err)
{
    const struct notices_setup *setup = &notices->setup;
    return notifier_open(&(struct notifier_setup){.loop = setup->loop,
                             .disk = setup->disk,
                             .folder = notices->folder,
                             .service = setup->config->service,
                             .config = config,
                             .hooks = {.known = on_known, .link = on_link, .arg = notices}},
        err);
}

bool notices_put(struct notices *notices, struct notifier *notifier)
{
    struct notifier_status status;
    notifier_status(notifier, &status);
    for (size_t i = 0; i < notices->count; i++) {
        if (strcmp(notifier_folder(notices->notifiers[i]), notifier_folder(notifier)) != 0)
            continue;
        log_warn("%s is there twice: it is told once", status.label);
        notifier_inherit(notices->notifiers[i], notifier);
        notices_close_one(notices, notifier);
        return false;
    }
    notices->notifiers = xrealloc(
        notices->notifiers, notices->count + 1, sizeof *notices->notifiers);
    notices->notifiers[notices->count++] = notifier;
    return true;
}

static bool has_namesake(const struct notices *notices, size_t index)
{
    struct notifier_status status, other;
    notifier_status(notices->notifiers[index], &status);
    for (size_t i = 0; i < notices->count; i++) {
        notifier_status(notices->notifiers[i], &other);
        if (i != index && !strcmp(status.label, other.label))
            return true;
    }
    return false;
}

void notices_tell_apart(struct notices *notices)
{
    for (size_t i = 0; i < notices->count; i++)
        notifier_tell_apart(notices->notifiers[i], has_namesake(notices, i));
}

void notices_say(const struct notifier *notifier)
{
    struct notifier_status status;
    notifier_status(notifier, &status);
    log_info("people are told of incidents through %s", status.name);
}

struct notice_party notices_party(const struct notifier *notifier)
{
    struct notifier_status status;
    notifier_status(notifier, &status);
    return (struct notice_party){.folder = notifier_folder(notifier),
        .kind = notifier_kind(notifier),
        .label = status.label};
}

struct notice_party *notices_parties(const struct notices *notices)
{
    struct notice_party *parties = xcalloc(notices->count + 1, sizeof *parties);
    for (size_t i = 0; i < notices->count; i++)
        parties[i] = notices_party(notices->notifiers[i]);
    return parties;
}

static void forget_moves(struct notices *notices)
{
    for (size_t i = 0; i < notices->moved_count; i++) {
        free(notices->moved[i].from);
        free(notices->moved[i].to);
    }
    notices->moved_count = 0;
}

/* Of one that came while it was being written it has no file, and it is not told. */
static bool was_written_for(const struct notices *notices, const struct notice_written *result,
    const struct notifier *notifier)
{
    for (char *const *folder = result->folders; *folder; folder++) {
        const char *now = *folder;
        for (size_t i = 0; i < notices->moved_count; i++)
            if (!strcmp(notices->moved[i].from, now))
                now = notices->moved[i].to;
        if (!strcmp(now, notifier_folder(notifier)))
            return true;
    }
    return false;
}

static void written(void *arg, const struct notice_written *result)
{
    struct notices *notices = arg;
    notices->writing--;
    bool known = result->group_id && notices->setup.delivery &&
                 notices->setup.known(notices->setup.arg, result->group_id);
    for (size_t i = 0; result->group && !known && i < notices->count; i++)
        if (was_written_for(notices, result, notices->notifiers[i]))
            notifier_add(notices->notifiers[i], result->id, result->group, result->text);
    if (known)
        notice_withdraw(notices->setup.disk, result);
    if (!notices->writing)
        forget_moves(notices);
}

static char **folders_of(const struct notices *notices)
{
    char **folders = xcalloc(notices->count + 1, sizeof *folders);
    for (size_t i = 0; i < notices->count; i++)
        folders[i] = xstrdup(notifier_folder(notices->notifiers[i]));
    return folders;
}

/* The one that has what a fleet has settled: what another one has may still become a duplicate.
 * SIZE_MAX: there is none. */
static size_t settling_store(const struct notices *notices)
{
    const struct config *config = notices->setup.config;
    size_t index = config_fleet_exporter(config, &config_kinds);
    bool has = config->fleet.incidents && index < config->exporter_count;
    return has ? delivery_exporter_of(notices->setup.delivery, &config->exporters[index])
               : SIZE_MAX;
}

/* Whether people are told once this one has an incident. */
static bool is_store(const struct notices *notices, size_t exporter)
{
    size_t linking = linking_store(notices), settling = settling_store(notices);
    if (linking < delivery_exporters(notices->setup.delivery))
        return exporter == linking;
    if (settling != SIZE_MAX)
        return exporter == settling;
    return delivery_kind(notices->setup.delivery, exporter)->recall != NULL;
}

/* An incident in memory is gone when the disk thread gets to it; and it has no mark. It is a memory
 * file of ours of at most INCIDENT_TEXT_MAX: reading it copies memory and waits for nothing. */
static char *content_of(const char *path)
{
    struct buf text;
    buf_init(&text, 0);
    fs_read(path, INCIDENT_TEXT_MAX, &text, NULL);
    return buf_take(&text);
}

static bool was_seen(struct notices *notices, const char *id)
{
    for (size_t i = 0; i < SEEN_MAX; i++)
        if (notices->seen[i] && !strcmp(notices->seen[i], id))
            return true;
    char **place = &notices->seen[notices->seen_count++ % SEEN_MAX];
    free(*place);
    *place = xstrdup(id);
    return false;
}

static void on_stored(void *arg, const char *id, size_t exporter)
{
    struct notices *notices = arg;
    const struct spool *spool = notices->setup.spool;
    struct delivery_status status;
    if (!notices->count || !is_store(notices, exporter) || was_seen(notices, id))
        return;
    delivery_status(notices->setup.delivery, exporter, &status);
    char *folder = incident_folder(notices->setup.config->service, id);
    char *file = spool_file(spool, id, "incident.json");
    char *report = spool_file(spool, id, "report.html");
    bool in_memory = spool_in_memory(spool, id);
    notices->writing++;
    notice_write(notices->setup.disk, &(struct notice_writing){.id = id,
                                          .incident = in_memory ? NULL : spool_folder(spool, id),
                                          .file = file,
                                          .content = in_memory ? content_of(file) : NULL,
                                          .report = in_memory && fs_exists(report),
                                          .stored = xasprintf("%s/%s", status.label, folder),
                                          .tally = xasprintf("%s/tally.json", notices->folder),
                                          .folders = folders_of(notices),
                                          .written = written,
                                          .arg = notices});
    free(report);
    free(folder);
}

/* One without a folder was not there when incidents were written for the others. */
static void take_up_all(struct notices *notices)
{
    struct notice_party *parties = notices_parties(notices);
    for (size_t i = 0; i < notices->count; i++)
        parties[i].came = !fs_exists(parties[i].folder);
    notice_heirs_settle(notices->folder, parties, notices->count);
    notice_heirs_note(notices->setup.disk, notices->folder, parties, notices->count);
    free(parties);
    for (size_t i = 0; i < notices->count; i++)
        notifier_take_up(notices->notifiers[i]);
}

static int open_all(struct notices *notices, struct error *err)
{
    const struct config *config = notices->setup.config;
    for (size_t i = 0; i < config->exporter_count; i++) {
        if (!exporter_kinds[config->exporters[i].kind]->tell)
            continue;
        struct notifier *notifier = notices_open_one(notices, &config->exporters[i], err);
        if (!notifier)
            return -1;
        notices_put(notices, notifier);
    }
    notices_tell_apart(notices);
    for (size_t i = 0; i < notices->count; i++)
        notices_say(notices->notifiers[i]);
    return 0;
}

/* What messages lead to is of no use where there are none. */
static void warn_of_idle_links(const struct notices *notices)
{
    const struct config *config = notices->setup.config;
    const char *key = config->report_links_ms ? "report_links"
                      : config->review_url    ? "review_url"
                                              : NULL;
    if (!notices->count && key)
        log_warn("%s has no effect: without export.webhook or export.sns nobody is told of "
                 "incidents",
            key);
}

struct notices *notices_open(const struct notices_setup *setup, struct error *err)
{
    struct notices *notices = xcalloc(1, sizeof *notices);
    notices->setup = *setup;
    notices->folder = xasprintf("%s/notices", setup->config->state);
    notice_recover(setup->spool, notices->folder);
    if (open_all(notices, err) < 0) {
        notices_stop(notices);
        notices_close(notices);
        return NULL;
    }
    warn_of_idle_links(notices);
    take_up_all(notices);
    delivery_on_stored(setup->delivery, on_stored, notices);
    return notices;
}

void notices_stop(struct notices *notices)
{
    if (!notices)
        return;
    delivery_on_stored(notices->setup.delivery, NULL, notices);
    for (size_t i = 0; i < notices->count; i++)
        notices_close_one(notices, notices->notifiers[i]);
    notices->count = 0;
    notices->setup.delivery = NULL;
}

void notices_close(struct notices *notices)
{
    if (!notices)
        return;
    for (size_t i = 0; i < notices->link_count; i++)
        free(notices->links[i].id);
    for (size_t i = 0; i < SEEN_MAX; i++)
        free(notices->seen[i]);
    forget_moves(notices);
    free(notices->moved);
    free(notices->links);
    free(notices->notifiers);
    free(notices->folder);
    free(notices);
}

bool notices_are_linking(const struct notices *notices)
{
    return notices && notices->link_count > 0;
}

void notices_hurry(struct notices *notices)
{
    for (size_t i = 0; i < notices_notifiers(notices); i++)
        notifier_hurry(notices->notifiers[i]);
}

bool notices_are_over(const struct notices *notices)
{
    if (!notices)
        return true;
    bool over = notices->writing == 0;
    for (size_t i = 0; i < notices->count; i++)
        over = over && notifier_is_over(notices->notifiers[i]);
    return over;
}

size_t notices_notifiers(const struct notices *notices)
{
    return notices ? notices->count : 0;
}

void notices_status(const struct notices *notices, size_t index, struct notifier_status *status)
{
    notifier_status(notices->notifiers[index], status);
}
