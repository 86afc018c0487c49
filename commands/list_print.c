#include "commands/history_view.h"
#include "commands/list_parts.h"
#include "commands/terminal.h"
#include "core/alloc.h"
#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

enum { HEADLINE_LEAST = 18 };

static bool is_wanted(const struct row *row, const char *group)
{
    return !group || !strcmp(row->entry.group, group);
}

/* What is printed, and how far it is. */
struct printing {
    struct list_rows *rows;
    const struct list_style *style;
    struct history_book *book; /* NULL: there are no histories */
    struct table table;
    int64_t now_ms;
    size_t folded_groups, folded;
};

/* In one row; TIMES is there twice, with and without how regular it is and how it grows. */
enum column { FIRED, ID, SERVICE, SPARK, PEAK, VERDICT, TIMES, COUNT, SUSPECT, HEADLINE, COLUMNS };

/* history NULL: it is not shown. */
static void print_row(
    struct printing *printing, const struct row *row, const struct history *history)
{
    char fired[RFC3339_SIZE], count[64];
    rfc3339_format(row->entry.fired_ms, fired);
    fired[10] = ' ';
    fired[16] = '\0'; /* the id has the seconds */
    char *times = history ? history_view_times(
                                history, !printing->style->grouped, printing->style->unicode)
                          : xstrdup("");
    snprintf(count, sizeof count, "%.*s", (int)strcspn(times, ","), times);
    const char *const cells[COLUMNS] = {[FIRED] = fired,
        [ID] = row->entry.id,
        [SERVICE] = row->entry.service,
        [SPARK] = row->spark,
        [PEAK] = row->peak,
        [VERDICT] = history ? history_verdict_name(history) : "",
        [TIMES] = times,
        [COUNT] = count,
        [SUSPECT] = row->suspect,
        [HEADLINE] = row->headline};
    table_add(&printing->table, cells);
    if (history)
        table_colour(&printing->table, VERDICT, history_view_colour(history->verdict));
    table_colour(&printing->table, SUSPECT, TABLE_BOLD);
    free(times);
}

static void take_row(struct printing *printing, struct row *row)
{
    const struct history *history = list_rows_history_of(
        printing->rows, printing->book, row, printing->now_ms);
    bool fold = printing->style->grouped && history->verdict == VERDICT_KNOWN &&
                !printing->style->group;
    if (fold) {
        printing->folded_groups++;
        printing->folded += history->count;
    } else {
        print_row(printing, row, history);
    }
}

static void set_columns(struct printing *printing, const char *titles[COLUMNS])
{
    static const char *const names[COLUMNS] = {"FIRED (UTC)", "ID", "SERVICE", "WHAT FIRED", "PEAK",
        "VERDICT", "TIMES", "TIMES", "SUSPECT", "WHAT HAPPENED"};
    bool sparks = false, peaks = false;
    for (size_t i = 0; i < printing->rows->count; i++) {
        const struct row *row = &printing->rows->all[i];
        sparks = sparks || (row->spark && *row->spark);
        peaks = peaks || (row->peak && *row->peak);
    }
    memcpy(titles, names, sizeof names);
    table_init(&printing->table, COLUMNS, titles);
    printing->table.right = 1U << PEAK;
    printing->table.hidden = 1U << COUNT;
    bool one_service = printing->book ? printing->rows->service_count < 2
                                      : printing->style->one_service;
    if (one_service)
        printing->table.hidden |= 1U << SERVICE;
    if (!printing->book)
        printing->table.hidden |= 1U << VERDICT | 1U << TIMES;
    if (!sparks || !printing->style->unicode)
        printing->table.hidden |= 1U << SPARK;
    if (!peaks)
        printing->table.hidden |= 1U << PEAK;
}

/* Of all that is shown before the headline. */
static size_t width_before_headline(const struct table *table)
{
    size_t width = 0;
    for (size_t i = 0; i < HEADLINE; i++)
        if (!(table->hidden >> i & 1))
            width += table->widths[i] + 2;
    return width;
}

/* Where there is no room for both, the suspect stands for what happened. */
static void unite_last(struct table *table, const char *titles[COLUMNS])
{
    for (size_t i = 0; i < table->rows; i++) {
        char **cells = &table->cells[i * COLUMNS];
        if (!*cells[SUSPECT])
            continue;
        char *headline = cells[HEADLINE];
        cells[HEADLINE] = cells[SUSPECT];
        cells[SUSPECT] = headline;
        table->colours[i * COLUMNS + HEADLINE] = TABLE_BOLD;
    }
    titles[HEADLINE] = "SUSPECT, OR WHAT HAPPENED";
}

/* Leaves out what says least until something of the headline can be read: first the time, which is
 * in the id. */
static void fit(struct printing *printing, const char *titles[COLUMNS])
{
    static const enum column order[] = {SPARK, FIRED, TIMES, SUSPECT, PEAK, COUNT, SERVICE};
    struct table *table = &printing->table;
    size_t columns = printing->style->columns;
    for (size_t i = 0; columns > 0 && i < sizeof order / sizeof *order; i++) {
        if (width_before_headline(table) + HEADLINE_LEAST <= columns)
            return;
        table->hidden |= 1U << order[i];
        if (order[i] == TIMES && printing->book)
            table->hidden &= ~(1U << COUNT);
        if (order[i] == SUSPECT)
            unite_last(table, titles);
    }
}

size_t list_rows_print(
    struct list_rows *rows, const struct list_style *style, int64_t now_ms, FILE *out)
{
    const char *titles[COLUMNS];
    struct printing printing = {.rows = rows, .style = style, .now_ms = now_ms};
    printing.book = list_rows_book(rows);
    set_columns(&printing, titles);
    for (size_t i = 0; i < rows->count; i++)
        if (is_wanted(&rows->all[i], style->group) && !(style->grouped && rows->all[i].lead != i))
            take_row(&printing, &rows->all[i]);
    size_t printed = printing.table.rows;
    struct table_style table_style = {.columns = style->columns, .colour = style->colour};
    fit(&printing, titles);
    if (printed)
        table_flush(&printing.table, out, &table_style);
    if (printing.folded_groups)
        fprintf(out, "%s%zu known group%s with %zu incident%s; --all shows %s\n",
            printed ? "and " : "", printing.folded_groups, printing.folded_groups == 1 ? "" : "s",
            printing.folded, printing.folded == 1 ? "" : "s", printing.folded == 1 ? "it" : "them");
    table_free(&printing.table);
    history_book_free(printing.book);
    return printed + printing.folded_groups;
}

struct list_table {
    struct printing printing;
    const char *titles[COLUMNS];
    bool begun;
};

struct list_table *list_table_new(const struct list_style *style)
{
    struct list_table *table = xcalloc(1, sizeof *table);
    table->printing.style = style;
    return table;
}

void list_table_free(struct list_table *table)
{
    if (table && table->begun)
        table_free(&table->printing.table);
    free(table);
}

size_t list_table_flush(struct list_table *table, struct list_rows *rows, FILE *out)
{
    struct printing *printing = &table->printing;
    const struct list_style *style = printing->style;
    printing->rows = rows;
    if (!table->begun)
        set_columns(printing, table->titles);
    for (size_t i = 0; i < rows->count; i++)
        if (is_wanted(&rows->all[i], style->group))
            print_row(printing, &rows->all[i], NULL);
    list_rows_clear(rows);
    size_t printed = printing->table.rows;
    if (!table->begun)
        fit(printing, table->titles);
    else if (printing->table.hidden >> SUSPECT & 1)
        unite_last(&printing->table, table->titles);
    table->begun = table->begun || printed > 0;
    struct table_style table_style = {.columns = style->columns, .colour = style->colour};
    if (printed > 0)
        table_flush(&printing->table, out, &table_style);
    return printed;
}
