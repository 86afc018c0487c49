#include "agent/late/late_files.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/rds_metric.h"
#include "core/series.h"
#include "sources/cloudwatch/cloudwatch_query.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char metrics_name[] = "metrics.csv";
static const char mark_prefix[] = ".stored-";
static const size_t metrics_max = 64 << 20;
static const int64_t before_onset_ms = 5 * 60 * 1000; /* that metrics.csv has at the least */

struct keeping {
    const char *from, *to;
    struct error *err;
};

static int keep_file(void *arg, const char *name)
{
    const struct keeping *keeping = arg;
    if (name[0] == '.')
        return 0;
    char *from = xasprintf("%s/%s", keeping->from, name);
    char *to = xasprintf("%s/%s", keeping->to, name);
    int status = link(from, to);
    if (status < 0)
        status = fs_copy(from, to, keeping->err);
    free(from);
    free(to);
    return status;
}

/* "<folder>/.<id>" for "<folder>/<id>". The caller frees. */
static char *draft_of(const char *folder)
{
    const char *name = strrchr(folder, '/') + 1;
    return xasprintf("%.*s.%s", (int)(name - folder), folder, name);
}

int late_files_keep(const char *from, const char *to, struct error *err)
{
    char *draft = draft_of(to);
    struct keeping keeping = {from, draft, err};
    if (fs_exists(to)) {
        free(draft);
        return 0;
    }
    int status = fs_remove(draft, err);
    if (status == 0)
        status = fs_make_folders(draft, err);
    if (status == 0)
        status = fs_each(from, keep_file, &keeping, err);
    if (status == 0 && rename(draft, to) < 0)
        status = error_set(err, "cannot rename %s: %s", draft, strerror(errno));
    if (status < 0)
        fs_remove(draft, NULL);
    free(draft);
    return status;
}

static int read_file(
    const char *folder, const char *name, size_t max, struct buf *text, struct error *err)
{
    char *path = xasprintf("%s/%s", folder, name);
    int status = fs_read(path, max, text, err);
    free(path);
    return status;
}

/* Calls `take` for every row. */
static int read_rows(const struct buf *text,
    void (*take)(void *arg, const struct csv_row *row, const char *const *columns), void *arg,
    struct error *err)
{
    struct csv_row row;
    struct csv_reader *csv = csv_open_bytes(text->data, text->size, metrics_name, err);
    int status = csv ? 1 : -1;
    while (status == 1) {
        status = csv_next(csv, &row, err);
        if (status == 1)
            take(arg, &row, csv_columns(csv));
    }
    csv_close(csv);
    return status;
}

static void take_time(void *arg, const struct csv_row *row, const char *const *columns)
{
    (void)columns;
    struct late_window *window = arg;
    if (window->from_ms == INT64_MIN)
        window->from_ms = row->time_ms;
    window->to_ms = row->time_ms;
}

/* CloudWatch knows the time before the onset also where the agent did not run then. */
static void widen(struct late_window *window, const struct incident *incident)
{
    int64_t onset_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    window->added = incident->late_added_ms != 0;
    if (window->from_ms == INT64_MIN || window->from_ms > onset_ms - before_onset_ms)
        window->from_ms = onset_ms - before_onset_ms;
    if (window->to_ms < incident->fired_ms) /* nothing was measured */
        window->to_ms = incident->fired_ms;
}

int late_files_window(const char *folder, struct late_window *window, struct error *err)
{
    struct buf text;
    *window = (struct late_window){.from_ms = INT64_MIN};
    int status = read_file(folder, metrics_name, metrics_max, &text, err);
    if (status == 0)
        status = read_rows(&text, take_time, window, err);
    buf_free(&text);
    struct incident *incident = status == 0 ? incident_read_in(folder, err) : NULL;
    if (status == 0 && !incident)
        status = -1;
    if (incident)
        widen(window, incident);
    incident_free(incident);
    return status;
}

/* metrics.csv as series, without those that are to be replaced. */
struct table {
    struct series_set series;
    const struct late_lines *late;
    size_t count;
};

static bool is_late(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        for (size_t j = 0; j < table->late[i].lines->count; j++)
            if (table->late[i].lines->all[j].count && !strcmp(table->late[i].series[j], name))
                return true;
    return false;
}

static void take_row(void *arg, const struct csv_row *row, const char *const *columns)
{
    struct table *table = arg;
    for (size_t i = 0; columns[i]; i++) {
        if (isnan(row->values[i]) || is_late(table, columns[i]))
            continue;
        series_push(series_set_add(&table->series, columns[i]), row->time_ms, row->values[i]);
    }
}

static void count_row(void *arg, const struct csv_row *row, const char *const *columns)
{
    (void)row, (void)columns;
    ++*(size_t *)arg;
}

static void set_peak(struct incident *incident, const char *metric, double value)
{
    for (size_t i = 0; i < incident->peak_count; i++) {
        if (strcmp(incident->peaks[i].metric, metric) != 0)
            continue;
        incident->peaks[i].value = value;
        return;
    }
    incident_add_peak(incident, metric, value);
}

/* A minute belongs to the window when it overlaps it. */
static void add_points(
    struct table *table, const struct late_window *window, struct incident *incident)
{
    int64_t begin_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    for (size_t i = 0; i < table->count; i++) {
        for (size_t j = 0; j < table->late[i].lines->count; j++) {
            const struct cloudwatch_line *line = &table->late[i].lines->all[j];
            const char *name = table->late[i].series[j];
            double peak = NAN;
            for (size_t k = 0; k < line->count; k++) {
                const struct cloudwatch_point *point = &line->points[k];
                if (point->time_ms <= window->from_ms ||
                    point->time_ms - RDS_PERIOD_MS > window->to_ms)
                    continue;
                series_push(series_set_add(&table->series, name), point->time_ms, point->value);
                if (point->time_ms > begin_ms)
                    peak = fmax(peak, point->value); /* NAN loses */
            }
            if (!isnan(peak))
                set_peak(incident, name, peak);
        }
    }
}

int late_files_add(const char *folder, const struct late_lines *all, size_t count,
    const struct late_window *window, int64_t now_ms, struct error *err)
{
    struct buf text, csv;
    struct table table = {.late = all, .count = count};
    size_t rows = 0;
    buf_init(&csv, metrics_max);
    struct incident *incident = incident_read_in(folder, err);
    int status = read_file(folder, metrics_name, metrics_max, &text, err);
    if (!incident)
        status = -1;
    if (status == 0)
        status = read_rows(&text, count_row, &rows, err);
    series_set_init(&table.series, rows + CLOUDWATCH_POINTS_MAX);
    if (status == 0)
        status = read_rows(&text, take_row, &table, err);
    buf_free(&text);
    if (status == 0) {
        add_points(&table, window, incident);
        incident->late_added_ms = now_ms;
        if (csv_write_series(&csv, &table.series, INT64_MIN, INT64_MAX, 0) < 0)
            status = error_set(err, "%s is too large", metrics_name);
    }
    if (status == 0)
        status = fs_write_in(folder, metrics_name, csv.data, csv.size, err);
    if (status == 0)
        status = incident_save_in(incident, folder, err);
    series_set_free(&table.series);
    buf_free(&csv);
    incident_free(incident);
    return status;
}

void late_files_mark(const char *folder, const char *exporter)
{
    char *name = xasprintf("%s%s", mark_prefix, exporter);
    fs_write_in(folder, name, "", 0, NULL);
    free(name);
}

struct marks {
    void (*each)(void *arg, const char *exporter);
    void *arg;
};

static int tell_mark(void *arg, const char *name)
{
    const struct marks *marks = arg;
    if (!strncmp(name, mark_prefix, strlen(mark_prefix)))
        marks->each(marks->arg, name + strlen(mark_prefix));
    return 0;
}

void late_files_marks(const char *folder, void (*each)(void *arg, const char *exporter), void *arg)
{
    struct marks marks = {each, arg};
    fs_each(folder, tell_mark, &marks, NULL);
}
