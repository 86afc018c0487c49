/* The text format of Prometheus:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
#ifndef AGENT_CONTROL_PROMETHEUS_H
#define AGENT_CONTROL_PROMETHEUS_H

#include <stddef.h>

struct buf;

/* What stands before a family's samples. */
void prometheus_head(struct buf *out, const char *name, const char *type, const char *help);

/* A sample with one label, whose value may be any text. */
void prometheus_labelled(
    struct buf *out, const char *name, const char *label, const char *text, double value);

/* Families whose samples are of the same things. */
struct prometheus_family {
    const char *name, *type, *help;
};

enum { PROMETHEUS_FAMILIES_MAX = 8 };

/* All of them, each with a sample for each of `count` things: `measure` fills in a value for each
 * family, in order, and returns the label's text. */
void prometheus_families(struct buf *out, const struct prometheus_family *families,
    size_t family_count, const char *label, size_t count,
    const char *(*measure)(const void *arg, size_t index, double *values), const void *arg);

#endif
