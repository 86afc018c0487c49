/* Which series of a Prometheus metrics page are meant: NAME, or NAME{LABEL="VALUE",OTHER!="X"}. */
#ifndef CORE_METRIC_SELECTOR_H
#define CORE_METRIC_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

struct error;

enum { SELECTOR_NAME_MAX = 200, SELECTOR_LABELS_MAX = 8 };

struct selector_label {
    char *name, *value; /* the value without its escapes */
    bool differs;       /* !=: series that have this value are left out */
};

struct metric_selector {
    char *name;
    struct selector_label labels[SELECTOR_LABELS_MAX];
    size_t label_count;
};

/* -1 and err when the text is none; there is nothing to free then. */
int metric_selector_parse(struct metric_selector *selector, const char *text, struct error *err);
void metric_selector_free(struct metric_selector *selector);

/* How many bytes at the beginning are the name of a metric, [a-zA-Z_:][a-zA-Z0-9_:]*. */
size_t metric_selector_name_length(const char *text, size_t size);

/* The same for a label's name, which has no colon. */
size_t metric_selector_label_length(const char *text, size_t size);

#endif
