/* incident.json as anybody may have left it in a store: whatever is accepted must be safe to use in
 * a path, and what is written from it must be read back as the same. */
#include "core/error.h"
#include "core/incident.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_paths(const struct incident *incident)
{
    char *folder = incident_folder(incident->service, incident->id);
    if (strstr(folder, "/../") || folder[0] != 's')
        abort();
    free(folder);
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].file && strchr(incident->profiles[i].file, '/'))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct incident *incident = incident_from_text((const char *)data, size, &err);
    if (!incident)
        return 0;
    check_paths(incident);
    char *first = incident_to_text(incident);
    struct incident *again = incident_from_text(first, strlen(first), &err);
    if (!again)
        abort();
    char *second = incident_to_text(again);
    if (strcmp(first, second) != 0)
        abort();
    free(first);
    free(second);
    incident_free(incident);
    incident_free(again);
    return 0;
}
