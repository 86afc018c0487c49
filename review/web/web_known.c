#include "review/web/web_known.h"

#include "core/alloc.h"
#include "review/web/web_summary.h"

#include <stdlib.h>
#include <string.h>

static void add(struct web_services *services, const char *name)
{
    for (size_t i = 0; i < services->count; i++)
        if (!strcmp(services->names[i], name))
            return;
    if (services->count < WEB_SERVICES_MAX)
        services->names[services->count++] = xstrdup(name);
}

void web_services_of(
    struct web_services *services, struct web_summary *const *summaries, size_t count)
{
    services->count = 0;
    for (size_t i = 0; i < count; i++)
        add(services, summaries[i]->service);
}

void web_services_free(struct web_services *services)
{
    for (size_t i = 0; i < services->count; i++)
        free(services->names[i]);
    services->count = 0;
}

void web_known_free(struct web_known *known)
{
    for (size_t i = 0; i < known->count; i++) {
        free(known->services[i].service);
        known_free(&known->services[i].known);
    }
    known->count = 0;
}

static struct web_known_service *find(struct web_known *known, const char *service)
{
    for (size_t i = 0; i < known->count; i++)
        if (!strcmp(known->services[i].service, service))
            return &known->services[i];
    return NULL;
}

const struct known *web_known_find(const struct web_known *known, const char *service)
{
    for (size_t i = 0; i < known->count; i++)
        if (!strcmp(known->services[i].service, service))
            return &known->services[i].known;
    return NULL;
}

static bool is_same(const struct known *a, const struct known *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!known_find(b, a->groups[i].group))
            return false;
    return a->count == b->count;
}

bool web_known_set(struct web_known *known, const char *service, struct known *of)
{
    struct web_known_service *found = find(known, service);
    if (!found && (of->count == 0 || known->count == WEB_SERVICES_MAX)) {
        known_free(of);
        return false;
    }
    if (!found) {
        found = &known->services[known->count++];
        *found = (struct web_known_service){.service = xstrdup(service)};
    }
    bool changed = !is_same(&found->known, of);
    known_free(&found->known);
    found->known = *of;
    return changed;
}
