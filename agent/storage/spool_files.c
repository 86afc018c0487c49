#include "agent/storage/reserve.h"
#include "agent/storage/spool.h"
#include "agent/storage/spool_parts.h"
#include "core/alloc.h"

#include <stdlib.h>

char *spool_open_folder(const struct spool *spool, const char *id)
{
    return xasprintf("%s/.%s", spool->path, id);
}

struct reserve *spool_reserve(const struct spool *spool)
{
    return spool->reserve;
}

const char *spool_trouble(const struct spool *spool)
{
    return spool->trouble.text[0] ? spool->trouble.text : NULL;
}

const char *spool_taken(const struct spool *spool)
{
    return spool->taken.text[0] ? spool->taken.text : NULL;
}

bool spool_in_memory(const struct spool *spool, const char *id)
{
    char *folder = spool_open_folder(spool, id);
    bool there = reserve_path(spool->reserve, folder, "incident.json") != NULL;
    free(folder);
    return there;
}

char *spool_place(const struct spool *spool, const char *id, uint64_t *memory_bytes)
{
    *memory_bytes = 0;
    if (!spool_in_memory(spool, id))
        return spool_folder(spool, id);
    char *folder = spool_open_folder(spool, id);
    *memory_bytes = reserve_size(spool->reserve, folder);
    return folder;
}

static void list_file(void *arg, const char *name, const char *path)
{
    (void)path;
    if (name[0] != '.')
        incident_files_add(arg, name);
}

/* What got onto the disk before it was full is in the folder of what is in the making. */
enum finding spool_find_files(const struct spool *spool, const char *id,
    struct incident_files *files, const char *sent_last, struct error *err)
{
    bool in_memory = spool_in_memory(spool, id);
    char *folder = in_memory ? spool_open_folder(spool, id) : spool_folder(spool, id);
    if (in_memory)
        reserve_each(spool->reserve, folder, list_file, files);
    enum finding finding = incident_files_find(files, folder, sent_last, err);
    free(folder);
    return finding;
}

char *spool_file(const struct spool *spool, const char *id, const char *name)
{
    bool in_memory = spool_in_memory(spool, id);
    char *folder = in_memory ? spool_open_folder(spool, id) : spool_folder(spool, id);
    const char *reserved = in_memory ? reserve_path(spool->reserve, folder, name) : NULL;
    char *path = reserved ? xstrdup(reserved) : xasprintf("%s/%s", folder, name);
    free(folder);
    return path;
}
