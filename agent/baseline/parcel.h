/* A baseline as one file, so that a store has all of it or nothing: a tar archive (POSIX.1-1988
 * ustar) of one folder, <id>/incident.json and the files of profiles. What is read back comes from
 * a bucket and may be anything. */
#ifndef AGENT_BASELINE_PARCEL_H
#define AGENT_BASELINE_PARCEL_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

enum { PARCEL_FILES_MAX = 32, PARCEL_NAME_SIZE = 101, PARCEL_MAX_BYTES = 4 * 1024 * 1024 };

struct parcel_file {
    char name[PARCEL_NAME_SIZE]; /* plain: without a folder */
    const char *data;            /* within what was read */
    size_t size;
};

struct parcel {
    char id[PARCEL_NAME_SIZE];
    struct parcel_file files[PARCEL_FILES_MAX];
    size_t count;
};

/* "baseline-<app>.tar": what the newest of an app is called; the caller frees. */
char *parcel_file_name(const char *app);

/* Appends a file of the baseline with this id. -1, and out is as before, when it does not fit: out
 * has a maximum, and a name in an archive at most 100 characters. */
int parcel_add(struct buf *out, const char *id, const char *name, const void *data, size_t size,
    int64_t time_s);

/* Appends the end, for which every parcel_add left room. */
void parcel_end(struct buf *out);

/* Finds the files in an archive. -1 and err when it is none of ours: another kind of member, a name
 * that is not plain, two folders, too many files, a checksum that is wrong. Pure. */
int parcel_read(const char *data, size_t size, struct parcel *parcel, struct error *err);

#endif
