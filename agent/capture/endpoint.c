#include "agent/capture/endpoint.h"

#include "core/alloc.h"
#include "core/http.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct length {
    char *profile;
    int64_t seconds;
};

struct endpoint {
    struct length *lengths;
    size_t count;
    bool answered; /* the last request, or the one before those that were not */
    bool lost, gone;
    unsigned losses;
    bool drops_half_closed;
};

struct endpoint *endpoint_new(void)
{
    return xcalloc(1, sizeof(struct endpoint));
}

void endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    endpoint_forget(endpoint);
    free(endpoint);
}

static struct length *find(const struct endpoint *endpoint, const char *profile)
{
    for (size_t i = 0; endpoint && i < endpoint->count; i++)
        if (!strcmp(endpoint->lengths[i].profile, profile))
            return &endpoint->lengths[i];
    return NULL;
}

void endpoint_refuses(struct endpoint *endpoint, const char *profile, int64_t seconds)
{
    if (!endpoint)
        return;
    struct length *known = find(endpoint, profile);
    if (!known) {
        endpoint->lengths = xrealloc(
            endpoint->lengths, endpoint->count + 1, sizeof *endpoint->lengths);
        known = &endpoint->lengths[endpoint->count++];
        known->profile = xstrdup(profile);
    }
    known->seconds = seconds;
}

void endpoint_allows(struct endpoint *endpoint, const char *profile, int64_t seconds)
{
    struct length *known = find(endpoint, profile);
    if (known && seconds > known->seconds)
        known->seconds = 0;
}

int64_t endpoint_longest(const struct endpoint *endpoint, const char *profile)
{
    const struct length *known = find(endpoint, profile);
    return known ? known->seconds : 0;
}

int64_t endpoint_seconds(const struct endpoint *endpoint, const char *profile, int64_t wanted)
{
    int64_t longest = endpoint_longest(endpoint, profile);
    return longest && longest < wanted ? longest : wanted;
}

void endpoint_forget(struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->count; i++)
        free(endpoint->lengths[i].profile);
    free(endpoint->lengths);
    endpoint->lengths = NULL;
    endpoint->count = 0;
}

void endpoint_drops_half_closed(struct endpoint *endpoint)
{
    if (endpoint)
        endpoint->drops_half_closed = true;
}

bool endpoint_keeps_half_closed(const struct endpoint *endpoint)
{
    return !endpoint || !endpoint->drops_half_closed;
}

void endpoint_note(struct endpoint *endpoint, const struct http_result *result)
{
    if (!endpoint)
        return;
    bool refused = result->outcome == HTTP_UNREACHED;
    bool lost = refused || result->outcome == HTTP_BROKEN;
    if (lost && !endpoint->lost && endpoint->answered)
        endpoint->losses++;
    endpoint->lost = lost;
    endpoint->gone = refused && endpoint->answered;
    endpoint->answered = endpoint->answered || !lost;
}

bool endpoint_is_gone(const struct endpoint *endpoint)
{
    return endpoint->gone;
}

unsigned endpoint_losses(const struct endpoint *endpoint)
{
    return endpoint->losses;
}
