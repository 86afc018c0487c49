#include "review/web/web_incident.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "/incident/"

void web_incident(struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    const char *begin = request->path + sizeof PREFIX - 1, *slash = strchr(begin, '/');
    char *id = slash ? xstrndup(begin, (size_t)(slash - begin)) : xstrdup(begin);
    const char *rest = slash ? slash + 1 : "";
    if (!incident_id_valid(id))
        web_page_problem(site, reply, 404,
            "This is not the id of an incident, which looks like "
            "20261123T150401Z-cpu-high-1a2b3c.");
    else if (request->post)
        web_incident_note(site, request, id, rest, reply);
    else if (*rest)
        web_incident_file(site, id, rest, reply);
    else if (slash)
        web_page_problem(site, reply, 404, "There is no such page.");
    else
        web_incident_page(site, id, reply);
    free(id);
}
