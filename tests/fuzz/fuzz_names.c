/* Names of functions and files as a profile may have them, two in a text, a line each: a name is
 * normalised once and for all, and what becomes a link can end neither an attribute nor a line. */
#include "core/alloc.h"
#include "core/incident.h"
#include "review/analysis/source_link.h"
#include "review/history/group.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size), *file = strchr(text, '\n');
    if (file)
        *file++ = '\0';
    else
        file = text + strlen(text);
    char *name = group_function_name(text);
    if (strlen(name) > strlen(text) + 2)
        abort();
    struct incident *incident = incident_new();
    incident->source_url = xstrdup("https://git/{commit}/{path}#L{line}");
    incident->target.image = xasprintf("shop:%s", text);
    struct source_links *links = source_links_new(incident);
    source_links_learn(links, text, file);
    char *link = source_links_to(links, text, file, 1);
    if (link && (strncmp(link, "https://git/", 12) != 0 || strpbrk(link, " \"'<>\n\\")))
        abort();
    free(link);
    source_links_free(links);
    incident_free(incident);
    free(name);
    free(text);
    return 0;
}
