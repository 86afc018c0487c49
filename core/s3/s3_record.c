#include "core/s3/s3_record.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char title[] = "stakeout upload 1";
enum { MAX_WORD = 2048, MAX_LINE = 4096 };

static size_t part_count(uint64_t size)
{
    return size == 0 ? 1 : (size_t)((size + S3_PART_BYTES - 1) / S3_PART_BYTES);
}

void s3_record_init(struct s3_record *record, const char *key, uint64_t size)
{
    *record = (struct s3_record){.key = xstrdup(key), .size = size, .count = part_count(size)};
    record->parts = xcalloc(record->count, sizeof *record->parts);
}

void s3_record_free(struct s3_record *record)
{
    free(record->key);
    free(record->id);
    free(record->parts);
    *record = (struct s3_record){0};
}

bool s3_record_takes(const char *text)
{
    size_t length = strlen(text);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return length > 0 && length < MAX_WORD;
}

void s3_record_print_head(const struct s3_record *record, struct buf *out)
{
    buf_printf(out, "%s\nkey %s\nsize %llu\nchecked %d\nid %s\n", title, record->key,
        (unsigned long long)record->size, record->checked, record->id);
}

void s3_record_print_part(const struct s3_record *record, size_t index, struct buf *out)
{
    const struct s3_part *part = &record->parts[index];
    buf_printf(out, "part %zu %s %s\n", index + 1, part->sha256, part->etag);
}

/* Copies the next whole line and moves past it; false at the end, and for a line that is too long.
 */
static bool next_line(const char **at, const char *end, char line[MAX_LINE])
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    if (!newline || newline - *at >= MAX_LINE)
        return false;
    size_t length = (size_t)(newline - *at);
    memcpy(line, *at, length);
    line[length] = '\0';
    *at = newline + 1;
    return strlen(line) == length;
}

/* What stands behind "name "; NULL when the line begins otherwise. */
static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(line, name, length) && line[length] == ' ' ? line + length + 1 : NULL;
}

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    *number = strtoull(text, &end, 10);
    return *end == '\0';
}

static void read_part(struct s3_record *record, const char *text)
{
    unsigned long number;
    struct s3_part part = {0};
    int used = 0;
    int found = sscanf(
        text, "%5lu %64[0-9a-f] %127[!-~]%n", &number, part.sha256, part.etag, &used);
    if (found == 3 && text[used] == '\0' && strlen(part.sha256) == 64 && number >= 1 &&
        number <= record->count)
        record->parts[number - 1] = part;
}

/* Key, size, checked and id, in this order; the record is a new one. */
static bool read_head(struct s3_record *record, const char **at, const char *end)
{
    char line[MAX_LINE];
    uint64_t size, checked;
    if (!next_line(at, end, line) || strcmp(line, title) != 0)
        return false;
    const char *key = next_line(at, end, line) ? value_of(line, "key") : NULL;
    if (!key)
        return false;
    char *copy = xstrdup(key);
    bool sized = next_line(at, end, line) && read_number(value_of(line, "size"), &size) &&
                 size <= (uint64_t)S3_PARTS_MAX * S3_PART_BYTES;
    bool whole = sized && next_line(at, end, line) &&
                 read_number(value_of(line, "checked"), &checked) && next_line(at, end, line);
    const char *id = whole ? value_of(line, "id") : NULL;
    if (id && s3_record_takes(id)) {
        s3_record_init(record, copy, size);
        record->checked = checked != 0;
        record->id = xstrdup(id);
    }
    free(copy);
    return record->id != NULL;
}

bool s3_record_read(struct s3_record *record, const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    char line[MAX_LINE];
    struct s3_record found = {0};
    bool fits = read_head(&found, &at, end) &&
                (!record->key || (!strcmp(record->key, found.key) && record->size == found.size));
    if (!fits) {
        s3_record_free(&found);
        return false;
    }
    while (next_line(&at, end, line)) {
        const char *part = value_of(line, "part");
        if (part)
            read_part(&found, part);
    }
    s3_record_free(record);
    *record = found;
    return true;
}
