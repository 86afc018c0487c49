#include "agent/statements/statements.h"

#include "agent/statements/look.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const int64_t calm_ms = 60000, busy_ms = 5000, first_ms = 1000;
static const int64_t longest_wait_ms = 600000; /* between looks that fail, doubled from a minute */
static const int64_t close_ms = 300;

/* Kept are: one from before the onset of what may fire now, one a minute younger, the newest. */
enum { SNAPSHOTS = 4, TEXTS = 64 };

struct watched {
    struct statements *statements;
    char *name; /* NULL: the only one */
    char *label, *url;
    struct snapshot snapshots[SNAPSHOTS]; /* oldest first */
    size_t count;
    struct look_text texts[TEXTS]; /* the last that were asked for, in a ring */
    size_t next_text;
    struct look *look; /* under way, or between looks with the connection */
    bool looking;
    bool again;              /* a look is to follow that one at once */
    int64_t due_ms, wait_ms; /* wait_ms: after one that failed; 0: it did not */
    int64_t begin_ms;        /* of the oldest incident; INT64_MAX: none */
    int64_t busy_since_ms;   /* when that was first heard of */
    char *database;
    struct error problem;                  /* why the last look has failed; "": it has not */
    int64_t since_wall_ms, looked_wall_ms; /* as in struct statements_status */
};

struct statements {
    struct offload *thread;
    struct watched *all;
    size_t count;
};

static void look_work(void *arg)
{
    look_take(arg);
}

/* The newest that was taken before begin_ms, else the oldest; NULL: there is none. */
static const struct snapshot *before(const struct watched *watched, int64_t begin_ms)
{
    const struct snapshot *found = watched->count ? &watched->snapshots[0] : NULL;
    for (size_t i = 1; i < watched->count && watched->snapshots[i].time_ms <= begin_ms; i++)
        found = &watched->snapshots[i];
    return found;
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
    while (watched->count > 1 && (busy || watched->count == SNAPSHOTS))
        remove_snapshot(watched, watched->count - 1);
    watched->snapshots[watched->count++] = *snapshot;
    *snapshot = (struct snapshot){.rows = NULL};
}

static const struct look_text *find_text(const struct watched *watched, int64_t id)
{
    for (size_t i = 0; i < TEXTS; i++)
        if (watched->texts[i].id == id && watched->texts[i].text)
            return &watched->texts[i];
    return NULL;
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
        watched->next_text = (watched->next_text + 1) % TEXTS;
    }
    look->text_count = 0;
}

static void looked(void *arg);

static void start_look(struct watched *watched)
{
    watched->looking = true;
    watched->look->now_ms = clock_mono_ms();
    watched->look->wall_ms = clock_wall_ms();
    offload_submit(watched->statements->thread, look_work, looked, watched->look);
}

/* Whether texts of what took longest are missing, which are then asked for. */
static bool ask_texts(struct watched *watched)
{
    struct look *look = watched->look;
    const struct snapshot *was = before(watched, watched->begin_ms);
    struct snapshot_difference difference;
    if (watched->begin_ms == INT64_MAX || watched->count < 2)
        return false;
    snapshot_subtract(was, &watched->snapshots[watched->count - 1], &difference);
    /* Some may be our own. */
    for (size_t i = 0; i < difference.count && i < STATEMENTS_MAX + 4; i++)
        if (!find_text(watched, difference.rows[i].id))
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
    struct look *look = arg;
    struct watched *watched = look->arg;
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
    if (!look_again(watched))
        ask_texts(watched);
}

static void add_watched(
    struct statements *statements, const struct database_config *database, struct own_ports *own)
{
    struct watched *watched = &statements->all[statements->count++];
    *watched = (struct watched){.statements = statements,
        .name = xstrdup_or_null(database->name),
        .label = xstrdup(database->name ? database->name : database->endpoint),
        .url = xstrdup(database->statements),
        .begin_ms = INT64_MAX};
    watched->look = xcalloc(1, sizeof *watched->look);
    watched->look->url = watched->url;
    watched->look->own = own;
    watched->look->arg = watched;
}

struct statements *statements_open(
    struct loop *loop, const struct config *config, struct own_ports *own, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < config->database_count; i++)
        count += config->databases[i].statements != NULL;
    err->text[0] = '\0';
    if (!count)
        return NULL;
    struct offload *thread = offload_open(loop, "statements", err);
    if (!thread)
        return NULL;
    struct statements *statements = xcalloc(1, sizeof *statements);
    statements->thread = thread;
    statements->all = xcalloc(count, sizeof *statements->all);
    for (size_t i = 0; i < config->database_count; i++)
        if (config->databases[i].statements)
            add_watched(statements, &config->databases[i], own);
    return statements;
}

/* No look follows the one that is under way. */
static void end_of_looks(struct watched *watched)
{
    watched->begin_ms = INT64_MAX;
    watched->again = false;
}

bool statements_close(struct statements *statements)
{
    if (!statements)
        return true;
    for (size_t i = 0; i < statements->count; i++)
        end_of_looks(&statements->all[i]);
    if (!offload_close_by(statements->thread, clock_mono_ms() + close_ms))
        return false; /* it has its hands on all of this */
    for (size_t i = 0; i < statements->count; i++) {
        struct watched *watched = &statements->all[i];
        look_free(watched->look);
        free(watched->look);
        for (size_t j = 0; j < watched->count; j++)
            snapshot_free(&watched->snapshots[j]);
        for (size_t j = 0; j < TEXTS; j++)
            free(watched->texts[j].text);
        free(watched->database);
        free(watched->name);
        free(watched->label);
        free(watched->url);
    }
    free(statements->all);
    free(statements);
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool statements_are_same(const struct config *a, const struct config *b)
{
    bool same = a->database_count == b->database_count;
    for (size_t i = 0; same && i < a->database_count; i++)
        same = same_text(a->databases[i].name, b->databases[i].name) &&
               same_text(a->databases[i].statements, b->databases[i].statements);
    return same;
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

void statements_tick(struct statements *statements, int64_t now_ms, int64_t begin_ms)
{
    for (size_t i = 0; statements && i < statements->count; i++) {
        struct watched *watched = &statements->all[i];
        bool begins = watched->begin_ms == INT64_MAX && begin_ms != INT64_MAX;
        watched->begin_ms = begin_ms;
        if (begins) {
            watched->busy_since_ms = now_ms;
            if (!watched->wait_ms && watched->due_ms > now_ms + first_ms)
                watched->due_ms = now_ms + first_ms;
        }
        if (watched->looking || now_ms < watched->due_ms)
            continue;
        watched->due_ms = now_ms + gap_ms(watched, now_ms);
        start_look(watched);
    }
}

void statements_hurry(struct statements *statements)
{
    for (size_t i = 0; statements && i < statements->count; i++) {
        struct watched *watched = &statements->all[i];
        if (watched->looking)
            watched->again = true;
        else if (!watched->wait_ms)
            start_look(watched);
    }
}

bool statements_are_late(const struct statements *statements)
{
    for (size_t i = 0; statements && i < statements->count; i++)
        if (statements->all[i].looking && !statements->all[i].wait_ms)
            return true;
    return false;
}

static void note_statement(
    const struct watched *watched, struct incident_database *noted, const struct snapshot_row *row)
{
    const struct look_text *text = find_text(watched, row->id);
    if (text && look_is_own(text->text)) {
        noted->calls -= row->calls;
        noted->time_ms -= row->time_ms;
        noted->others--;
        return;
    }
    if (noted->count == STATEMENTS_MAX)
        return;
    noted->others--;
    noted->statements[noted->count++] = (struct incident_statement){
        .query_id = xasprintf("%" PRId64, row->id),
        .text = text ? xstrdup(text->text) : NULL,
        .calls = row->calls,
        .rows = row->rows,
        .time_ms = row->time_ms,
        .blocks_read = row->blocks_read,
        .blocks_hit = row->blocks_hit};
}

static void note_difference(const struct watched *watched, struct incident_database *noted,
    const struct snapshot *was, const struct snapshot *is)
{
    struct snapshot_difference difference;
    snapshot_subtract(was, is, &difference);
    noted->from_ms = was->wall_ms;
    noted->to_ms = is->wall_ms;
    noted->calls = difference.calls;
    noted->time_ms = difference.time_ms;
    noted->started_over = (int64_t)difference.started_over;
    noted->gone = (int64_t)difference.gone;
    noted->others = (int64_t)difference.count;
    noted->statements = xcalloc(STATEMENTS_MAX, sizeof *noted->statements);
    for (size_t i = 0; i < difference.count; i++)
        note_statement(watched, noted, &difference.rows[i]);
    for (size_t i = 0; i < noted->count; i++)
        if (noted->time_ms > 0)
            noted->statements[i].percent = 100 * noted->statements[i].time_ms / noted->time_ms;
    snapshot_difference_free(&difference);
}

static void note_database(
    const struct watched *watched, struct incident_database *noted, int64_t begin_ms)
{
    const struct snapshot *was = before(watched, begin_ms);
    const struct snapshot *is = watched->count ? &watched->snapshots[watched->count - 1] : NULL;
    noted->name = xstrdup_or_null(watched->name);
    noted->database = xstrdup_or_null(watched->database);
    if (was && is && is != was && is->time_ms > begin_ms)
        note_difference(watched, noted, was, is);
    else if (watched->problem.text[0])
        noted->problem = xstrdup(watched->problem.text);
    else
        noted->problem = xstrdup("there was no look at it both before and after the onset: the "
                                 "agent had only started, or the incident was over at once");
}

void statements_note(
    const struct statements *statements, struct incident *incident, int64_t begin_ms)
{
    incident_statements_free(&incident->statements);
    for (size_t i = 0; statements && i < statements->count; i++)
        note_database(&statements->all[i], incident_add_database(&incident->statements), begin_ms);
}

size_t statements_databases(const struct statements *statements)
{
    return statements ? statements->count : 0;
}

void statements_status(
    const struct statements *statements, size_t index, struct statements_status *status)
{
    const struct watched *watched = &statements->all[index];
    *status = (struct statements_status){.label = watched->label,
        .database = watched->database,
        .problem = watched->problem.text[0] ? watched->problem.text : NULL,
        .since_wall_ms = watched->since_wall_ms,
        .looked_wall_ms = watched->looked_wall_ms};
}
