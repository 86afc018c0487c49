/* The text format of Prometheus:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
#ifndef AGENT_PROMETHEUS_H
#define AGENT_PROMETHEUS_H

struct buf;

/* What stands before a family's samples. */
void prometheus_head(struct buf *out, const char *name, const char *type, const char *help);

/* A sample with one label, whose value may be any text. */
void prometheus_labelled(
    struct buf *out, const char *name, const char *label, const char *text, double value);

#endif
