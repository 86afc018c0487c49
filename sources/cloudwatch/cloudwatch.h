/* RDS's metrics from CloudWatch: one question at a time, signed with credentials of AWS's chain.
 * They are one a minute and minutes late, so they are asked for around incidents
 * (agent/late/late.h); source_cloudwatch polls what triggers look at. */
#ifndef SOURCES_CLOUDWATCH_CLOUDWATCH_H
#define SOURCES_CLOUDWATCH_CLOUDWATCH_H

#include "sources/cloudwatch/cloudwatch_query.h"

#include <stdbool.h>
#include <stddef.h>

struct cloudwatch;
struct loop;

/* One database. */
struct cloudwatch_target {
    const char *name;               /* of its series: rds.<name>.<Metric>; NULL: rds.<Metric> */
    const char *instance, *cluster; /* RDS's identifier; one of them is NULL */
    const char *region;             /* NULL: the environment's, the profile's, where this runs */
    const char *endpoint;           /* NULL: AWS's of the region */
    const char *ca_file;            /* NULL: the system's */
    const char *role, *external_id; /* assumed on top of the chain; NULL: none */
};

/* How a question ended. */
struct cloudwatch_result {
    struct cloudwatch_verdict verdict;
    struct cloudwatch_lines lines; /* the caller's to free, whatever the verdict */
    const char *region;            /* that was asked; valid within `done` */
};

/* The target's strings outlive it. service: names the session of a role. announce: logs once where
 * the credentials come from. */
struct cloudwatch *cloudwatch_open(
    struct loop *loop, const struct cloudwatch_target *target, const char *service, bool announce);
void cloudwatch_close(struct cloudwatch *cloudwatch); /* what is asked ends without `done` */

/* Asks; `done` comes later, on the loop, once. One question at a time; the query is copied. */
void cloudwatch_ask(struct cloudwatch *cloudwatch, const struct cloudwatch_query *query,
    void (*done)(void *arg, struct cloudwatch_result *result), void *arg);
bool cloudwatch_is_asking(const struct cloudwatch *cloudwatch);

/* The name of a metric's series; the caller frees. */
char *cloudwatch_series(const struct cloudwatch_target *target, const char *metric);

/* What source_cloudwatch is opened with: what triggers look at of one database, at least one
 * metric. All of it outlives the source. */
struct cloudwatch_polling {
    struct cloudwatch_target target;
    const char *const *metrics; /* CloudWatch's names */
    size_t count;
    const char *service;
};
struct cloudwatch_options {
    const struct cloudwatch_polling *databases;
    size_t count;
};

#endif
