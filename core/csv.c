#include "core/csv.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/csv_number.h"
#include "core/error.h"
#include "core/series.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* MAX_LINE + 1 bytes without a line's end hold a field that is too long or a cell too many. */
enum { MAX_LINE = CSV_MAX_COLUMNS * (CSV_MAX_FIELD + 1), BLOCK = 4 * MAX_LINE, SHOWN = 40 };

struct csv_reader {
    int fd; /* -1: from memory */
    const char *bytes;
    size_t bytes_left;
    char *name;
    char *block;
    size_t start, end; /* of what is unread in the block */
    bool ended;        /* nothing comes after the block */
    uint64_t line;     /* number of the line that is being read */
    const char *line_start;
    char **names; /* without time; ended by NULL */
    double *values;
    size_t count;    /* of names */
    int64_t last_ms; /* time of the row before; -1: none */
};

struct field {
    const char *at; /* where it begins in its line, quotes and blanks included */
    const char *text;
    size_t length; /* of text */
};

static int fail_at(const struct csv_reader *reader, const char *at, struct error *err,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "NAME:LINE:COLUMN: what is wrong" */
static int fail_at(
    const struct csv_reader *reader, const char *at, struct error *err, const char *format, ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(err, "%.250s:%" PRIu64 ":%zu: %s", reader->name, reader->line,
        (size_t)(at - reader->line_start) + 1, what);
}

/* The field's first bytes for a message, unprintable ones as '?'. */
static const char *shown(const char *text, size_t length, char out[SHOWN + 4])
{
    size_t used = length < SHOWN ? length : SHOWN;
    for (size_t i = 0; i < used; i++)
        out[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    strcpy(out + used, length > SHOWN ? "..." : "");
    return out;
}

static ssize_t read_block(struct csv_reader *reader, char *into, size_t room)
{
    if (reader->fd < 0) {
        size_t size = reader->bytes_left < room ? reader->bytes_left : room;
        memcpy(into, reader->bytes, size);
        reader->bytes += size;
        reader->bytes_left -= size;
        return (ssize_t)size;
    }
    ssize_t size;
    do
        size = read(reader->fd, into, room);
    while (size < 0 && errno == EINTR);
    return size;
}

/* Makes room after the unread bytes and reads on. */
static int refill(struct csv_reader *reader, struct error *err)
{
    memmove(reader->block, reader->block + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
    ssize_t size = read_block(reader, reader->block + reader->end, BLOCK - reader->end);
    if (size < 0)
        return error_set(err, "%.250s cannot be read: %s", reader->name, strerror(errno));
    reader->ended = size == 0;
    reader->end += (size_t)size;
    return 0;
}

/* The next line without its end. 1, 0 at the end of the trace, -1. A line that is too long comes in
 * part, as more than MAX_LINE bytes: its fields will tell where. */
static int next_line(
    struct csv_reader *reader, const char **line, const char **end, struct error *err)
{
    size_t searched = 0;
    for (;;) {
        char *start = reader->block + reader->start;
        size_t unread = reader->end - reader->start;
        const char *found = memchr(start + searched, '\n', unread - searched);
        if (!found && !reader->ended && unread <= MAX_LINE) {
            searched = unread;
            if (refill(reader, err) < 0)
                return -1;
            continue;
        }
        if (!found && unread == 0)
            return 0;
        *line = reader->line_start = start;
        *end = found ? found : start + unread;
        reader->start += (size_t)(*end - start) + (found ? 1 : 0);
        reader->line++;
        if (*end > *line && (*end)[-1] == '\r')
            (*end)--;
        return 1;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(struct field *field)
{
    while (field->length && is_blank(*field->text)) {
        field->text++;
        field->length--;
    }
    while (field->length && is_blank(field->text[field->length - 1]))
        field->length--;
}

/* Takes the quotes off; *comma moves to the one that ends the field, if it had commas in it. */
static int unquote(const struct csv_reader *reader, struct field *field, const char *end,
    const char **comma, struct error *err)
{
    const char *first = field->text + 1;
    const char *last = memchr(first, '"', (size_t)(end - first));
    if (!last)
        return fail_at(reader, field->at, err, "the quote is not closed on its line");
    const char *after = last + 1;
    while (after < end && is_blank(*after))
        after++;
    if (after < end && *after != ',')
        return fail_at(reader, after, err, "there must be a comma or the line's end after a quote");
    field->text = first;
    field->length = (size_t)(last - first);
    trim(field);
    *comma = after;
    return 0;
}

/* The field that begins at *at; moves *at behind its comma, to NULL after the last of the line. */
static int next_field(const struct csv_reader *reader, const char **at, const char *end,
    struct field *field, struct error *err)
{
    const char *comma = memchr(*at, ',', (size_t)(end - *at));
    if (!comma)
        comma = end;
    *field = (struct field){*at, *at, (size_t)(comma - *at)};
    trim(field);
    if (field->length && *field->text == '"' && unquote(reader, field, end, &comma, err) < 0)
        return -1;
    if (comma - *at > CSV_MAX_FIELD)
        return fail_at(
            reader, *at, err, "the field is longer than the %d bytes allowed", CSV_MAX_FIELD);
    *at = comma < end ? comma + 1 : NULL;
    return 0;
}

static int add_column(struct csv_reader *reader, const struct field *field, struct error *err)
{
    char text[SHOWN + 4];
    if (!field->length)
        return fail_at(reader, field->at, err, "the column has no name");
    if (field->length > CSV_MAX_NAME)
        return fail_at(reader, field->at, err,
            "the column's name is longer than the %d bytes allowed", CSV_MAX_NAME);
    for (size_t i = 0; i < field->length; i++)
        if ((unsigned char)field->text[i] < ' ' || field->text[i] == 0x7f || field->text[i] == '"')
            return fail_at(reader, field->at, err,
                "the column's name holds a byte that no name has: is this a CSV file?");
    char *name = xstrndup(field->text, field->length);
    bool known = !strcmp(name, "time");
    for (size_t i = 0; i < reader->count && !known; i++)
        known = !strcmp(reader->names[i], name);
    if (known || reader->count + 2 > CSV_MAX_COLUMNS) {
        free(name);
        if (known)
            return fail_at(reader, field->at, err, "there is a column \"%s\" already",
                shown(field->text, field->length, text));
        return fail_at(
            reader, field->at, err, "there are more than the %d columns allowed", CSV_MAX_COLUMNS);
    }
    reader->names[reader->count++] = name;
    return 0;
}

static int read_header(struct csv_reader *reader, struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* UTF-8's byte order mark */
    char text[SHOWN + 4];
    const char *at, *end;
    int status = next_line(reader, &at, &end, err);
    if (status < 0)
        return -1;
    if (status == 0) {
        reader->line = 1;
        return fail_at(reader, reader->line_start, err, "the trace is empty: it needs a header");
    }
    if (end - at >= 3 && !memcmp(at, mark, 3))
        reader->line_start = at += 3;
    struct field field;
    if (next_field(reader, &at, end, &field, err) < 0)
        return -1;
    if (field.length != 4 || memcmp(field.text, "time", 4) != 0)
        return fail_at(reader, field.at, err,
            "the first line must be the header \"time,<metric>,...\", and this begins with \"%s\"",
            shown(field.text, field.length, text));
    while (at)
        if (next_field(reader, &at, end, &field, err) < 0 || add_column(reader, &field, err) < 0)
            return -1;
    reader->values = xcalloc(reader->count, sizeof *reader->values);
    return 0;
}

static struct csv_reader *open_reader(
    int fd, const void *bytes, size_t size, const char *name, struct error *err)
{
    struct csv_reader *reader = xcalloc(1, sizeof *reader);
    reader->fd = fd;
    reader->bytes = bytes;
    reader->bytes_left = size;
    reader->name = xstrdup(name);
    reader->block = xcalloc(BLOCK, 1);
    reader->line_start = reader->block;
    reader->names = xcalloc(CSV_MAX_COLUMNS, sizeof *reader->names);
    reader->last_ms = -1;
    if (read_header(reader, err) == 0)
        return reader;
    csv_close(reader);
    return NULL;
}

struct csv_reader *csv_open_fd(int fd, const char *name, struct error *err)
{
    return open_reader(fd, NULL, 0, name, err);
}

struct csv_reader *csv_open_bytes(
    const void *data, size_t size, const char *name, struct error *err)
{
    return open_reader(-1, data, size, name, err);
}

void csv_close(struct csv_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->count; i++)
        free(reader->names[i]);
    free(reader->names);
    free(reader->values);
    free(reader->block);
    free(reader->name);
    free(reader);
}

const char *const *csv_columns(const struct csv_reader *reader)
{
    return (const char *const *)reader->names;
}

static int read_time(
    struct csv_reader *reader, const struct field *field, int64_t *time_ms, struct error *err)
{
    char text[SHOWN + 4];
    if (csv_time(field->text, field->length, time_ms) < 0)
        return fail_at(reader, field->at, err,
            "\"%s\" is not a time: give Unix seconds or RFC 3339, from 1970 to 9999",
            shown(field->text, field->length, text));
    if (*time_ms <= reader->last_ms)
        return fail_at(reader, field->at, err,
            "the time %s does not rise: it must be at least 1 ms after the row before",
            shown(field->text, field->length, text));
    reader->last_ms = *time_ms;
    return 0;
}

static int read_value(
    const struct csv_reader *reader, const struct field *field, double *value, struct error *err)
{
    char text[SHOWN + 4];
    *value = NAN;
    if (!field->length || csv_number(field->text, field->length, value) == 0)
        return 0;
    return fail_at(reader, field->at, err, "\"%s\" is not a finite number (a gap is an empty cell)",
        shown(field->text, field->length, text));
}

static int read_cells(struct csv_reader *reader, const char *at, const char *end,
    struct csv_row *row, struct error *err)
{
    struct field field;
    if (next_field(reader, &at, end, &field, err) < 0 ||
        read_time(reader, &field, &row->time_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < reader->count; i++) {
        if (!at)
            return fail_at(reader, end, err, "the row ends after %zu of the header's %zu columns",
                i + 1, reader->count + 1);
        if (next_field(reader, &at, end, &field, err) < 0 ||
            read_value(reader, &field, &reader->values[i], err) < 0)
            return -1;
    }
    if (at)
        return fail_at(
            reader, at, err, "the row has more cells than the header's %zu", reader->count + 1);
    row->values = reader->values;
    return 1;
}

static bool is_empty(const char *line, const char *end)
{
    while (line < end && is_blank(*line))
        line++;
    return line == end;
}

int csv_next(struct csv_reader *reader, struct csv_row *row, struct error *err)
{
    const char *line, *end;
    uint64_t empty_line = 0;
    int status;
    while ((status = next_line(reader, &line, &end, err)) == 1 && is_empty(line, end))
        if (!empty_line)
            empty_line = reader->line;
    if (status != 1)
        return status;
    if (empty_line) {
        reader->line = empty_line;
        return fail_at(reader, reader->line_start, err, "the line is empty, and rows follow");
    }
    return read_cells(reader, line, end, row, err);
}

/* A series while its samples are merged into rows. */
struct column {
    const struct series *series;
    size_t left; /* samples from the next one to the newest */
};

/* The column's next sample up to to_ms, NULL: none. */
static const struct sample *next_sample(const struct column *column, int64_t to_ms)
{
    if (!column->left)
        return NULL;
    const struct sample *sample = series_at(column->series, column->left - 1);
    return sample->time_ms <= to_ms ? sample : NULL;
}

/* Every series with a sample in the window, at its first one. The caller frees. */
static struct column *find_columns(
    const struct series_set *set, int64_t from_ms, int64_t to_ms, size_t *count)
{
    struct column *columns = xcalloc(set->count, sizeof *columns);
    *count = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct column column = {set->all[i], set->all[i]->count};
        while (column.left && series_at(column.series, column.left - 1)->time_ms < from_ms)
            column.left--;
        if (next_sample(&column, to_ms))
            columns[(*count)++] = column;
    }
    return columns;
}

/* One row: the samples of that time. */
static int write_row(
    struct buf *out, struct column *columns, size_t count, int64_t time_ms, int64_t wall_ms)
{
    int status = buf_printf(out, "%" PRId64 ".%03d", wall_ms / 1000, (int)(wall_ms % 1000));
    for (size_t i = 0; i < count && status == 0; i++) {
        const struct sample *sample = next_sample(&columns[i], time_ms);
        /* 12 digits: more than any source measures, and 93.1 stays 93.1. */
        status = sample ? buf_printf(out, ",%.12g", sample->value) : buf_puts(out, ",");
        columns[i].left -= sample != NULL;
    }
    return status == 0 ? buf_puts(out, "\n") : -1;
}

int csv_write_series(struct buf *out, const struct series_set *set, int64_t from_ms, int64_t to_ms,
    int64_t wall_offset_ms)
{
    size_t count;
    struct column *columns = find_columns(set, from_ms, to_ms, &count);
    int status = buf_puts(out, "time");
    for (size_t i = 0; i < count && status == 0; i++)
        status = buf_printf(out, ",%s", columns[i].series->name);
    if (status == 0)
        status = buf_puts(out, "\n");
    while (status == 0) {
        int64_t next_ms = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
            const struct sample *sample = next_sample(&columns[i], to_ms);
            if (sample && sample->time_ms < next_ms)
                next_ms = sample->time_ms;
        }
        if (next_ms == INT64_MAX)
            break;
        status = write_row(out, columns, count, next_ms, next_ms + wall_offset_ms);
    }
    free(columns);
    return status;
}
