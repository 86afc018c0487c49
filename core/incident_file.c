#include "core/alloc.h"
#include "core/buf.h"
#include "core/fs.h"
#include "core/incident.h"

#include <stdlib.h>
#include <string.h>

static char *path_in(const char *folder)
{
    return xasprintf("%s/incident.json", folder);
}

struct incident *incident_read(const char *path, struct error *err)
{
    struct buf text;
    struct incident *incident = NULL;
    if (fs_read(path, INCIDENT_TEXT_MAX, &text, err) == 0)
        incident = incident_from_text(text.data, text.size, err);
    buf_free(&text);
    return incident;
}

struct incident *incident_read_in(const char *folder, struct error *err)
{
    char *path = path_in(folder);
    struct incident *incident = incident_read(path, err);
    free(path);
    return incident;
}

int incident_save(const struct incident *incident, const char *path, struct error *err)
{
    char *text = incident_to_text(incident);
    int status = fs_write(path, text, strlen(text), err);
    free(text);
    return status;
}

int incident_save_in(const struct incident *incident, const char *folder, struct error *err)
{
    char *path = path_in(folder);
    int status = incident_save(incident, path, err);
    free(path);
    return status;
}
