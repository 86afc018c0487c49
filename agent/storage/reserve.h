/* The memory that takes files while the disk below `state` takes none: it is full, read-only or
 * broken. A file of it has a path, /proc/self/fd/<n>, that everything in this process can open. It
 * ends with the agent, so what is in it goes to the exporters first of all. */
#ifndef AGENT_STORAGE_RESERVE_H
#define AGENT_STORAGE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of it. With the 16 MiB that an agent takes otherwise this is its share of limits.memory; a
 * profile has mostly less than 1 MiB. */
enum { RESERVE_BYTES = 8 << 20 };

struct reserve;
struct reserve_file;

struct reserve *reserve_open(void);

/* Says of each incident that is in it still that it is lost. NULL is allowed. */
void reserve_close(struct reserve *reserve);

/* What its files have now. Any thread. */
uint64_t reserve_bytes(const struct reserve *reserve);

/* A new file, which belongs to the caller until reserve_put; or NULL with errno. These four on any
 * thread, a file on one at a time. */
struct reserve_file *reserve_file_new(struct reserve *reserve);

/* Appends; -1 with errno, ENOSPC where it would exceed the reserve. */
int reserve_file_write(struct reserve_file *file, const void *data, size_t size);
const char *reserve_file_path(const struct reserve_file *file);
void reserve_file_drop(struct reserve_file *file); /* NULL is allowed */

/* The rest on the loop. An incident is known by the folder that it would have on the disk. */

/* It has no folder there: all of its files are to come here. */
void reserve_expect(struct reserve *reserve, const char *folder);
bool reserve_has(const struct reserve *reserve, const char *folder);

/* The bytes of all of its files. */
uint64_t reserve_size(const struct reserve *reserve, const char *folder);

/* Gives it a file, which is taken over, in place of one with that name. */
void reserve_put(
    struct reserve *reserve, const char *folder, const char *name, struct reserve_file *file);

/* The same for bytes. -1 with errno. */
int reserve_put_bytes(
    struct reserve *reserve, const char *folder, const char *name, const void *data, size_t size);

/* Where one of its files is; NULL: it has none of that name. Valid until it is replaced. */
const char *reserve_path(const struct reserve *reserve, const char *folder, const char *name);

void reserve_each(const struct reserve *reserve, const char *folder,
    void (*each)(void *arg, const char *name, const char *path), void *arg);

/* Every incident that has a file of this name. */
void reserve_each_with(const struct reserve *reserve, const char *name,
    void (*each)(void *arg, const char *folder), void *arg);

void reserve_remove(struct reserve *reserve, const char *folder);

#endif
