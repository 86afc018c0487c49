#include "agent/statements/watched.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident_statements.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

/* What a look is made of may be among what took longest: its queries, its settings, and the bounds
 * of its transaction. */
enum { OWN_STATEMENTS = 8 };

_Static_assert(STATEMENTS_MAX + OWN_STATEMENTS <= LOOK_TEXTS_MAX, "a look has room for them");

static const int64_t calm_ms = 60000, busy_ms = 5000, first_ms = 1000;
static const int64_t longest_wait_ms = 600000; /* between looks that fail, doubled from a minute */

const struct snapshot *watched_before(const struct watched *watched, int64_t begin_ms)
{
    const struct snapshot *found = watched->count ? &watched->snapshots[0] : NULL;
    for (size_t i = 1; i < watched->count && watched->snapshots[i].time_ms <= begin_ms; i++)
        found = &watched->snapshots[i];
    return found;
}

const struct look_text *watched_text(const struct watched *watched, int64_t id)
{
    for (size_t i = 0; i < WATCHED_TEXTS; i++)
        if (watched->texts[i].id == id && watched->texts[i].text)
            return &watched->texts[i];
    return NULL;
}

static void remove_snapshot(struct watched *watched, size_t index)
{
    snapshot_free(&watched->snapshots[index]);
    watched->count--;
    memmove(&watched->snapshots[index], &watched->snapshots[index + 1],
        (watched->count - index) * sizeof *watched->snapshots);
}

/* An onset may lie some time before its fire, so of calm time the last two minutes are kept; while
 * an incident lasts, what came between its beginning and the newest is of no use. */
static void keep_snapshot(struct watched *watched, struct snapshot *snapshot)
{
    bool busy = watched->begin_ms != INT64_MAX;
    int64_t limit_ms = busy ? watched->begin_ms : snapshot->time_ms - calm_ms;
    while (watched->count > 1 && watched->snapshots[1].time_ms <= limit_ms)
        remove_snapshot(watched, 0);
    while (watched->count > 1 && (busy || watched->count == WATCHED_SNAPSHOTS))
        remove_snapshot(watched, watched->count - 1);
    watched->snapshots[watched->count++] = *snapshot;
    *snapshot = (struct snapshot){.rows = NULL};
}

static void keep_activity(struct watched *watched, struct activity *activity)
{
    activity_free(&watched->activity);
    watched->activity = *activity;
    *activity = (struct activity){.rows = NULL};
}

static void keep_texts(struct watched *watched, struct look *look)
{
    for (size_t i = 0; i < look->text_count; i++) {
        struct look_text *text = &look->texts[i], *place = &watched->texts[watched->next_text];
        if (!text->text)
            continue;
        free(place->text);
        *place = *text;
        text->text = NULL;
        watched->next_text = (watched->next_text + 1) % WATCHED_TEXTS;
    }
    look->text_count = 0;
}

static void look_work(void *arg)
{
    const struct watched *watched = arg;
    look_take(watched->look);
}

static void looked(void *arg);

static void start_look(struct watched *watched)
{
    watched->looking = true;
    watched->look->now_ms = clock_mono_ms();
    watched->look->wall_ms = clock_wall_ms();
    watched->look->wants_activity = watched->begin_ms != INT64_MAX;
    offload_submit(watched->thread, look_work, looked, watched);
}

/* Whether texts of what took longest are missing, which are then asked for. */
static bool ask_texts(struct watched *watched)
{
    struct look *look = watched->look;
    const struct snapshot *was = watched_before(watched, watched->begin_ms);
    struct snapshot_difference difference;
    if (watched->begin_ms == INT64_MAX || watched->count < 2)
        return false;
    snapshot_subtract(was, &watched->snapshots[watched->count - 1], &difference);
    for (size_t i = 0; i < difference.count && i < STATEMENTS_MAX + OWN_STATEMENTS; i++)
        if (!watched_text(watched, difference.rows[i].id))
            look->texts[look->text_count++] = (struct look_text){.id = difference.rows[i].id};
    snapshot_difference_free(&difference);
    if (look->text_count)
        start_look(watched);
    return look->text_count > 0;
}

/* If that was asked for meanwhile. */
static bool look_again(struct watched *watched)
{
    bool again = watched->again;
    watched->again = false;
    if (again)
        start_look(watched);
    return again;
}

static void note_failure(struct watched *watched, const struct error *err)
{
    if (!watched->problem.text[0])
        watched->since_wall_ms = clock_wall_ms();
    if (strcmp(watched->problem.text, err->text) != 0)
        log_warn("statements of %s: %s; incidents are without them until that is mended",
            watched->label, err->text);
    watched->problem = *err;
    watched->wait_ms = watched->wait_ms ? 2 * watched->wait_ms : calm_ms;
    if (watched->wait_ms > longest_wait_ms)
        watched->wait_ms = longest_wait_ms;
}

static void note_success(struct watched *watched, int64_t wall_ms)
{
    if (watched->problem.text[0])
        log_info("statements of %s can be had again", watched->label);
    if (watched->problem.text[0] || !watched->since_wall_ms)
        watched->since_wall_ms = wall_ms;
    watched->looked_wall_ms = wall_ms;
    watched->problem.text[0] = '\0';
    watched->wait_ms = 0;
}

static void looked(void *arg)
{
    struct watched *watched = arg;
    struct look *look = watched->look;
    watched->looking = false;
    if (look->status < 0) {
        watched->again = false;
        keep_texts(watched, look);
        note_failure(watched, &look->err);
        return;
    }
    note_success(watched, look->wall_ms);
    free(watched->database);
    watched->database = xstrdup_or_null(look->database);
    if (look->text_count) {
        keep_texts(watched, look);
        look_again(watched);
        return;
    }
    if (!watched->count)
        log_info("statements of %s: the database %s has counted %zu of them so far", watched->label,
            watched->database, look->snapshot.count);
    keep_snapshot(watched, &look->snapshot);
    keep_activity(watched, &look->activity);
    if (!look_again(watched))
        ask_texts(watched);
}

struct watched *watched_open(struct loop *loop, const struct database_config *database,
    struct own_ports *own, struct error *err)
{
    struct offload *thread = offload_open(loop, "statements", err);
    if (!thread)
        return NULL;
    struct watched *watched = xcalloc(1, sizeof *watched);
    *watched = (struct watched){.thread = thread,
        .name = xstrdup_or_null(database->name),
        .label = xstrdup(database->name ? database->name : database->endpoint),
        .url = xstrdup(database->statements),
        .look = xcalloc(1, sizeof *watched->look),
        .begin_ms = INT64_MAX};
    watched->look->url = watched->url;
    watched->look->own = own;
    return watched;
}

void watched_stop(struct watched *watched)
{
    watched->begin_ms = INT64_MAX;
    watched->again = false;
}

static void free_watched(void *arg)
{
    struct watched *watched = arg;
    look_free(watched->look);
    free(watched->look);
    for (size_t i = 0; i < watched->count; i++)
        snapshot_free(&watched->snapshots[i]);
    activity_free(&watched->activity);
    for (size_t i = 0; i < WATCHED_TEXTS; i++)
        free(watched->texts[i].text);
    free(watched->database);
    free(watched->name);
    free(watched->label);
    free(watched->url);
    free(watched);
}

/* There is never more than one look under way, so that what is left is freed once. */
bool watched_close(struct watched *watched, int64_t deadline_ms)
{
    watched_stop(watched);
    if (!offload_leave(watched->thread, deadline_ms, free_watched))
        return false;
    free_watched(watched);
    return true;
}

/* A capture may be short: looks come soon at first. */
static int64_t gap_ms(const struct watched *watched, int64_t now_ms)
{
    int64_t since_ms = now_ms - watched->busy_since_ms;
    if (watched->wait_ms)
        return watched->wait_ms;
    if (watched->begin_ms == INT64_MAX)
        return calm_ms;
    return since_ms < first_ms ? first_ms : since_ms < busy_ms ? since_ms : busy_ms;
}

void watched_tick(struct watched *watched, int64_t now_ms, int64_t begin_ms)
{
    bool begins = watched->begin_ms == INT64_MAX && begin_ms != INT64_MAX;
    watched->begin_ms = begin_ms;
    if (begins) {
        watched->busy_since_ms = now_ms;
        if (!watched->wait_ms && watched->due_ms > now_ms + first_ms)
            watched->due_ms = now_ms + first_ms;
    }
    if (watched->looking || now_ms < watched->due_ms)
        return;
    watched->due_ms = now_ms + gap_ms(watched, now_ms);
    start_look(watched);
}

void watched_hurry(struct watched *watched)
{
    if (watched->looking)
        watched->again = true;
    else if (!watched->wait_ms)
        start_look(watched);
}

bool watched_is_late(const struct watched *watched)
{
    return watched->looking && !watched->wait_ms;
}
