/* What the database did meanwhile, for `show`. */
#include "commands/view.h"
#include "commands/view_parts.h"
#include "core/alloc.h"
#include "core/incident.h"
#include "core/metric.h"

#include <stdlib.h>

enum { COLUMNS = 5, ONGOING_COLUMNS = 4, TEXT_MAX = 200 };

/* In one line: statements are written over many, and indented. */
static char *in_one_line(const char *text)
{
    char *line = xcalloc(TEXT_MAX + 4, 1);
    size_t length = 0;
    for (; text && *text && length < TEXT_MAX; text++) {
        bool blank = *text == ' ' || *text == '\n' || *text == '\t' || *text == '\r';
        if (!blank)
            line[length++] = *text;
        else if (length && line[length - 1] != ' ')
            line[length++] = ' ';
    }
    if (!text || !*text)
        return line;
    while (length && ((unsigned char)*text & 0xc0) == 0x80) { /* not within a character */
        text--;
        length--;
    }
    snprintf(line + length, 4, "\xe2\x80\xa6");
    return line;
}

static void add_statement(struct table *table, const struct incident_statement *statement)
{
    char time[VALUE_TEXT_SIZE], share[VALUE_TEXT_SIZE], calls[40], rows[40];
    metric_format(UNIT_SECONDS, statement->time_ms / 1000, time);
    metric_format(UNIT_PERCENT, statement->percent, share);
    snprintf(calls, sizeof calls, "%.0f", statement->calls);
    snprintf(rows, sizeof rows, "%.0f", statement->rows);
    char *text = in_one_line(statement->text ? statement->text : statement->query_id);
    const char *const cells[COLUMNS] = {time, share, calls, rows, text};
    table_add(table, cells);
    free(text);
}

static void add_ongoing(struct table *table, const struct incident_ongoing *ongoing)
{
    char time[VALUE_TEXT_SIZE];
    metric_format(UNIT_SECONDS, ongoing->time_ms / 1000, time);
    char *text = in_one_line(ongoing->text);
    const char *const cells[ONGOING_COLUMNS] = {time, ongoing->state ? ongoing->state : "",
        ongoing->waits_for ? ongoing->waits_for : "nothing", text};
    table_add(table, cells);
    free(text);
}

static void add_problem(struct view *view, const struct incident_database *database)
{
    view_add(&view->facts, "statements",
        xasprintf("%s%snot known: %s", database->name ? database->name : "",
            database->name ? ": " : "", database->problem));
}

void view_add_statements(struct view *view, const struct incident *incident)
{
    static const char *const titles[COLUMNS] = {
        "DATABASE TIME", "SHARE", "CALLS", "ROWS", "STATEMENT"};
    table_init(&view->statements, COLUMNS, titles);
    static const char *const ongoing_titles[ONGOING_COLUMNS] = {
        "STILL RUNNING FOR", "STATE", "WAITS FOR", "STATEMENT"};
    view->statements.right = 0xf;
    table_init(&view->ongoing, ONGOING_COLUMNS, ongoing_titles);
    view->ongoing.right = 1;
    for (size_t i = 0; i < incident->statements.count; i++) {
        const struct incident_database *database = &incident->statements.databases[i];
        if (database->problem)
            add_problem(view, database);
        for (size_t j = 0; !database->problem && j < database->count; j++)
            add_statement(&view->statements, &database->statements[j]);
        for (size_t j = 0; j < database->ongoing_count; j++)
            add_ongoing(&view->ongoing, &database->ongoing[j]);
    }
}
