#include "commands/history_view.h"
#include "commands/list_parts.h"
#include "commands/terminal.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/store/store.h"
#include "review/suspect/go_names.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPARK_WIDTH = 12, SUSPECT_MAX = 40 };

struct list_rows *list_rows_new(enum list_use use)
{
    struct list_rows *rows = xcalloc(1, sizeof *rows);
    rows->use = use;
    return rows;
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
    free(row->headline);
    free(row->suspect);
    free(row->peak);
    free(row->spark);
    mark_free(&row->mark);
    if (row->history)
        history_free(row->history);
    free(row->history);
}

void list_rows_clear(struct list_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        row_free(&rows->all[i]);
    rows->count = 0;
    if (rows->lead_slots > 0)
        memset(rows->leads, 0, rows->lead_slots * sizeof *rows->leads);
}

void list_rows_free(struct list_rows *rows)
{
    if (!rows)
        return;
    list_rows_clear(rows);
    for (size_t i = 0; i < rows->service_count; i++) {
        free(rows->services[i].name);
        known_free(&rows->services[i].known);
    }
    free(rows->all);
    free(rows->services);
    free(rows->leads);
    if (rows->texts)
        fclose(rows->texts);
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
        return xstrdup_or_null(headline);
    return xasprintf("[%s%s%s] %s", fleet->duplicate ? "duplicate" : "",
        fleet->duplicate && *copies ? ", " : "", copies, headline ? headline : "");
}

size_t list_rows_count(const struct list_rows *rows)
{
    return rows->count;
}

/* Services are compared by their one name. */
static bool is_same_group(const struct row *a, const struct row *b)
{
    return a->entry.service == b->entry.service && !strcmp(a->entry.group, b->entry.group);
}

/* Where the newest of the row's group is, or would be. */
static size_t *find_lead(const struct list_rows *rows, const struct row *row)
{
    size_t mask = rows->lead_slots - 1;
    size_t slot = (size_t)strtoull(row->entry.group, NULL, 16) & mask;
    while (rows->leads[slot] && !is_same_group(&rows->all[rows->leads[slot] - 1], row))
        slot = (slot + 1) & mask;
    return &rows->leads[slot];
}

/* For one more row. There are never more groups than rows, so that half of the slots stay empty. */
static void make_room_for_leads(struct list_rows *rows)
{
    if (2 * (rows->count + 1) <= rows->lead_slots)
        return;
    rows->lead_slots = rows->lead_slots ? rows->lead_slots * 2 : 128;
    free(rows->leads);
    rows->leads = xcalloc(rows->lead_slots, sizeof *rows->leads);
    for (size_t i = 0; i < rows->count; i++)
        if (rows->all[i].lead == i)
            *find_lead(rows, &rows->all[i]) = i + 1;
}

/* The newest incident of each group comes first; whether the row is that. */
static bool find_its_lead(struct list_rows *rows, struct row *row, size_t index)
{
    size_t *lead = find_lead(rows, row);
    bool first = *lead == 0;
    if (first)
        *lead = index + 1;
    row->lead = *lead - 1;
    return first;
}

static void keep_texts(struct row *row, const struct incident *incident)
{
    const struct incident_analysis *analysis = &incident->analysis;
    row->headline = headline_text(incident);
    row->suspect = suspect_text(incident);
    row->peak = peak_text(&row->entry);
    row->spark = terminal_sparkline(
        analysis->sparkline.values, analysis->sparkline.count, SPARK_WIDTH);
}

/* In memory where no file can be made, as in an image without /tmp. */
static FILE *open_texts(struct error *err)
{
    FILE *texts = tmpfile();
    if (texts)
        return texts;
    int fd = memfd_create("stakeout-list", MFD_CLOEXEC);
    texts = fd < 0 ? NULL : fdopen(fd, "w+");
    if (texts)
        return texts;
    error_set(err, "no temporary file can be made: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int keep_json(
    struct list_rows *rows, struct row *row, const struct store_incident *stored, struct error *err)
{
    if (!rows->texts && !(rows->texts = open_texts(err)))
        return -1;
    row->offset = ftello(rows->texts);
    row->size = stored->text.size;
    if (stored->marks.size > 0)
        mark_parse(stored->marks.data, stored->marks.size, &row->mark, NULL);
    if (fwrite(stored->text.data, 1, row->size, rows->texts) != row->size)
        return error_set(err, "cannot write to a temporary file: %s", strerror(errno));
    return 0;
}

int list_rows_add(struct list_rows *rows, const struct store_incident *stored, struct error *err)
{
    const struct incident *incident = stored->incident;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 64;
        rows->all = xrealloc(rows->all, rows->capacity, sizeof *rows->all);
    }
    make_room_for_leads(rows);
    size_t index = rows->count++;
    struct row *row = &rows->all[index];
    *row = (struct row){.size = 0};
    history_entry_of(incident, &row->entry);
    struct history_entry *entry = &row->entry;
    entry->id = xstrdup_or_null(entry->id);
    entry->kind = xstrdup_or_null(entry->kind);
    entry->metric = xstrdup_or_null(entry->metric);
    entry->revision = xstrdup_or_null(entry->revision);
    entry->image = xstrdup_or_null(entry->image);
    /* It moves the services: their names stay where they are. */
    entry->service = take_service(rows, incident->service);
    bool newest = find_its_lead(rows, row, index);
    if (rows->use == LIST_ROWS || (rows->use == LIST_GROUPS && newest))
        keep_texts(row, incident);
    return rows->use == LIST_JSON ? keep_json(rows, row, stored, err) : 0;
}

struct history_book *list_rows_book(const struct list_rows *rows)
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
    struct history_book *book = list_rows_book(rows);
    history_of(book, service, group, id, found ? &found->known : NULL, now_ms, history);
    history_book_free(book);
}

const struct history *list_rows_history_of(
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

/* The caller frees it. */
static char *read_json(const struct list_rows *rows, const struct row *row, struct error *err)
{
    char *text = xcalloc(row->size + 1, 1);
    if (fseeko(rows->texts, row->offset, SEEK_SET) == 0 &&
        fread(text, 1, row->size, rows->texts) == row->size)
        return text;
    error_set(err, "cannot read from a temporary file: %s", strerror(errno));
    free(text);
    return NULL;
}

int list_rows_print_json(struct list_rows *rows, const char *group, int64_t now_ms, FILE *out,
    size_t *printed, struct error *err)
{
    struct history_book *book = list_rows_book(rows);
    int status = 0;
    *printed = 0;
    for (size_t i = 0; i < rows->count && status == 0 && !ferror(out); i++) {
        const struct row *row = &rows->all[i];
        if (group && strcmp(row->entry.group, group) != 0)
            continue;
        const struct history_view_added added = {
            row->entry.group, list_rows_history_of(rows, book, row, now_ms), &row->mark};
        char *text = read_json(rows, row, err);
        status = text ? 0 : -1;
        if (text) {
            fputs((*printed)++ ? ",\n" : "[\n", out);
            history_view_json(text, row->size, &added, out);
        }
        free(text);
    }
    fputs(*printed ? "\n]\n" : "[]\n", out);
    history_book_free(book);
    return status;
}
