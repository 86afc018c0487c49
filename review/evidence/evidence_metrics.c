#include "review/evidence/evidence_metrics.h"

#include "core/buf.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/series.h"

#include <stddef.h>
#include <string.h>

/* 16 MiB: no row can need more than its bytes in the file allow, but empty cells are cheap there
 * and not here. */
enum { CELLS_MAX = 1024 * 1024 };

static size_t count_lines(const struct buf *file)
{
    size_t lines = 1;
    for (size_t i = 0; i < file->size; i++)
        lines += file->data[i] == '\n';
    return lines;
}

static void read_rows(
    struct csv_reader *reader, size_t columns, struct series_set *set, struct error *err)
{
    struct series *all[CSV_MAX_COLUMNS];
    struct csv_row row;
    for (size_t i = 0; i < columns; i++)
        all[i] = series_set_add(set, csv_columns(reader)[i]);
    while (csv_next(reader, &row, err) > 0)
        for (size_t i = 0; i < columns; i++)
            series_push(all[i], row.time_ms, row.values[i]);
}

void evidence_metrics_read(
    struct series_set *set, const struct buf *file, const char *name, struct error *err)
{
    err->text[0] = '\0';
    struct csv_reader *reader = csv_open_bytes(file->data, file->size, name, err);
    if (!reader) {
        series_set_init(set, 1);
        return;
    }
    size_t columns = 0, rows = count_lines(file);
    while (csv_columns(reader)[columns])
        columns++;
    if (columns > 0 && rows > CELLS_MAX / columns)
        rows = CELLS_MAX / columns;
    series_set_init(set, rows);
    read_rows(reader, columns, set, err);
    csv_close(reader);
}
