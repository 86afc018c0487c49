#include "commands/list_rows.h"

#include "commands/history_view.h"
#include "commands/table.h"
#include "commands/terminal.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/known.h"
#include "core/metric.h"
#include "review/history/history.h"
#include "review/history/mark.h"
#include "review/store/store.h"
#include "review/suspect/go_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPARK_WIDTH = 12, SUSPECT_MAX = 40, HEADLINE_LEAST = 18 };

struct row {
    struct history_entry entry; /* its texts are owned by the row */
    char *trigger, *headline, *suspect, *peak, *spark;
    char *text; /* incident.json; NULL: it was not kept */
    size_t size;
    struct mark mark; /* where it was read */
    size_t lead;      /* index of the newest of its group, of which there is one row a group */
    struct history *history; /* of its group, there; NULL: not made yet */
};

struct service {
    char *name;
    struct known known;
};

struct list_rows {
    struct row *all;
    size_t count, capacity;
    struct service *services;
    size_t service_count;
};

struct list_rows *list_rows_new(void)
{
    return xcalloc(1, sizeof(struct list_rows));
}

/* The entry's texts are copies. */
static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

static void row_free(struct row *row)
{
    free_text(row->entry.id);
    free_text(row->entry.kind);
    free_text(row->entry.metric);
    free_text(row->entry.revision);
    free_text(row->entry.image);
    free(row->trigger);
    free(row->headline);
    free(row->suspect);
    free(row->peak);
    free(row->spark);
    free(row->text);
    mark_free(&row->mark);
    if (row->history)
        history_free(row->history);
    free(row->history);
}

void list_rows_free(struct list_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < rows->count; i++)
        row_free(&rows->all[i]);
    for (size_t i = 0; i < rows->service_count; i++) {
        free(rows->services[i].name);
        known_free(&rows->services[i].known);
    }
    free(rows->all);
    free(rows->services);
    free(rows);
}

static struct service *find_service(const struct list_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->service_count; i++)
        if (!strcmp(rows->services[i].name, name))
            return &rows->services[i];
    return NULL;
}

/* Its name, to which rows point. */
static const char *take_service(struct list_rows *rows, const char *name)
{
    struct service *service = find_service(rows, name);
    if (!service) {
        rows->services = xrealloc(rows->services, rows->service_count + 1, sizeof *rows->services);
        service = &rows->services[rows->service_count++];
        *service = (struct service){.name = xstrdup(name)};
    }
    return service->name;
}

const char *list_rows_service(const struct list_rows *rows, size_t index)
{
    return index < rows->service_count ? rows->services[index].name : NULL;
}

void list_rows_set_known(struct list_rows *rows, size_t index, struct known *known)
{
    rows->services[index].known = *known;
    *known = (struct known){0};
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static char *peak_text(const struct history_entry *entry)
{
    char text[VALUE_TEXT_SIZE];
    const struct metric *metric = entry->metric ? metric_of_series(entry->metric) : NULL;
    if (!isfinite(entry->peak))
        return xstrdup("");
    return xstrdup(metric_format(metric ? metric->unit : UNIT_NONE, entry->peak, text));
}

/* Short, and cut in front: the function is at the end of its name. */
static char *suspect_text(const struct incident *incident)
{
    const char *function = incident->analysis.suspect.function;
    if (!function)
        return xstrdup("");
    char *name = go_names_short(function), *safe = terminal_safe(name);
    size_t length = terminal_length(safe);
    const char *at = safe;
    for (; length >= SUSPECT_MAX; at++)
        length -= ((unsigned char)at[1] & 0xc0) != 0x80;
    char *text = xasprintf("%s%s", at > safe ? "\u2026" : "", at);
    free(safe);
    free(name);
    return text;
}

/* With how many copies of the service saw it, in front: there is always room for that. */
static char *headline_text(const struct incident *incident)
{
    const struct incident_fleet *fleet = &incident->fleet;
    const char *headline = incident->analysis.headline ? incident->analysis.headline
                                                       : incident->trigger.reason;
    char copies[40] = "";
    if (fleet->seen_by > 0)
        snprintf(copies, sizeof copies, "%lld %s", (long long)fleet->seen_by,
            fleet->seen_by == 1 ? "copy" : "copies");
    if (!*copies && !fleet->duplicate)
        return copy(headline);
    return xasprintf("[%s%s%s] %s", fleet->duplicate ? "duplicate" : "",
        fleet->duplicate && *copies ? ", " : "", copies, headline ? headline : "");
}

void list_rows_add(struct list_rows *rows, const struct store_incident *stored, bool keep_text)
{
    const struct incident *incident = stored->incident;
    const struct incident_analysis *analysis = &incident->analysis;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 64;
        rows->all = xrealloc(rows->all, rows->capacity, sizeof *rows->all);
    }
    struct row *row = &rows->all[rows->count++];
    *row = (struct row){.trigger = copy(incident->trigger.name),
        .headline = headline_text(incident),
        .suspect = suspect_text(incident)};
    history_entry_of(incident, &row->entry);
    struct history_entry *entry = &row->entry;
    entry->id = copy(entry->id);
    entry->kind = copy(entry->kind);
    entry->metric = copy(entry->metric);
    entry->revision = copy(entry->revision);
    entry->image = copy(entry->image);
    row->peak = peak_text(entry);
    row->spark = terminal_sparkline(
        analysis->sparkline.values, analysis->sparkline.count, SPARK_WIDTH);
    if (keep_text) {
        row->size = stored->text.size;
        row->text = xstrndup(stored->text.data, row->size);
        if (stored->marks.size > 0)
            mark_parse(stored->marks.data, stored->marks.size, &row->mark, NULL);
    }
    /* Last, as it moves the services: their names stay where they are. */
    entry->service = take_service(rows, incident->service);
}

static struct history_book *make_book(const struct list_rows *rows)
{
    struct history_entry *entries = xcalloc(rows->count + 1, sizeof *entries);
    for (size_t i = 0; i < rows->count; i++)
        entries[i] = rows->all[i].entry;
    struct history_book *book = history_book_new(entries, rows->count);
    free(entries);
    return book;
}

void list_rows_history(struct list_rows *rows, const char *service, const char *id,
    const char *group, int64_t now_ms, struct history *history)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(rows->all[i].entry.id, id))
            memcpy(rows->all[i].entry.group, group, GROUP_SIZE);
    const struct service *found = find_service(rows, service);
    struct history_book *book = make_book(rows);
    history_of(book, service, group, id, found ? &found->known : NULL, now_ms, history);
    history_book_free(book);
}

static bool is_wanted(const struct row *row, const char *group)
{
    return !group || !strcmp(row->entry.group, group);
}

/* What is printed, and how far it is. */
struct printing {
    struct list_rows *rows;
    const struct list_style *style;
    struct history_book *book;
    struct table table;
    int64_t now_ms;
    size_t folded_groups, folded;
};

/* In one row; TIMES is there twice, with and without how regular it is and how it grows. */
enum column { FIRED, ID, SERVICE, SPARK, PEAK, VERDICT, TIMES, COUNT, SUSPECT, HEADLINE, COLUMNS };

static void print_row(
    struct printing *printing, const struct row *row, const struct history *history)
{
    char fired[RFC3339_SIZE], count[64];
    rfc3339_format(row->entry.fired_ms, fired);
    fired[10] = ' ';
    fired[16] = '\0'; /* the id has the seconds */
    char *times = history_view_times(history, !printing->style->grouped, printing->style->unicode);
    snprintf(count, sizeof count, "%.*s", (int)strcspn(times, ","), times);
    const char *const cells[COLUMNS] = {[FIRED] = fired,
        [ID] = row->entry.id,
        [SERVICE] = row->entry.service,
        [SPARK] = row->spark,
        [PEAK] = row->peak,
        [VERDICT] = history_verdict_name(history),
        [TIMES] = times,
        [COUNT] = count,
        [SUSPECT] = row->suspect,
        [HEADLINE] = row->headline};
    table_add(&printing->table, cells);
    table_colour(&printing->table, VERDICT, history_view_colour(history->verdict));
    table_colour(&printing->table, SUSPECT, TABLE_BOLD);
    free(times);
}

/* The history of the row's group, as seen from it. */
static const struct history *history_of_row(
    struct list_rows *rows, const struct history_book *book, const struct row *row, int64_t now_ms)
{
    struct row *lead = &rows->all[row->lead];
    const struct history_entry *entry = &row->entry;
    if (!lead->history) {
        lead->history = xcalloc(1, sizeof *lead->history);
        history_of(book, entry->service, entry->group, NULL,
            &find_service(rows, entry->service)->known, now_ms, lead->history);
    }
    history_see_from(
        book, entry->service, entry->group, entry->id, entry->fired_ms, now_ms, lead->history);
    return lead->history;
}

static void take_row(struct printing *printing, struct row *row)
{
    const struct history *history = history_of_row(
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

/* Services are compared by their one name. */
static bool is_same_group(const struct row *a, const struct row *b)
{
    return a->entry.service == b->entry.service && !strcmp(a->entry.group, b->entry.group);
}

/* The newest incident of each group comes first. */
static void find_leads(struct list_rows *rows)
{
    size_t slots = 64;
    while (slots < 2 * rows->count)
        slots *= 2;
    size_t *table = xcalloc(slots, sizeof *table); /* 1 + an index of rows; 0: empty */
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->all[i];
        size_t slot = (size_t)strtoull(row->entry.group, NULL, 16) & (slots - 1);
        while (table[slot] && !is_same_group(&rows->all[table[slot] - 1], row))
            slot = (slot + 1) & (slots - 1);
        table[slot] = table[slot] ? table[slot] : i + 1;
        row->lead = table[slot] - 1;
    }
    free(table);
}

static void set_columns(struct printing *printing, const char *titles[COLUMNS])
{
    static const char *const names[COLUMNS] = {"FIRED (UTC)", "ID", "SERVICE", "WHAT FIRED", "PEAK",
        "VERDICT", "TIMES", "TIMES", "SUSPECT", "WHAT HAPPENED"};
    bool sparks = false, peaks = false;
    for (size_t i = 0; i < printing->rows->count; i++) {
        sparks = sparks || *printing->rows->all[i].spark;
        peaks = peaks || *printing->rows->all[i].peak;
    }
    memcpy(titles, names, sizeof names);
    table_init(&printing->table, COLUMNS, titles);
    printing->table.right = 1U << PEAK;
    printing->table.hidden = 1U << COUNT;
    if (printing->rows->service_count < 2)
        printing->table.hidden |= 1U << SERVICE;
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
        if (order[i] == TIMES)
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
    printing.book = make_book(rows);
    set_columns(&printing, titles);
    find_leads(rows);
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

size_t list_rows_print_json(struct list_rows *rows, const char *group, int64_t now_ms, FILE *out)
{
    struct history_book *book = make_book(rows);
    size_t printed = 0;
    find_leads(rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->all[i];
        if (!is_wanted(row, group))
            continue;
        fputs(printed++ ? ",\n" : "[\n", out);
        const struct history_view_added added = {
            row->entry.group, history_of_row(rows, book, row, now_ms), &row->mark};
        history_view_json(row->text, row->size, &added, out);
    }
    fputs(printed ? "\n]\n" : "[]\n", out);
    history_book_free(book);
    return printed;
}
