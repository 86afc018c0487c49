#include "agent/notices/notices.h"

#include "agent/kinds.h"
#include "agent/notices/notice_writing.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_claims.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "config/config_changes.h"
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

struct link_wanted {
    struct notifier *notifier; /* NULL: it is gone */
    char *id;
};

enum { SEEN_MAX = 64 };

struct notices {
    struct notices_setup setup; /* delivery NULL: it is closed */
    char *folder;               /* <state>/notices */
    struct notifier **notifiers;
    size_t count;
    size_t writing;       /* jobs on the disk thread */
    char *seen[SEEN_MAX]; /* ids of what this run was asked about lately */
    size_t seen_count;
    /* Links that notifiers wait for; [0] is being made. */
    struct link_wanted *links;
    size_t link_count;
};

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

static struct notifier *open_one(
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

/* One destination only once. */
static void put(struct notices *notices, struct notifier *notifier, bool is_new)
{
    struct notifier_status status;
    notifier_status(notifier, &status);
    for (size_t i = 0; i < notices->count; i++) {
        if (strcmp(notifier_folder(notices->notifiers[i]), notifier_folder(notifier)) != 0)
            continue;
        log_warn("%s is there twice: it is told once", status.label);
        notifier_close(notifier);
        return;
    }
    notices->notifiers = xrealloc(
        notices->notifiers, notices->count + 1, sizeof *notices->notifiers);
    notices->notifiers[notices->count++] = notifier;
    if (is_new)
        log_info("people are told of incidents through %s", status.label);
}

static bool is_ours(const struct notices *notices, const char *name)
{
    for (size_t i = 0; i < notices->count; i++)
        if (!strcmp(strrchr(notifier_folder(notices->notifiers[i]), '/') + 1, name))
            return true;
    return false;
}

static int count_one(void *arg, const char *name)
{
    size_t *count = arg;
    *count += name[0] != '.';
    return 0;
}

/* Folders of notifiers that the configuration has not any more. */
static int remove_stale(void *arg, const char *name)
{
    const struct notices *notices = arg;
    if (strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16 && !is_ours(notices, name)) {
        char *path = xasprintf("%s/%s", notices->folder, name);
        size_t count = 0;
        fs_each(path, count_one, &count, NULL);
        if (count)
            log_warn("nobody is told of %zu incident%s that waited for a webhook or topic which is "
                     "not in the configuration any more",
                count, count == 1 ? "" : "s");
        fs_remove(path, NULL);
        free(path);
    }
    return 0;
}

/* Of one that came while it was being written it has no file, and it is not told. */
static bool was_written_for(const struct notice_written *result, const struct notifier *notifier)
{
    for (char *const *folder = result->folders; *folder; folder++)
        if (!strcmp(*folder, notifier_folder(notifier)))
            return true;
    return false;
}

static void written(void *arg, const struct notice_written *result)
{
    struct notices *notices = arg;
    notices->writing--;
    bool known = result->group_id && notices->setup.delivery &&
                 notices->setup.known(notices->setup.arg, result->group_id);
    for (size_t i = 0; result->group && !known && i < notices->count; i++)
        if (was_written_for(result, notices->notifiers[i]))
            notifier_add(notices->notifiers[i], result->id, result->group, result->text);
    if (known)
        notice_withdraw(notices->setup.disk, result);
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

/* An incident in memory is gone when the disk thread gets to it; and it has no mark. */
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
                                          .report = fs_exists(report),
                                          .stored = xasprintf("%s/%s", status.label, folder),
                                          .tally = xasprintf("%s/tally.json", notices->folder),
                                          .folders = folders_of(notices),
                                          .written = written,
                                          .arg = notices});
    free(report);
    free(folder);
}

static int open_all(struct notices *notices, struct error *err)
{
    const struct config *config = notices->setup.config;
    for (size_t i = 0; i < config->exporter_count; i++) {
        if (!exporter_kinds[config->exporters[i].kind]->tell)
            continue;
        struct notifier *notifier = open_one(notices, &config->exporters[i], err);
        if (!notifier)
            return -1;
        put(notices, notifier, true);
    }
    return 0;
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
    if (fs_exists(notices->folder))
        fs_each(notices->folder, remove_stale, notices, NULL);
    delivery_on_stored(setup->delivery, on_stored, notices);
    return notices;
}

static void close_one(struct notices *notices, struct notifier *notifier)
{
    for (size_t i = 0; i < notices->link_count; i++)
        if (notices->links[i].notifier == notifier)
            notices->links[i].notifier = NULL;
    notifier_close(notifier);
}

void notices_stop(struct notices *notices)
{
    if (!notices)
        return;
    delivery_on_stored(notices->setup.delivery, NULL, NULL);
    for (size_t i = 0; i < notices->count; i++)
        close_one(notices, notices->notifiers[i]);
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
    free(notices->links);
    free(notices->notifiers);
    free(notices->folder);
    free(notices);
}

/* Its files stay: another one with the same destination takes them up, else the next start removes
 * them. */
static void leave(struct notices *notices, struct notifier *notifier)
{
    struct notifier_status status;
    notifier_status(notifier, &status);
    log_info("people are no longer told of incidents through %s as it was; %zu waited",
        status.label, status.waiting);
    close_one(notices, notifier);
}

/* The notifier with these options, taken out of the list, or NULL. */
static struct notifier *take_same(
    struct notifier **list, size_t count, const struct exporter_config *config)
{
    for (size_t i = 0; i < count; i++) {
        struct notifier *notifier = list[i];
        if (!notifier || !config_same_exporter(notifier_config(notifier), config, &config_kinds))
            continue;
        list[i] = NULL;
        notifier_configured(notifier, config);
        return notifier;
    }
    return NULL;
}

/* Those that stay go on with what they do; those that go are closed before others take over their
 * folders. */
void notices_reload(struct notices *notices, const struct config *config)
{
    struct notifier **before = notices->notifiers;
    size_t count = notices->count, most = config->exporter_count;
    struct notifier **kept = xcalloc(most + 1, sizeof *kept);
    for (size_t i = 0; i < most; i++)
        kept[i] = take_same(before, count, &config->exporters[i]);
    for (size_t i = 0; i < count; i++)
        if (before[i])
            leave(notices, before[i]);
    free(before);
    notices->notifiers = NULL;
    notices->count = 0;
    notices->setup.config = config;
    for (size_t i = 0; i < most; i++) {
        struct error err;
        const struct exporter_config *exporter = &config->exporters[i];
        bool tells = exporter_kinds[exporter->kind]->tell != NULL;
        struct notifier *notifier = kept[i] || !tells ? kept[i] : open_one(notices, exporter, &err);
        if (notifier)
            put(notices, notifier, !kept[i]);
        else if (tells)
            log_error("nobody is told of incidents through export.%s: %s",
                exporter_kinds[exporter->kind]->kind.name, err.text);
    }
    free(kept);
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
