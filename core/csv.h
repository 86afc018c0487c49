/* Traces as CSV: what `replay` reads and what an incident's metrics.csv holds. The header is
 * "time,<metric>,..."; a row is the time as Unix seconds (decimals allowed) or RFC 3339, then one
 * number a metric; an empty cell is a gap. */
#ifndef CORE_CSV_H
#define CORE_CSV_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct csv_reader;
struct error;
struct series_set;

/* With these no line can be longer than 64 KiB. */
enum { CSV_MAX_COLUMNS = 256, CSV_MAX_FIELD = 255, CSV_MAX_NAME = 80 };

struct csv_row {
    int64_t time_ms;      /* since 1970, rounded to the millisecond; rising from row to row */
    const double *values; /* in the order of csv_columns; NAN: a gap. Valid until the next row */
};

/* Reads the header. The memory is constant, however long the trace. `name` is for messages; errors
 * of the content read "NAME:LINE:COLUMN: what is wrong", where COLUMN counts bytes from 1. The
 * descriptor stays the caller's, and so do the bytes, which have to outlive the reader.
 *
 * Accepted: CRLF, a UTF-8 byte order mark, blanks around a field, quotes around one (without a
 * quote or a line's end in it), a last line without its end, empty lines at the end. */
struct csv_reader *csv_open_fd(int fd, const char *name, struct error *err);
struct csv_reader *csv_open_bytes(
    const void *data, size_t size, const char *name, struct error *err);
void csv_close(struct csv_reader *reader);

/* The names of the columns after `time`, ended by NULL. */
const char *const *csv_columns(const struct csv_reader *reader);

/* 1: a row; 0: the end; -1: err. After 0 and -1 there is nothing more to read. */
int csv_next(struct csv_reader *reader, struct csv_row *row, struct error *err);

/* Appends the samples of from_ms to to_ms (both included) in the same format, one row a time that
 * any series has a sample of; series without a sample in that window are left out. The rows' times
 * are the samples' plus wall_offset_ms. -1 when `out` is full. */
int csv_write_series(struct buf *out, const struct series_set *set, int64_t from_ms, int64_t to_ms,
    int64_t wall_offset_ms);

#endif
