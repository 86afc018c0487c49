/* Databases that are looked at by a fake in place of agent/statements/look.c: a program that
 * includes this has its functions. */
#ifndef TESTS_STATEMENTS_RIG_H
#define TESTS_STATEMENTS_RIG_H

#include "agent/statements/look.h"
#include "agent/statements/statements.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RIG_DATABASES = 2, RIG_STATEMENTS = 4 };

/* What a database answers; whoever looks takes it as it is then. The URL is its index. */
struct rig_database {
    atomic_bool fails, hangs;
    sem_t release;                       /* of a look that hangs */
    atomic_int calls[RIG_STATEMENTS];    /* of statement 1, 2, ...: 0: it is not known */
    atomic_int takes, freed, text_takes; /* looks that came back; those freed; those for texts */
};

static struct rig_database rig_databases[RIG_DATABASES];

static inline struct rig_database *rig_of(const struct look *look)
{
    return &rig_databases[atoi(look->url)];
}

static inline void rig_rows(const struct rig_database *database, struct look *look)
{
    look->snapshot = (struct snapshot){.time_ms = look->now_ms, .wall_ms = look->wall_ms};
    for (int i = 0; i < RIG_STATEMENTS; i++) {
        char id[12], calls[12];
        const char *const row[SNAPSHOT_COLUMNS] = {id, calls, calls, calls, "1", "1"};
        snprintf(id, sizeof id, "%d", i + 1);
        snprintf(calls, sizeof calls, "%d", atomic_load(&database->calls[i]));
        if (atomic_load(&database->calls[i]))
            snapshot_add(&look->snapshot, row, SNAPSHOT_COLUMNS);
    }
    snapshot_sort(&look->snapshot);
    if (look->wants_activity) {
        static const char *const row[ACTIVITY_COLUMNS] = {
            NULL, "active", NULL, NULL, "1500", "SELECT 7", "3"};
        look->activity.time_ms = look->now_ms;
        activity_add(&look->activity, row, ACTIVITY_COLUMNS);
    }
}

void look_take(struct look *look)
{
    struct rig_database *database = rig_of(look);
    look->wall_ms = atomic_load(&database->takes) + 1; /* its number: rig_taken() */
    if (atomic_load(&database->hangs))
        while (sem_wait(&database->release) < 0)
            continue;
    look->status = atomic_load(&database->fails) ? error_set(&look->err, "GRANT it") : 0;
    if (look->status == 0 && !look->database)
        look->database = xstrdup("db");
    for (size_t i = 0; look->status == 0 && i < look->text_count; i++)
        look->texts[i].text = xasprintf(
            "%sSELECT %d", look->texts[i].id == 4 ? "/* stakeout */ " : "", (int)look->texts[i].id);
    if (look->text_count)
        atomic_fetch_add(&database->text_takes, 1);
    else if (look->status == 0)
        rig_rows(database, look);
    atomic_fetch_add(&database->takes, 1);
}

void look_free(struct look *look)
{
    struct rig_database *database = rig_of(look);
    free(look->database);
    snapshot_free(&look->snapshot);
    activity_free(&look->activity);
    for (size_t i = 0; i < look->text_count; i++)
        free(look->texts[i].text);
    atomic_fetch_add(&database->freed, 1);
}

bool look_is_own(const char *text)
{
    return !strncmp(text, "/* stakeout */", 14);
}

struct rig {
    struct loop *loop;
    struct config config;
    struct database_config databases[RIG_DATABASES];
    struct statements *statements;
    struct incident incident;
};

static inline void rig_open(struct rig *rig)
{
    struct error err;
    rig->statements = statements_open(rig->loop, &rig->config, NULL, &err);
    assert_non_null(rig->statements);
}

static inline int rig_set_up(void **state)
{
    static char names[RIG_DATABASES][4], urls[RIG_DATABASES][4];
    struct rig *rig = xcalloc(1, sizeof *rig);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    rig->loop = loop_open(NULL);
    for (int i = 0; i < RIG_DATABASES; i++) {
        rig_databases[i] = (struct rig_database){.fails = false};
        sem_init(&rig_databases[i].release, 0, 0);
        snprintf(names[i], sizeof names[i], "%c", 'a' + i);
        snprintf(urls[i], sizeof urls[i], "%d", i);
        rig->databases[i] = (struct database_config){.name = names[i], .statements = urls[i]};
    }
    rig->config.databases = rig->databases;
    rig->config.database_count = RIG_DATABASES;
    rig_open(rig);
    *state = rig;
    return 0;
}

static inline int rig_tear_down(void **state)
{
    struct rig *rig = *state;
    incident_statements_free(&rig->incident.statements);
    statements_close(rig->statements, 60000);
    loop_close(rig->loop);
    free(rig);
    return 0;
}

/* How many looks at a database were taken in; what failed is one. */
static inline int rig_taken(const struct rig *rig, int database)
{
    struct statements_status status;
    statements_status(rig->statements, (size_t)database, &status);
    return status.problem ? atomic_load(&rig_databases[database].takes)
                          : (int)status.looked_wall_ms;
}

/* Lets the loop run until then. */
static inline void rig_wait(struct rig *rig, int database, int takes)
{
    bool never = false;
    int64_t deadline_ms = clock_mono_ms() + 60000;
    while (rig_taken(rig, database) < takes && clock_mono_ms() < deadline_ms)
        loop_run_until(rig->loop, &never, clock_mono_ms() + 1);
    assert_true(rig_taken(rig, database) >= takes);
}

/* The same, until one that has failed does not any more. */
static inline void rig_wait_well(struct rig *rig, int database)
{
    struct statements_status status;
    bool never = false;
    int64_t deadline_ms = clock_mono_ms() + 60000;
    do {
        loop_run_until(rig->loop, &never, clock_mono_ms() + 1);
        statements_status(rig->statements, (size_t)database, &status);
    } while (status.problem && clock_mono_ms() < deadline_ms);
    assert_null(status.problem);
}

/* A moment of the monotonic clock that lies after all before, and before all that comes. */
static inline int64_t rig_moment(void)
{
    int64_t before_ms = clock_mono_ms(), moment_ms;
    while ((moment_ms = clock_mono_ms()) == before_ms)
        continue;
    while (clock_mono_ms() == moment_ms)
        continue;
    return moment_ms;
}

static inline const struct incident_database *rig_note(
    struct rig *rig, int database, int64_t begin_ms)
{
    statements_note(rig->statements, &rig->incident, begin_ms);
    assert_int_equal(rig->incident.statements.count, RIG_DATABASES);
    return &rig->incident.statements.databases[database];
}

#endif
