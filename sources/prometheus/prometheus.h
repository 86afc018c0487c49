/* Series of Prometheus metrics pages, for `metrics`. Every page is fetched once a tick for all
 * series that are taken from it, and read as it comes. */
#ifndef SOURCES_PROMETHEUS_PROMETHEUS_H
#define SOURCES_PROMETHEUS_PROMETHEUS_H

#include "sources/source.h"

#include <stddef.h>

struct error;

enum prometheus_rate { PROMETHEUS_AUTO, PROMETHEUS_RATE, PROMETHEUS_VALUE };

struct prometheus_metric {
    const char *name, *url, *series; /* the last as core/metric_selector.h reads it */
    int rate;                        /* enum prometheus_rate */
    struct string_map headers;       /* borrowed; metrics of one URL share those that one has */
    const char *ca_file;             /* NULL: the system's */
};

struct prometheus_options {
    const struct prometheus_metric *metrics; /* copied, with all that they point to */
    size_t count;
};

/* setup.options is a struct prometheus_options. */
extern const struct source_kind source_prometheus;

#endif
