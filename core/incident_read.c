#include "core/buf.h"
#include "core/fs.h"
#include "core/incident.h"

#include <stddef.h>

struct incident *incident_read(const char *path, struct error *err)
{
    struct buf text;
    struct incident *incident = NULL;
    if (fs_read(path, INCIDENT_TEXT_MAX, &text, err) == 0)
        incident = incident_from_text(text.data, text.size, err);
    buf_free(&text);
    return incident;
}
