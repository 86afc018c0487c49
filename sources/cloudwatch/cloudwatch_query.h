/* GetMetricData of CloudWatch in the words of its query protocol: a form, and XML. Pure.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
#ifndef SOURCES_CLOUDWATCH_CLOUDWATCH_QUERY_H
#define SOURCES_CLOUDWATCH_CLOUDWATCH_QUERY_H

#include "core/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cloudwatch_target;
struct error;

enum {
    CLOUDWATCH_METRICS_MAX = 100,
    CLOUDWATCH_POINTS_MAX = 1440, /* of each metric: a day */
    CLOUDWATCH_ANSWER_MAX = 4 << 20,
    CLOUDWATCH_REASON_SIZE = 500
};

/* The means of whole minutes, of all that overlap the time between from_ms and to_ms (wall). */
struct cloudwatch_query {
    const char *const *metrics; /* CloudWatch's names */
    size_t count;
    int64_t from_ms, to_ms;
};

/* The body of the request; the caller frees. */
char *cloudwatch_form(const struct cloudwatch_target *target, const struct cloudwatch_query *query);

/* One minute of one metric; time_ms: its end (wall), as a sample is the mean of the time before it.
 */
struct cloudwatch_point {
    int64_t time_ms;
    double value;
};

struct cloudwatch_line {
    struct cloudwatch_point *points; /* rising in time */
    size_t count;
};

/* What came of all metrics of a query, in its order. */
struct cloudwatch_lines {
    struct cloudwatch_line *all;
    size_t count;
    bool forbidden; /* some are withheld, as the answer says */
    bool partial;   /* there is more of them */
};
void cloudwatch_lines_init(struct cloudwatch_lines *lines, size_t count);
void cloudwatch_lines_free(struct cloudwatch_lines *lines);

/* Whether there is a point of any metric; the time of the newest, INT64_MIN: none. */
bool cloudwatch_lines_any(const struct cloudwatch_lines *lines);
int64_t cloudwatch_lines_newest_ms(const struct cloudwatch_lines *lines);

/* Reads the answer to a query of lines->count metrics into lines, which are empty. -1 and err when
 * it is none. */
int cloudwatch_read(
    const char *text, size_t size, struct cloudwatch_lines *lines, struct error *err);

enum cloudwatch_outcome {
    CLOUDWATCH_ANSWERED, /* the answer was read; there may be no points */
    CLOUDWATCH_RETRY,    /* may work later */
    CLOUDWATCH_REFUSED   /* not before somebody changes something */
};

struct cloudwatch_answer {
    enum http_outcome outcome;
    int status;
    const char *error; /* set unless HTTP_ANSWERED */
    const char *body;
    size_t size;
};

struct cloudwatch_verdict {
    enum cloudwatch_outcome outcome;
    char reason[CLOUDWATCH_REASON_SIZE]; /* a sentence with the remedy; "" when answered */
};

/* What an answer means, and what to do about it; reads it into lines when it is one. region: that
 * was asked. */
void cloudwatch_judge(const struct cloudwatch_target *target, const char *region,
    const struct cloudwatch_answer *answer, struct cloudwatch_lines *lines,
    struct cloudwatch_verdict *verdict);

/* Why an answer may have no points, with the remedy. */
void cloudwatch_no_data(const struct cloudwatch_target *target, const char *region,
    const struct cloudwatch_lines *lines, char reason[CLOUDWATCH_REASON_SIZE]);

#endif
