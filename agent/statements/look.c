#include "agent/statements/look.h"

#include "agent/statements/masking.h"
#include "agent/statements/postgres.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident_statements.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "/* stakeout */"; /* stands before every query of ours */
static const int64_t deadline_ms = 8000;     /* for a look; the server ends a query after 5 s */
static const int64_t old_ms = 2000; /* of those, for a connection of before that may be dead */

bool look_is_own(const char *text)
{
    return !strncmp(text, mark, strlen(mark));
}

static void drop_connection(struct look *look)
{
    postgres_close(look->postgres);
    free(look->schema);
    free(look->database);
    look->postgres = NULL;
    look->schema = look->database = NULL;
}

/* What has to be known of the server. */
struct greeting {
    char *schema;
    bool sees_all;
};

static int take_greeting(void *arg, const char *const *values, size_t count)
{
    struct greeting *greeting = arg;
    if (count != 2)
        return -1;
    free(greeting->schema);
    greeting->schema = xstrdup_or_null(values[0]);
    greeting->sees_all = values[1] && *values[1] == 't';
    return 0;
}

static int greet(struct look *look, int64_t until_ms)
{
    struct greeting greeting = {.schema = NULL};
    struct error *err = &look->err;
    look->database = xstrdup(postgres_database(look->postgres));
    if (postgres_version(look->postgres) < 100000)
        return error_set(err, "PostgreSQL 10 or later is needed");
    int status = postgres_query(look->postgres,
        "/* stakeout */ SELECT (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN "
        "pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'), "
        "pg_has_role('pg_read_all_stats', 'USAGE')",
        NULL, take_greeting, &greeting, until_ms, err);
    look->schema = greeting.schema;
    if (status < 0)
        return -1;
    if (!look->schema)
        return error_set(err,
            "the database %s has no extension pg_stat_statements: CREATE EXTENSION "
            "pg_stat_statements, and shared_preload_libraries = 'pg_stat_statements' in the "
            "server's configuration",
            look->database);
    if (!greeting.sees_all)
        return error_set(err,
            "the role %s does not see the statements of others: GRANT pg_monitor TO %s",
            postgres_user(look->postgres), postgres_user(look->postgres));
    return 0;
}

static int take_row(void *arg, const char *const *values, size_t count)
{
    struct look *look = arg;
    return snapshot_add(&look->snapshot, values, count);
}

/* Without the texts, which the server would read from a file. Users and nested calls of a statement
 * are added up here, which spares the server a sort. A part of them is of no use: what is in the
 * next look's part alone would seem to have run in between, with all that it ever took. */
static int take_snapshot(struct look *look, int64_t until_ms)
{
    char *sql = xasprintf(
        "%s SELECT queryid, calls, rows, %s, shared_blks_hit, shared_blks_read FROM "
        "%s.pg_stat_statements(false) WHERE queryid IS NOT NULL AND dbid = (SELECT oid FROM "
        "pg_database WHERE datname = current_database()) LIMIT %d",
        mark, postgres_version(look->postgres) < 130000 ? "total_time" : "total_exec_time",
        look->schema, SNAPSHOT_MAX + 1);
    look->snapshot = (struct snapshot){.time_ms = look->now_ms, .wall_ms = look->wall_ms};
    int status = postgres_query(look->postgres, sql, NULL, take_row, look, until_ms, &look->err);
    if (status < 0 && look->snapshot.count == SNAPSHOT_MAX)
        error_set(&look->err,
            "pg_stat_statements has more than %d entries of the database %s, and so many are not "
            "looked at: a smaller pg_stat_statements.max in the server's configuration",
            SNAPSHOT_MAX, look->database);
    snapshot_sort(&look->snapshot);
    free(sql);
    return status;
}

static int take_text(void *arg, const char *const *values, size_t count)
{
    struct look *look = arg;
    int64_t id = count == 2 && values[0] ? strtoll(values[0], NULL, 10) : 0;
    for (size_t i = 0; i < look->text_count; i++)
        if (look->texts[i].id == id && !look->texts[i].text && values[1])
            look->texts[i].text = masking_copy(values[1], masking_hide_literals);
    return 0;
}

static int take_texts(struct look *look, int64_t until_ms)
{
    char ids[LOOK_TEXTS_MAX * 22 + 3] = "{";
    const char *const parameters[] = {ids, NULL};
    size_t length = 1;
    for (size_t i = 0; i < look->text_count; i++)
        length += (size_t)snprintf(
            ids + length, sizeof ids - length, "%s%" PRId64, i ? "," : "", look->texts[i].id);
    snprintf(ids + length, sizeof ids - length, "}");
    char *sql = xasprintf("%s SELECT queryid, left(query, %d) FROM %s.pg_stat_statements(true) "
                          "WHERE queryid = ANY($1::bigint[])",
        mark, STATEMENT_TEXT_MAX + 1, look->schema);
    int status = postgres_query(
        look->postgres, sql, parameters, take_text, look, until_ms, &look->err);
    free(sql);
    return status;
}

static int take_activity_row(void *arg, const char *const *values, size_t count)
{
    struct look *look = arg;
    return activity_add(&look->activity, values, count);
}

static int take_activity(struct look *look, int64_t until_ms)
{
    char *sql = activity_sql(postgres_version(look->postgres));
    activity_free(&look->activity);
    look->activity.time_ms = look->now_ms;
    int status = postgres_query(
        look->postgres, sql, NULL, take_activity_row, look, until_ms, &look->err);
    free(sql);
    return status;
}

static int take_all(struct look *look, int64_t until_ms)
{
    if (look->text_count)
        return take_texts(look, until_ms);
    if (take_snapshot(look, until_ms) < 0)
        return -1;
    return look->wants_activity ? take_activity(look, until_ms) : 0;
}

/* It has greeted once a connection. */
static int ask(struct look *look, int64_t until_ms)
{
    if ((!look->schema && greet(look, until_ms) < 0) || take_all(look, until_ms) < 0)
        return -1;
    return postgres_end(look->postgres, until_ms, &look->err);
}

/* A server that was started anew has closed what was open; one that another has taken the place of
 * does not even say so. */
static void try_old_connection(struct look *look, int64_t now_ms)
{
    if (look->postgres && postgres_begin(look->postgres, now_ms + old_ms, &look->err) < 0)
        drop_connection(look);
}

static int connect_anew(struct look *look, int64_t until_ms)
{
    look->postgres = postgres_connect(look->url, look->own, until_ms, &look->err);
    return look->postgres ? postgres_begin(look->postgres, until_ms, &look->err) : -1;
}

void look_take(struct look *look)
{
    int64_t now_ms = clock_mono_ms(), until_ms = now_ms + deadline_ms;
    try_old_connection(look, now_ms);
    look->status = look->postgres ? 0 : connect_anew(look, until_ms);
    if (look->status == 0)
        look->status = ask(look, until_ms);
    if (look->status < 0) {
        drop_connection(look);
        snapshot_free(&look->snapshot);
        activity_free(&look->activity);
    }
}

void look_free(struct look *look)
{
    drop_connection(look);
    snapshot_free(&look->snapshot);
    activity_free(&look->activity);
    for (size_t i = 0; i < look->text_count; i++)
        free(look->texts[i].text);
    look->text_count = 0;
}
