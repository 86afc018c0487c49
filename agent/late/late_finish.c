#include "agent/incidents/reports.h"
#include "agent/late/late_parts.h"
#include "agent/self/worker.h"
#include "agent/storage/delivery.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the disk thread has of it: nothing of the list, which may change meanwhile. */
struct adding {
    struct late_one *one;
    struct late_lines *lines;
    size_t count;
    struct late_window window;
    char *folder;
    int64_t now_ms;
    int status;
    struct error err;
};

static void add_in(void *arg)
{
    struct adding *adding = arg;
    adding->status = late_files_add(adding->folder, adding->lines, adding->count, &adding->window,
        adding->now_ms, &adding->err);
}

static void over(struct late_one *one)
{
    struct late *late = one->late;
    late->adding = NULL;
    one->state = LATE_READY;
    if (one->dropped)
        late_drop(late, one);
    late_look(late);
}

static void on_reported(void *arg, int status, const char *why)
{
    struct late_one *one = arg;
    if (status != 0)
        log_warn("the report of incident %s is made without rds.*: %s", one->id, why);
    over(one);
}

/* As agent/incidents/reports.h has it made. */
static void report(struct late_one *one)
{
    const struct late_setup *setup = &one->late->setup;
    char why[REPORTS_WHY_SIZE];
    bool is_short = setup->short_of_memory && setup->short_of_memory(setup->arg, why);
    if (is_short)
        log_warn("the report of incident %s is made without rds.*: %s", one->id, why);
    if (is_short || setup->config->limits.analyse != ANALYSE_AGENT || one->late->stopped) {
        over(one);
        return;
    }
    char *baselines = xasprintf("%s/baselines", setup->config->state);
    const char *const argv[] = {"stakeout", "report", "--baselines", baselines, one->folder, NULL};
    struct worker_task task = {.argv = argv,
        .deadline_ms = clock_mono_ms() + REPORTS_WAIT_MS,
        .done = on_reported,
        .arg = one};
    worker_submit(setup->worker, &task);
    free(baselines);
}

static void on_added(void *arg)
{
    struct adding *adding = arg;
    struct late_one *one = adding->one;
    free(adding->lines);
    free(adding->folder);
    if (adding->status < 0) {
        log_warn("incident %s stays without rds.*: %s", one->id, adding->err.text);
        one->dropped = true;
        over(one);
    } else {
        one->window.added = true;
        report(one);
    }
    free(adding);
}

/* What came lies with the one, which stays until this is over. */
void late_add(struct late *late, struct late_one *one)
{
    late->adding = one;
    one->state = LATE_ADDING;
    if (one->window.added) { /* by an earlier run */
        report(one);
        return;
    }
    struct adding *adding = xcalloc(1, sizeof *adding);
    adding->one = one;
    adding->count = late->database_count;
    adding->lines = xcalloc(adding->count, sizeof *adding->lines);
    for (size_t i = 0; i < adding->count; i++)
        adding->lines[i] = (struct late_lines){late->databases[i].series, &one->lines[i]};
    adding->window = one->window;
    adding->folder = xstrdup(one->folder);
    adding->now_ms = clock_wall_ms();
    offload_submit(late->setup.disk, add_in, on_added, adding);
}

static bool has_it(const struct late *late, const struct late_one *one, size_t exporter)
{
    char name[LATE_NAME_SIZE];
    late_exporter_name(late, exporter, name);
    for (size_t i = 0; i < one->stored_count; i++)
        if (!strcmp(one->stored[i], name))
            return true;
    return false;
}

/* incident.json comes last, as always. */
static void send_to(const struct late *late, const struct late_one *one, size_t exporter)
{
    static const char *const names[] = {"metrics.csv", "report.html", "incident.json"};
    char *key_folder = incident_folder(late->setup.config->service, one->id);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = xasprintf("%s/%s", one->folder, names[i]);
        char *key = xasprintf("%s/%s", key_folder, names[i]);
        if (fs_exists(path))
            delivery_update(late->setup.delivery, exporter, path, key);
        free(path);
        free(key);
    }
    free(key_folder);
}

void late_send(struct late *late, struct late_one *one)
{
    struct delivery *delivery = late->setup.delivery;
    size_t sent = 0;
    if (reports_has(late->setup.reports, one->id) ||
        delivery_progress(delivery, one->id, NULL) != DELIVERY_STORED)
        return;
    for (size_t i = 0; i < delivery_exporters(delivery); i++) {
        if (delivery_kind(delivery, i)->kind.stores_none || !has_it(late, one, i))
            continue;
        send_to(late, one, i);
        sent++;
    }
    one->state = LATE_SENDING;
    if (sent)
        log_info("incident %s is completed with rds.*", one->id);
}
