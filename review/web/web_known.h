/* The groups that somebody has marked as known, by service. */
#ifndef REVIEW_WEB_KNOWN_H
#define REVIEW_WEB_KNOWN_H

#include "core/known.h"

#include <stdbool.h>
#include <stddef.h>

struct web_summary;

enum { WEB_SERVICES_MAX = 200 };

struct web_services {
    char *names[WEB_SERVICES_MAX];
    size_t count;
};

/* Those of the incidents, as far as there is room. */
void web_services_of(
    struct web_services *services, struct web_summary *const *summaries, size_t count);
void web_services_free(struct web_services *services);

struct web_known_service {
    char *service;
    struct known known;
};

struct web_known {
    struct web_known_service services[WEB_SERVICES_MAX];
    size_t count;
};

void web_known_free(struct web_known *known);

/* NULL: none is known. */
const struct known *web_known_find(const struct web_known *known, const char *service);

/* Takes over what `of` holds. Whether that is another than before. */
bool web_known_set(struct web_known *known, const char *service, struct known *of);

#endif
