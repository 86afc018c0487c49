/* Options of the Pyroscope exporter. */
#ifndef EXPORTERS_PYROSCOPE_H
#define EXPORTERS_PYROSCOPE_H

#include "config/fields.h"

struct pyroscope_options {
    char *url;
    char *user, *password; /* basic auth; NULL: none */
    char *tenant;
    struct string_map headers;
    char *ca_file;
};

#endif
