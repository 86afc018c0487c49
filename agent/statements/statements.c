#include "agent/statements/statements.h"

#include "agent/statements/watched.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"

#include <stdlib.h>
#include <string.h>

struct statements {
    struct watched **all;
    size_t count;
};

struct statements *statements_open(
    struct loop *loop, const struct config *config, struct own_ports *own, struct error *err)
{
    struct statements *statements = NULL;
    err->text[0] = '\0';
    for (size_t i = 0; i < config->database_count; i++) {
        if (!config->databases[i].statements)
            continue;
        struct watched *watched = watched_open(loop, &config->databases[i], own, err);
        if (!watched) {
            statements_close(statements, 0);
            return NULL;
        }
        if (!statements)
            statements = xcalloc(1, sizeof *statements);
        statements->all = xrealloc(statements->all, statements->count + 1, sizeof *statements->all);
        statements->all[statements->count++] = watched;
    }
    return statements;
}

bool statements_close(struct statements *statements, int64_t wait_ms)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;
    bool closed = true;
    if (!statements)
        return true;
    for (size_t i = 0; i < statements->count; i++)
        watched_stop(statements->all[i]);
    for (size_t i = 0; i < statements->count; i++)
        closed = watched_close(statements->all[i], deadline_ms) && closed;
    free(statements->all);
    free(statements);
    return closed;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* The next one from *at on that is looked at; NULL: there is no more. */
static const struct database_config *next_of(const struct config *config, size_t *at)
{
    while (*at < config->database_count && !config->databases[*at].statements)
        ++*at;
    return *at < config->database_count ? &config->databases[(*at)++] : NULL;
}

bool statements_are_same(const struct config *a, const struct config *b)
{
    size_t at_a = 0, at_b = 0;
    for (;;) {
        const struct database_config *one = next_of(a, &at_a), *other = next_of(b, &at_b);
        if (!one || !other)
            return !one && !other;
        if (!same_text(one->name, other->name) || !same_text(one->statements, other->statements) ||
            (!one->name && !same_text(one->endpoint, other->endpoint))) /* it is the label */
            return false;
    }
}

void statements_tick(struct statements *statements, int64_t now_ms, int64_t begin_ms)
{
    for (size_t i = 0; i < statements_databases(statements); i++)
        watched_tick(statements->all[i], now_ms, begin_ms);
}

void statements_hurry(struct statements *statements)
{
    for (size_t i = 0; i < statements_databases(statements); i++)
        watched_hurry(statements->all[i]);
}

bool statements_are_late(const struct statements *statements)
{
    for (size_t i = 0; i < statements_databases(statements); i++)
        if (watched_is_late(statements->all[i]))
            return true;
    return false;
}

void statements_note(
    const struct statements *statements, struct incident *incident, int64_t begin_ms)
{
    incident_statements_free(&incident->statements);
    for (size_t i = 0; i < statements_databases(statements); i++)
        watched_note(statements->all[i], incident_add_database(&incident->statements), begin_ms);
}

size_t statements_databases(const struct statements *statements)
{
    return statements ? statements->count : 0;
}

void statements_status(
    const struct statements *statements, size_t index, struct statements_status *status)
{
    const struct watched *watched = statements->all[index];
    *status = (struct statements_status){.label = watched->label,
        .database = watched->database,
        .problem = watched->problem.text[0] ? watched->problem.text : NULL,
        .since_wall_ms = watched->since_wall_ms,
        .looked_wall_ms = watched->looked_wall_ms};
}
