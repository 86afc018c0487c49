/* What the database did meanwhile, by its own word: the statements that took most of its time. */
#include "core/buf.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/evidence/evidence.h"
#include "review/page/html.h"
#include "review/page/page.h"

#include <stdbool.h>

enum { TEXT_MAX = 300, ONGOING_TEXT_MAX = 200 };

/* "1,234,567" */
static void put_count(struct buf *out, double value)
{
    char digits[40];
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    for (int i = 0; i < length; i++)
        buf_printf(out, "%s%c", i && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

/* On a phone there are no headings, and the unit stands behind the number. */
static void put_number(struct buf *out, double value, const char *unit)
{
    html_printf(out, "<td class=\"number\" data-unit=\"%s\">", unit);
    put_count(out, value);
    buf_puts(out, "</td>");
}

static void put_statement(struct buf *out, const struct incident_statement *statement)
{
    char text[VALUE_TEXT_SIZE];
    html_printf(out, "<tr><td class=\"number\">%s</td><td class=\"number\">%.1f%%</td>",
        metric_format(UNIT_SECONDS, statement->time_ms / 1000, text), statement->percent);
    put_number(out, statement->calls, "calls");
    put_number(out, statement->rows, "rows");
    put_number(out, statement->blocks_read, "read");
    put_number(out, statement->blocks_hit, "hit");
    buf_puts(out, "<td><code>");
    if (statement->text)
        page_clipped(out, statement->text, TEXT_MAX);
    else
        html_printf(out, "query %s", statement->query_id ? statement->query_id : "");
    buf_puts(out, "</code></td></tr>\n");
}

static void put_table(struct buf *out, const struct incident_database *database, size_t rows)
{
    buf_puts(out, "<div class=\"scroll\"><table class=\"caught statements\">\n<caption "
                  "class=\"unseen\">Statements by their time</caption>\n<thead><tr>"
                  "<th scope=\"col\" class=\"number\">Time</th>"
                  "<th scope=\"col\" class=\"number\">Share</th>"
                  "<th scope=\"col\" class=\"number\">Calls</th>"
                  "<th scope=\"col\" class=\"number\">Rows</th>"
                  "<th scope=\"col\" class=\"number\">Blocks read</th>"
                  "<th scope=\"col\" class=\"number\">hit</th>"
                  "<th scope=\"col\">Statement</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < database->count && i < rows; i++)
        put_statement(out, &database->statements[i]);
    buf_puts(out, "</tbody></table></div>\n");
}

/* What the numbers are of, and what they lack. */
static void put_notes(struct buf *out, const struct incident_database *database)
{
    char text[VALUE_TEXT_SIZE];
    buf_puts(out, "<p class=\"note\">From ");
    page_time(out, database->from_ms, false);
    buf_puts(out, " to ");
    page_time(out, database->to_ms, false);
    html_printf(out, ", by pg_stat_statements: %s of time in all, ",
        metric_format(UNIT_SECONDS, database->time_ms / 1000, text));
    put_count(out, database->calls);
    buf_puts(out, database->calls == 1 ? " call" : " calls");
    if (database->others)
        html_printf(out, ", %lld more statement%s", (long long)database->others,
            database->others == 1 ? "" : "s");
    buf_puts(out, ". A statement counts when it ends.");
    if (database->started_over)
        html_printf(out, " %lld were reset or evicted in between: of them only what came after.",
            (long long)database->started_over);
    if (database->gone)
        html_printf(out, " %lld were reset or evicted in between and are not known any more.",
            (long long)database->gone);
    buf_puts(out, "</p>\n");
}

static void put_one_ongoing(struct buf *out, const struct incident_ongoing *ongoing)
{
    char text[VALUE_TEXT_SIZE];
    html_printf(out, "<tr><td class=\"number\">%s</td><td>%s</td><td>%s</td><td><code>",
        metric_format(UNIT_SECONDS, ongoing->time_ms / 1000, text),
        ongoing->state ? ongoing->state : "", ongoing->waits_for ? ongoing->waits_for : "nothing");
    page_clipped(out, ongoing->text ? ongoing->text : "", ONGOING_TEXT_MAX);
    buf_puts(out, "</code></td></tr>\n");
}

/* What is not among those above, as it has not ended. */
static void put_ongoing(struct buf *out, const struct incident_database *database, size_t rows)
{
    if (!database->ongoing_count)
        return;
    buf_puts(out,
        "<div class=\"scroll\"><table class=\"caught statements\">\n<caption>Still running "
        "at ");
    page_time(out, database->to_ms, false);
    buf_puts(out, "</caption>\n<thead><tr><th scope=\"col\" class=\"number\">For</th>"
                  "<th scope=\"col\">State</th><th scope=\"col\">Waits for</th>"
                  "<th scope=\"col\">Statement</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < database->ongoing_count && i < rows; i++)
        put_one_ongoing(out, &database->ongoing[i]);
    buf_puts(out, "</tbody></table></div>\n");
    int64_t others = database->ongoing_others;
    if (database->ongoing_count > rows)
        others += (int64_t)(database->ongoing_count - rows);
    if (others)
        html_printf(out, "<p class=\"note\">%lld more ran still.</p>\n", (long long)others);
}

/* How many rows a table may have. */
struct room {
    size_t statements, ongoing;
};

static void put_database(
    struct buf *out, const struct incident_database *database, bool named, const struct room *room)
{
    if (named)
        html_printf(out, "<h3>%s</h3>\n", database->name ? database->name : "");
    if (database->problem) {
        buf_puts(out, "<p class=\"problem\">Its statements are not known: ");
        page_clipped(out, database->problem, TEXT_MAX);
        buf_puts(out, "</p>\n");
        put_ongoing(out, database, room->ongoing);
        return;
    }
    if (database->count)
        put_table(out, database, room->statements);
    else
        buf_puts(out, "<p>No statement ended.</p>\n");
    put_notes(out, database);
    put_ongoing(out, database, room->ongoing);
}

void page_statements(struct buf *out, const struct page *page)
{
    static const struct room rooms[] = {{STATEMENTS_MAX, STATEMENTS_ONGOING_MAX},
        {STATEMENTS_MAX, STATEMENTS_ONGOING_MAX}, {STATEMENTS_MAX, 5}, {4, 2}};
    enum { MANY = sizeof rooms / sizeof *rooms - 1 };
    const struct incident_statements *statements = &page->evidence->incident->statements;
    if (!statements->count)
        return;
    buf_puts(out, "<section aria-labelledby=\"statements\">\n<h2 id=\"statements\">What the "
                  "database did</h2>\n");
    for (size_t i = 0; i < statements->count; i++)
        put_database(out, &statements->databases[i], statements->count > 1,
            &rooms[statements->count < MANY ? statements->count : MANY]);
    buf_puts(out, "</section>\n");
}
