#include "core/incident_statements.h"

#include "core/alloc.h"
#include "core/incident_json.h"
#include "core/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char ellipsis[] = "\xe2\x80\xa6";
static const int64_t most_statements = 1000000;

struct incident_database *incident_add_database(struct incident_statements *statements)
{
    statements->databases = xrealloc(
        statements->databases, statements->count + 1, sizeof *statements->databases);
    struct incident_database *database = &statements->databases[statements->count++];
    *database = (struct incident_database){.name = NULL};
    return database;
}

static void free_statements(struct incident_statement *statements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(statements[i].query_id);
        free(statements[i].text);
    }
    free(statements);
}

void incident_ongoing_free(struct incident_ongoing *ongoing, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(ongoing[i].query_id);
        free(ongoing[i].text);
        free(ongoing[i].state);
        free(ongoing[i].waits_for);
    }
    free(ongoing);
}

void incident_statements_free(struct incident_statements *statements)
{
    for (size_t i = 0; i < statements->count; i++) {
        struct incident_database *database = &statements->databases[i];
        free_statements(database->statements, database->count);
        incident_ongoing_free(database->ongoing, database->ongoing_count);
        free(database->name);
        free(database->database);
        free(database->problem);
    }
    free(statements->databases);
    *statements = (struct incident_statements){.databases = NULL};
}

char *incident_statement_text(const char *text)
{
    size_t room = STATEMENT_TEXT_MAX, length = 0, fits = 0;
    while (length <= room && text[length]) {
        size_t character = utf8_length(text + length);
        length += character ? character : 1;
        if (length <= room - strlen(ellipsis))
            fits = length;
    }
    return length <= room ? xstrdup(text) : xasprintf("%.*s%s", (int)fits, text, ellipsis);
}

static json_t *statement_to_json(const struct incident_statement *statement)
{
    json_t *json = json_object();
    incident_put_text(json, "query_id", statement->query_id);
    incident_put_text(json, "text", statement->text);
    incident_put_number(json, "calls", statement->calls);
    incident_put_number(json, "rows", statement->rows);
    incident_put_number(json, "time_ms", statement->time_ms);
    incident_put_number(json, "percent", statement->percent);
    incident_put_number(json, "blocks_read", statement->blocks_read);
    incident_put_number(json, "blocks_hit", statement->blocks_hit);
    return json;
}

static void put_ongoing(json_t *json, const struct incident_database *database)
{
    json_t *list = json_array();
    for (size_t i = 0; i < database->ongoing_count && i < STATEMENTS_ONGOING_MAX; i++) {
        const struct incident_ongoing *ongoing = &database->ongoing[i];
        json_t *one = json_object();
        incident_put_text(one, "query_id", ongoing->query_id);
        incident_put_text(one, "text", ongoing->text);
        incident_put_text(one, "state", ongoing->state);
        incident_put_text(one, "waits_for", ongoing->waits_for);
        incident_put_number(one, "time_ms", ongoing->time_ms);
        json_array_append_new(list, one);
    }
    if (json_array_size(list))
        json_object_set(json, "running", list);
    json_decref(list);
    incident_put_positive(json, "running_others", database->ongoing_others);
}

static json_t *database_to_json(const struct incident_database *database)
{
    json_t *json = json_object(), *top = json_array();
    incident_put_text(json, "name", database->name);
    incident_put_text(json, "database", database->database);
    incident_put_time(json, "from", database->from_ms);
    incident_put_time(json, "to", database->to_ms);
    if (database->problem) {
        incident_put_text(json, "problem", database->problem);
        json_decref(top);
        put_ongoing(json, database);
        return json;
    }
    incident_put_number(json, "calls", database->calls);
    incident_put_number(json, "time_ms", database->time_ms);
    for (size_t i = 0; i < database->count && i < STATEMENTS_MAX; i++)
        json_array_append_new(top, statement_to_json(&database->statements[i]));
    json_object_set_new(json, "top", top);
    incident_put_positive(json, "others", database->others);
    incident_put_positive(json, "started_over", database->started_over);
    incident_put_positive(json, "gone", database->gone);
    put_ongoing(json, database);
    return json;
}

json_t *incident_statements_to_json(const struct incident_statements *statements)
{
    json_t *json = json_array();
    for (size_t i = 0; i < statements->count && i < STATEMENTS_DATABASES_MAX; i++)
        json_array_append_new(json, database_to_json(&statements->databases[i]));
    return json;
}

/* What is missing did not happen. */
static double get_amount(const json_t *json, const char *key)
{
    double value = incident_get_number(json, key);
    return value > 0 ? value : 0;
}

static char *get_statement_text(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? incident_statement_text(text) : NULL;
}

static void statement_from_json(const json_t *json, struct incident_statement *statement)
{
    *statement = (struct incident_statement){.query_id = get_statement_text(json, "query_id"),
        .text = get_statement_text(json, "text"),
        .calls = get_amount(json, "calls"),
        .rows = get_amount(json, "rows"),
        .time_ms = get_amount(json, "time_ms"),
        .percent = fmin(get_amount(json, "percent"), 100),
        .blocks_read = get_amount(json, "blocks_read"),
        .blocks_hit = get_amount(json, "blocks_hit")};
}

static void ongoing_from_json(const json_t *json, struct incident_database *database)
{
    const json_t *list = json_object_get(json, "running");
    size_t count = json_array_size(list);
    database->ongoing_others = incident_get_count(json, "running_others", most_statements);
    database->ongoing_count = count < STATEMENTS_ONGOING_MAX ? count : STATEMENTS_ONGOING_MAX;
    database->ongoing = xcalloc(database->ongoing_count, sizeof *database->ongoing);
    for (size_t i = 0; i < database->ongoing_count; i++) {
        const json_t *one = json_array_get(list, i);
        database->ongoing[i] = (struct incident_ongoing){
            .query_id = get_statement_text(one, "query_id"),
            .text = get_statement_text(one, "text"),
            .state = get_statement_text(one, "state"),
            .waits_for = get_statement_text(one, "waits_for"),
            .time_ms = get_amount(one, "time_ms")};
    }
}

static void database_from_json(const json_t *json, struct incident_database *database)
{
    const json_t *top = json_object_get(json, "top");
    size_t count = json_array_size(top);
    database->name = get_statement_text(json, "name");
    database->database = get_statement_text(json, "database");
    database->problem = get_statement_text(json, "problem");
    database->from_ms = incident_get_time(json, "from");
    database->to_ms = incident_get_time(json, "to");
    database->calls = get_amount(json, "calls");
    database->time_ms = get_amount(json, "time_ms");
    database->others = incident_get_count(json, "others", most_statements);
    database->started_over = incident_get_count(json, "started_over", most_statements);
    database->gone = incident_get_count(json, "gone", most_statements);
    database->count = count < STATEMENTS_MAX ? count : STATEMENTS_MAX;
    database->statements = xcalloc(database->count, sizeof *database->statements);
    for (size_t i = 0; i < database->count; i++)
        statement_from_json(json_array_get(top, i), &database->statements[i]);
    ongoing_from_json(json, database);
}

void incident_statements_from_json(const json_t *json, struct incident_statements *statements)
{
    *statements = (struct incident_statements){.databases = NULL};
    for (size_t i = 0; i < json_array_size(json) && i < STATEMENTS_DATABASES_MAX; i++)
        database_from_json(json_array_get(json, i), incident_add_database(statements));
}
