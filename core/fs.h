/* Files, safely: bounded reads, writes that are whole or not there, folders. Everything here
 * blocks, and what syncs or copies may block for long: during a run an offload's thread does it. */
#ifndef CORE_FS_H
#define CORE_FS_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct error;

/* Reads a whole file of at most `max` bytes into buf (initialised here; the caller frees it, also
 * after an error). */
int fs_read(const char *path, size_t max, struct buf *buf, struct error *err);

/* The same of a regular file only, for files that others name and write (credentials, tokens): a
 * pipe without a writer and a device are refused, so the loop may read it where no thread can be
 * had. What this cannot help is a file system that hangs, such as a network mount that is gone. */
int fs_read_regular(const char *path, size_t max, struct buf *buf, struct error *err);

/* What fits into size of a small file that is written anew for whoever reads it, as those of /proc
 * and cgroups, with a NUL. Returns its length; 0, and "", where it cannot be read. */
size_t fs_read_text(const char *path, char *text, size_t size);

/* Writes a file so that it is there whole or not at all, also after a crash: a temporary file
 * whose name begins with a dot and is nobody else's, fsync, rename, fsync of the folder. Of several
 * writers at once one wins. Mode 0644. What a crash leaves of a temporary file goes with a later
 * write of the same file. */
int fs_write(const char *path, const void *data, size_t size, struct error *err);
int fs_write_in(
    const char *folder, const char *name, const void *data, size_t size, struct error *err);

/* The same for a copy of another file. */
int fs_copy(const char *from, const char *to, struct error *err);

/* Removes what writers of this file that were killed have left beside it, as each of the two above
 * does once its file is there. */
void fs_remove_leftovers(const char *path);

/* Makes a folder and its parents, durably; one that exists is fine. */
int fs_make_folders(const char *path, struct error *err);

/* Makes what was created, renamed or removed in this folder durable. */
int fs_sync_folder(const char *path, struct error *err);

/* The same for the folder that this is in. */
int fs_sync_parent(const char *path, struct error *err);

/* Removes a file or a folder with all in it; one that is not there is fine. */
int fs_remove(const char *path, struct error *err);

/* Calls `each` for every name in a folder but "." and "..", in no order, until it returns non-zero.
 * -1 when the folder cannot be read (to its end), with errno saying why (else it is 0), else what
 * `each` returned last. */
int fs_each(
    const char *path, int (*each)(void *arg, const char *name), void *arg, struct error *err);

/* Bytes of all files in a folder, one level deep into its folders; 0 when there is none. */
uint64_t fs_size(const char *path);

/* The same of those files only that have no other name elsewhere (hard links). */
uint64_t fs_size_unshared(const char *path);

bool fs_exists(const char *path);

/* All of it to an open descriptor; -1 and errno. */
int fs_write_all(int fd, const void *data, size_t size);

#endif
