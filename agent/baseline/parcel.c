#include "agent/baseline/parcel.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/incident.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, END = 2 * BLOCK };

/* Offsets and widths of a header's fields: POSIX.1-2017, pax, "ustar Interchange Format". */
enum {
    NAME_AT = 0,
    NAME_WIDTH = 100,
    MODE_AT = 100,
    OWNER_AT = 108,
    GROUP_AT = 116,
    ID_WIDTH = 8,
    SIZE_AT = 124,
    TIME_AT = 136,
    NUMBER_WIDTH = 12,
    SUM_AT = 148,
    SUM_WIDTH = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257
};

static const char magic[] = "ustar\0"
                            "00";

/* The sum of a header's bytes, its own field taken as blanks. */
static unsigned sum_of(const char *header)
{
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_WIDTH ? ' ' : (unsigned char)header[i];
    return sum;
}

static size_t padding_of(size_t size)
{
    return (BLOCK - size % BLOCK) % BLOCK;
}

char *parcel_file_name(const char *app)
{
    return xasprintf("baseline-%s.tar", app);
}

int parcel_add(struct buf *out, const char *id, const char *name, const void *data, size_t size,
    int64_t time_s)
{
    static const char zeros[BLOCK];
    char header[BLOCK] = {0};
    int length = snprintf(header + NAME_AT, NAME_WIDTH, "%s/%s", id, name);
    size_t whole = BLOCK + size + padding_of(size);
    if (length >= NAME_WIDTH || out->max - out->size < whole + END)
        return -1;
    snprintf(header + MODE_AT, ID_WIDTH, "%07o", 0644u);
    snprintf(header + OWNER_AT, ID_WIDTH, "%07o", 0u);
    snprintf(header + GROUP_AT, ID_WIDTH, "%07o", 0u);
    snprintf(header + SIZE_AT, NUMBER_WIDTH, "%011llo", (unsigned long long)size);
    snprintf(header + TIME_AT, NUMBER_WIDTH, "%011llo",
        (unsigned long long)(time_s > 0 ? time_s : 0) & 077777777777);
    header[TYPE_AT] = '0';
    memcpy(header + MAGIC_AT, magic, sizeof magic - 1);
    snprintf(header + SUM_AT, SUM_WIDTH, "%06o", sum_of(header));
    header[SUM_AT + SUM_WIDTH - 1] = ' ';
    buf_append(out, header, BLOCK);
    buf_append(out, data, size);
    return buf_append(out, zeros, padding_of(size));
}

void parcel_end(struct buf *out)
{
    static const char zeros[END];
    buf_append(out, zeros, sizeof zeros);
}

static bool is_zero(const char *header)
{
    for (int i = 0; i < BLOCK; i++)
        if (header[i])
            return false;
    return true;
}

/* An octal number, ended by a blank, a NUL or the end of its field. False: it is none. */
static bool read_octal(const char *field, size_t width, uint64_t *number)
{
    size_t i = 0;
    for (*number = 0; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        *number = *number * 8 + (uint64_t)(field[i] - '0');
    return i > 0 && (i == width || field[i] == '\0' || field[i] == ' ');
}

/* "<id>/<name>" of the folder that all are in. */
static int read_name(const char *header, struct parcel *parcel, struct error *err)
{
    char whole[NAME_WIDTH + 1];
    memcpy(whole, header + NAME_AT, NAME_WIDTH);
    whole[NAME_WIDTH] = '\0';
    char *slash = strchr(whole, '/');
    if (!slash)
        return error_set(err, "it holds a file outside of a folder");
    *slash = '\0';
    if (!incident_id_valid(whole) || !incident_id_is_of(whole, "baseline"))
        return error_set(err, "its folder is not named as a baseline is");
    if (parcel->count && strcmp(parcel->id, whole) != 0)
        return error_set(err, "it holds more than one folder");
    if (!incident_name_valid(slash + 1))
        return error_set(err, "it holds a file whose name is not plain");
    for (size_t i = 0; i < parcel->count; i++)
        if (!strcmp(parcel->files[i].name, slash + 1))
            return error_set(err, "it holds a file twice");
    snprintf(parcel->id, sizeof parcel->id, "%s", whole);
    snprintf(parcel->files[parcel->count].name, PARCEL_NAME_SIZE, "%s", slash + 1);
    return 0;
}

static int read_header(const char *header, struct parcel *parcel, struct error *err)
{
    uint64_t sum, size;
    if (!read_octal(header + SUM_AT, SUM_WIDTH, &sum) || sum != sum_of(header) ||
        memcmp(header + MAGIC_AT, magic, 5) != 0)
        return error_set(err, "it is not a tar archive");
    if (header[TYPE_AT] != '0' && header[TYPE_AT] != '\0')
        return error_set(err, "it holds something that is not a file");
    if (parcel->count == PARCEL_FILES_MAX)
        return error_set(err, "it holds more than %d files", PARCEL_FILES_MAX);
    if (!read_octal(header + SIZE_AT, NUMBER_WIDTH, &size) || size > PARCEL_MAX_BYTES)
        return error_set(err, "it holds a file whose size is wrong");
    if (read_name(header, parcel, err) < 0)
        return -1;
    parcel->files[parcel->count].size = (size_t)size;
    return 0;
}

int parcel_read(const char *data, size_t size, struct parcel *parcel, struct error *err)
{
    *parcel = (struct parcel){.count = 0};
    size_t at = 0;
    while (size - at >= BLOCK && !is_zero(data + at)) {
        if (read_header(data + at, parcel, err) < 0)
            return -1;
        struct parcel_file *file = &parcel->files[parcel->count];
        at += BLOCK;
        if (size - at < file->size + padding_of(file->size))
            return error_set(err, "it ends in the middle of a file");
        file->data = data + at;
        at += file->size + padding_of(file->size);
        parcel->count++;
    }
    if (size - at < BLOCK)
        return error_set(err, "it is not a whole tar archive");
    return parcel->count ? 0 : error_set(err, "it is empty");
}
