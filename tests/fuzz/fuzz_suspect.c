/* Two profiles, one behind the other, as those of a spike and of a calm day: someone is found or it
 * is said why not, whatever the profiles are. The first byte says what they are of, the next two
 * how long the first one is. */
#include "core/alloc.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/goroutines.h"
#include "review/suspect/owners.h"
#include "review/suspect/suspect.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, INFLATED_MAX = 1 << 18 };

static const struct {
    const char *metric, *profile;
} kinds[] = {{"cpu", "cpu"}, {"memory", "heap"}, {"goroutines", "goroutine"},
    {"db.received", "cpu"}, {"memory", "allocs"}, {NULL, "goroutine"}};

static void must_hold(const struct incident_analysis *found)
{
    if (!found->suspect.function == !found->no_suspect)
        abort();
    if (found->suspect.function && (!found->suspect.why || !found->suspect.path_count ||
                                       found->suspect.path_count > INCIDENT_PATH_MAX))
        abort();
    if (found->runner_up_count > INCIDENT_RUNNERS_UP_MAX)
        abort();
}

static void analyse(struct evidence *evidence)
{
    struct goroutines groups;
    struct owners *owners = owners_learn(evidence);
    suspect_find(evidence, &evidence->incident->analysis);
    must_hold(&evidence->incident->analysis);
    goroutines_of(evidence->profiles[0].profile, evidence->profiles[0].base, owners, &groups);
    goroutines_free(&groups);
    owners_free(owners);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    size_t first = (size_t)data[1] << 8 | data[2], rest = size - HEAD;
    first = first < rest ? first : rest;
    struct evidence_profile profile = {
        .name = kinds[data[0] % (sizeof kinds / sizeof *kinds)].profile,
        .profile = profile_decode(data + HEAD, first, INFLATED_MAX, NULL),
        .base = profile_decode(data + HEAD + first, rest - first, INFLATED_MAX, NULL)};
    struct evidence evidence = {
        .incident = incident_new(), .profiles = &profile, .profile_count = 1};
    const char *metric = kinds[data[0] % (sizeof kinds / sizeof *kinds)].metric;
    series_set_init(&evidence.metrics, 2);
    evidence.incident->trigger.metric = metric ? xstrdup(metric) : NULL;
    if (data[0] & 0x80)
        incident_add_own_code(evidence.incident, "m");
    incident_add_profile(evidence.incident, profile.name);
    analyse(&evidence);
    profile_free(profile.profile);
    profile_free(profile.base);
    series_set_free(&evidence.metrics);
    incident_free(evidence.incident);
    return 0;
}
