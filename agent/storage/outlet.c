#include "agent/storage/delivery_parts.h"

#include "agent/kinds.h"
#include "agent/storage/backoff.h"
#include "agent/storage/claiming.h"
#include "agent/storage/inquiry.h"
#include "agent/storage/keeper.h"
#include "agent/storage/spool.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool outlet_has(const struct outlet *outlet, const char *id)
{
    for (size_t i = 0; i < outlet->count; i++)
        if (!strcmp(outlet->queue[i], id))
            return true;
    return false;
}

/* Lists the head's files and goes on after the last one that was sent. */
static enum finding find_files(struct outlet *outlet, struct error *err)
{
    return spool_find_files(
        outlet->delivery->spool, outlet->queue[0], &outlet->files, outlet->sent_last, err);
}

/* Takes the head off the queue; the caller frees it. */
static char *take_head(struct outlet *outlet)
{
    char *id = outlet->queue[0];
    outlet->count--;
    memmove(outlet->queue, outlet->queue + 1, outlet->count * sizeof *outlet->queue);
    incident_files_clear(&outlet->files);
    free(outlet->sent_last);
    outlet->sent_last = NULL;
    outlet->settled = false;
    outlet->settled_by_ms = 0;
    return id;
}

/* The head of the queue is with this exporter; when it was the last to get it, the spool lets go.
 */
static void head_stored(struct outlet *outlet)
{
    struct delivery *delivery = outlet->delivery;
    char *id = take_head(outlet);
    outlet->stored++;
    outlet->last_stored_wall_ms = clock_wall_ms();
    log_info("incident %s delivered to %s", id, outlet->name);
    bool others = false;
    for (size_t i = 0; i < delivery->count; i++) {
        others = others || outlet_has(delivery->outlets[i], id);
        for (size_t j = 0; delivery->outlets[i] == outlet && j < 2; j++)
            if (delivery->listeners[j].stored)
                delivery->listeners[j].stored(delivery->listeners[j].arg, id, i);
    }
    if (others)
        spool_mark_sent(delivery->spool, id, outlet_identity(outlet));
    else
        spool_remove(delivery->spool, id);
    free(id);
}

static void note_lost(struct delivery *delivery, const char *id)
{
    free(delivery->lost);
    delivery->lost = xstrdup(id);
}

static void head_lost(struct outlet *outlet)
{
    char *id = take_head(outlet);
    log_error(
        "incident %s is lost for %s: somebody else removed it from the spool", id, outlet->name);
    note_lost(outlet->delivery, id);
    free(id);
}

/* Incidents go first. */
static void keep_next(void *arg)
{
    struct outlet *outlet = arg;
    if (outlet->sending || (outlet->count > 0 && !outlet->refusing))
        return;
    outlet->sending = true; /* before it may be over again */
    if (!keeper_send(outlet->keeper))
        outlet->sending = false;
}

static void kept(void *arg)
{
    struct outlet *outlet = arg;
    outlet->sending = false;
    if (outlet->count && !outlet->refusing)
        loop_timer_set(outlet->timer, 0);
}

/* What will not work may be the incident's fault: the next one gets its turn, at once while there
 * is no time to lose. Files are looked up again, as somebody may mend or remove them. */
void outlet_back_off(struct outlet *outlet, const struct send_result *result)
{
    int64_t wait_ms = backoff_next_ms(&outlet->wait_ms, result);
    if (!outlet->error || strcmp(outlet->error, result->reason) != 0)
        log_warn("incident %s waits in the spool: %s: %s; next try in %.0f s", outlet->queue[0],
            outlet->name, result->reason, (double)wait_ms / 1000);
    free(outlet->error);
    outlet->error = xstrdup(result->reason);
    outlet->failures++;
    incident_files_clear(&outlet->files);
    outlet->settled = outlet->settled && outlet->sent_last;
    if (result->outcome == SEND_FAILED && outlet->count > 1) {
        char *id = take_head(outlet);
        outlet->queue[outlet->count++] = id;
    }
    bool at_once = outlet->delivery->hurried && result->outcome == SEND_FAILED &&
                   ++outlet->refused < outlet->count;
    outlet->failed = !at_once;
    outlet->refusing = !at_once && result->outcome == SEND_FAILED;
    loop_timer_set(outlet->timer, at_once ? 0 : clock_mono_ms() + wait_ms);
    keep_next(outlet);
}

/* Another try would end the same, so the incident is not held back for it. */
static void skip_file(struct outlet *outlet, const struct send_result *result)
{
    outlet->failures++;
    outlet->left_out++;
    free(outlet->left_out_text);
    outlet->left_out_text = xasprintf("%s of incident %s: %s",
        outlet->files.names[outlet->files.next], outlet->queue[0], result->reason);
    log_warn("%s of incident %s is left out: %s: %s", outlet->files.names[outlet->files.next],
        outlet->queue[0], outlet->name, result->reason);
}

static void forget_artifact(struct outlet *outlet)
{
    free(outlet->path);
    free(outlet->key);
    free(outlet->manifest);
    outlet->path = outlet->key = outlet->manifest = NULL;
    if (outlet->held >= 0)
        close(outlet->held);
    if (outlet->held_manifest >= 0)
        close(outlet->held_manifest);
    outlet->held = outlet->held_manifest = -1;
}

static void sent(void *arg, const struct send_result *result)
{
    struct outlet *outlet = arg;
    outlet->sending = false;
    forget_artifact(outlet);
    if (result->outcome == SEND_REJECTED) {
        skip_file(outlet, result);
    } else if (result->outcome != SEND_STORED) {
        outlet_back_off(outlet, result);
        return;
    }
    if (outlet->error && result->outcome == SEND_STORED)
        log_info("%s works again", outlet->name);
    free(outlet->error);
    outlet->error = NULL;
    outlet->wait_ms = 0;
    outlet->failed = outlet->refusing = false;
    free(outlet->sent_last);
    outlet->sent_last = xstrdup(outlet->files.names[outlet->files.next++]);
    if (outlet->files.next == outlet->files.count)
        head_stored(outlet);
    /* From the loop, not from here: exporters may call back at once. */
    loop_timer_set(outlet->timer, 0);
}

/* Exporters open it later, when it may have gone to the disk and another file have its number. */
static int hold_memory(const struct outlet *outlet, char **path)
{
    if (!spool_in_memory(outlet->delivery->spool, outlet->queue[0]))
        return -1;
    int held = open(*path, O_RDONLY | O_CLOEXEC);
    if (held < 0)
        return -1; /* the exporter says why */
    free(*path);
    *path = xasprintf("/proc/self/fd/%d", held);
    return held;
}

static void send_file(struct outlet *outlet)
{
    const char *id = outlet->queue[0];
    const char *file = outlet->files.names[outlet->files.next];
    char *to = incident_folder(outlet->delivery->service, id);
    outlet->path = spool_file(outlet->delivery->spool, id, file);
    outlet->held = hold_memory(outlet, &outlet->path);
    outlet->key = xasprintf("%s/%s", to, file);
    outlet->manifest = spool_file(outlet->delivery->spool, id, "incident.json");
    outlet->held_manifest = hold_memory(outlet, &outlet->manifest);
    free(to);
    struct artifact artifact = {
        outlet->path, outlet->key, content_type_of(file), false, outlet->manifest};
    outlet->sending = true;
    outlet->kind->send(outlet->exporter, &artifact, sent, outlet);
}

static void send_next(void *arg)
{
    struct outlet *outlet = arg;
    outlet->refusing = false; /* if it was, that was long enough ago */
    if (outlet->count == 0)
        keep_next(outlet);
    if (outlet->sending || outlet->count == 0 || !outlet_is_settled(outlet))
        return;
    struct error err = {0};
    switch (outlet->files.count ? FOUND : find_files(outlet, &err)) {
    case FOUND_IN_PART:
        log_error("incident %s is sent to %s without what the disk had of it: %s", outlet->queue[0],
            outlet->name, err.text);
        send_file(outlet);
        break;
    case FOUND:
        send_file(outlet);
        break;
    case GONE:
        head_lost(outlet);
        loop_timer_set(outlet->timer, 0);
        break;
    case UNREADABLE: {
        struct send_result result = {.outcome = SEND_FAILED};
        snprintf(result.reason, sizeof result.reason, "%s", err.text);
        outlet_back_off(outlet, &result);
        break;
    }
    }
}

void outlet_hurry(struct outlet *outlet)
{
    outlet->failed = outlet->refusing = false;
    outlet->refused = 0;
    outlet->wait_ms = 0;
    if (!outlet->sending)
        loop_timer_set(outlet->timer, 0);
}

void outlet_add(struct outlet *outlet, const char *id)
{
    outlet->queue = xrealloc(outlet->queue, outlet->count + 1, sizeof *outlet->queue);
    outlet->queue[outlet->count++] = xstrdup(id);
    /* A backoff ends with the queue that it was for: its last incident may have been removed. */
    if (outlet->delivery->hurried || outlet->wait_ms == 0 || outlet->count == 1)
        outlet_hurry(outlet);
}

bool outlet_is_for(const struct exporter_config *config)
{
    return exporter_kinds[config->kind]->send != NULL;
}

const char *outlet_identity(const struct outlet *outlet)
{
    return outlet->kind->identity(outlet->exporter);
}

void outlet_give_up(struct outlet *outlet, const char *id)
{
    if (!outlet->kind->give_up)
        return;
    char *folder = spool_folder(outlet->delivery->spool, id);
    outlet->kind->give_up(outlet->exporter, folder);
    free(folder);
}

struct outlet *outlet_open(struct delivery *delivery, const char *service,
    const struct exporter_config *config, struct error *err)
{
    const struct exporter_kind *kind = exporter_kinds[config->kind];
    struct exporter_setup setup = {.loop = delivery->loop,
        .disk = delivery->disk,
        .options = config->options,
        .service = service};
    void *exporter = kind->open(&setup, err);
    if (!exporter)
        return NULL;
    struct outlet *outlet = xcalloc(1, sizeof *outlet);
    outlet->delivery = delivery;
    outlet->config = config;
    outlet->kind = kind;
    outlet->exporter = exporter;
    outlet->held = outlet->held_manifest = -1;
    outlet->name = kind->label(exporter);
    outlet->timer = loop_timer_new(delivery->loop, send_next, outlet);
    outlet->keeper = keeper_open(&(struct keeper_setup){.loop = delivery->loop,
        .kind = kind,
        .exporter = exporter,
        .name = &outlet->name,
        .due = keep_next,
        .over = kept,
        .arg = outlet});
    outlet->inquiry = inquiry_open(kind, exporter);
    outlet->claiming = claiming_open(kind, exporter);
    return outlet;
}

void outlet_close(struct outlet *outlet)
{
    outlet->kind->close(outlet->exporter);
    loop_timer_free(outlet->timer);
    keeper_close(outlet->keeper);
    inquiry_close(outlet->inquiry);
    claiming_close(outlet->claiming);
    incident_files_clear(&outlet->files);
    for (size_t j = 0; j < outlet->count; j++)
        free(outlet->queue[j]);
    free(outlet->queue);
    free(outlet->sent_last);
    forget_artifact(outlet);
    free(outlet->progress);
    free(outlet->error);
    free(outlet->left_out_text);
    free(outlet);
}

void outlets_put(struct outlet **outlets, size_t *count, struct outlet *outlet)
{
    const char *identity = outlet_identity(outlet);
    for (size_t i = 0; i < *count; i++) {
        if (!strcmp(identity, outlet_identity(outlets[i]))) {
            log_warn("%s is there twice among the exporters: it gets each incident once", identity);
            outlet_close(outlet);
            return;
        }
        if (!strcmp(outlet->name, outlets[i]->name))
            outlet->name = identity;
    }
    outlets[(*count)++] = outlet;
}
