#include "agent/storage/incident_files.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char manifest[] = "incident.json";

void incident_files_add(struct incident_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (!strcmp(files->names[i], name))
            return;
    files->names = xrealloc(files->names, files->count + 1, sizeof *files->names);
    files->names[files->count++] = xstrdup(name);
}

static int collect(void *arg, const char *name)
{
    if (name[0] != '.')
        incident_files_add(arg, name);
    return 0;
}

static int compare(const char *a, const char *b)
{
    int a_last = !strcmp(a, manifest), b_last = !strcmp(b, manifest);
    return a_last != b_last ? a_last - b_last : strcmp(a, b);
}

static int in_sending_order(const void *left, const void *right)
{
    return compare(*(char *const *)left, *(char *const *)right);
}

/* Where files are elsewhere the disk was full or broken: the folder may not be there, or not be
 * readable any more. */
static enum finding finding_of(int code, bool elsewhere)
{
    if (elsewhere && (code == ENOENT || code == ENOTDIR))
        return FOUND;
    if (elsewhere && code == EIO)
        return FOUND_IN_PART;
    return code == ENOENT ? GONE : UNREADABLE;
}

enum finding incident_files_find(
    struct incident_files *files, const char *folder, const char *sent_last, struct error *err)
{
    enum finding finding = FOUND;
    bool elsewhere = files->count > 0;
    if (fs_each(folder, collect, files, err) < 0)
        finding = finding_of(errno, elsewhere);
    if (files->count)
        qsort(files->names, files->count, sizeof *files->names, in_sending_order);
    if ((finding == FOUND || finding == FOUND_IN_PART) &&
        (!files->count || strcmp(files->names[files->count - 1], manifest) != 0)) {
        error_set(err, "%s has no %s: put it back, or remove the folder", folder, manifest);
        finding = UNREADABLE;
    }
    while (sent_last && files->next + 1 < files->count &&
           compare(files->names[files->next], sent_last) <= 0)
        files->next++;
    return finding;
}

void incident_files_clear(struct incident_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->names[i]);
    free(files->names);
    *files = (struct incident_files){0};
}

const char *content_type_of(const char *file)
{
    static const char *const types[][2] = {{".json", "application/json"}, {".csv", "text/csv"},
        {".html", "text/html; charset=utf-8"}, {".txt", "text/plain; charset=utf-8"}};
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcmp(dot, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}
