/* What somebody can do about a request that got no whole answer, in half a sentence: "is its name
 * right?". Pure. */
#ifndef CORE_HTTP_REMEDY_H
#define CORE_HTTP_REMEDY_H

#include "core/http.h"

/* `error` is http's sentence. `host` is who was asked, as http_host gives it, so that a proxy is
 * told from it; NULL: not known. `ca_file`: the configuration has one. "": nothing but to wait. */
const char *http_remedy(
    enum http_outcome outcome, const char *error, const char *host, bool ca_file);

#endif
