/* Which baseline an incident is compared with: a decision over those that are kept. */
#ifndef AGENT_BASELINE_CHOICE_H
#define AGENT_BASELINE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

struct incident;
struct incident_target;

/* Whether two targets run the same image; not known is an image, too. */
bool choice_same_image(const struct incident_target *a, const struct incident_target *b);

/* Whether this image and revision (NULL: not known) are what the target ran. */
bool choice_same_deploy(
    const struct incident_target *target, const char *image, const char *revision);

/* Whether all that the baseline was to have is there. */
bool choice_is_whole(const struct incident *baseline);

/* The one for this incident, or NULL. It is of the same app and image and ended before the
 * incident's onset. Whole ones go before others; then one of a comparable hour (within 3 h of the
 * time of day, not older than a week) goes before any other, as load follows the clock; then the
 * newest. */
const struct incident *choice_make(
    const struct incident *const *baselines, size_t count, const struct incident *incident);

#endif
