#include "sources/cloudwatch/cloudwatch_query.h"

#include "core/alloc.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/csv_number.h"
#include "core/error.h"
#include "core/rds_metric.h"
#include "core/xml.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_MAX = 1 << 20 };

/* The start of the minute that a time is in. */
static int64_t minute_of(int64_t time_ms)
{
    return time_ms - time_ms % RDS_PERIOD_MS;
}

static void add_time(struct buf *form, const char *key, int64_t time_ms)
{
    char text[RFC3339_SIZE];
    sigv4_add_query(form, key, rfc3339_format(time_ms, text));
}

static void add_metric(
    struct buf *form, const struct cloudwatch_target *target, size_t number, const char *metric)
{
    char id[32];
    snprintf(id, sizeof id, "m%zu", number);
    const struct {
        const char *key, *value;
    } parts[] = {{"Id", id}, {"MetricStat.Metric.Namespace", "AWS/RDS"},
        {"MetricStat.Metric.MetricName", metric},
        {"MetricStat.Metric.Dimensions.member.1.Name",
            target->instance ? "DBInstanceIdentifier" : "DBClusterIdentifier"},
        {"MetricStat.Metric.Dimensions.member.1.Value",
            target->instance ? target->instance : target->cluster},
        {"MetricStat.Period", "60"}, {"MetricStat.Stat", "Average"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char key[128];
        snprintf(key, sizeof key, "MetricDataQueries.member.%zu.%s", number, parts[i].key);
        sigv4_add_query(form, key, parts[i].value);
    }
}

char *cloudwatch_form(const struct cloudwatch_target *target, const struct cloudwatch_query *query)
{
    struct buf form;
    buf_init(&form, FORM_MAX);
    sigv4_add_query(&form, "Action", "GetMetricData");
    sigv4_add_query(&form, "Version", "2010-08-01");
    add_time(&form, "StartTime", minute_of(query->from_ms));
    add_time(&form, "EndTime", minute_of(query->to_ms) + RDS_PERIOD_MS); /* which it excludes */
    sigv4_add_query(&form, "ScanBy", "TimestampAscending");
    for (size_t i = 0; i < query->count; i++)
        add_metric(&form, target, i + 1, query->metrics[i]);
    return buf_take(&form);
}

void cloudwatch_lines_init(struct cloudwatch_lines *lines, size_t count)
{
    *lines = (struct cloudwatch_lines){.count = count};
    lines->all = xcalloc(count, sizeof *lines->all);
}

void cloudwatch_lines_free(struct cloudwatch_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->all[i].points);
    free(lines->all);
    *lines = (struct cloudwatch_lines){0};
}

int64_t cloudwatch_lines_newest_ms(const struct cloudwatch_lines *lines)
{
    int64_t newest_ms = INT64_MIN;
    for (size_t i = 0; i < lines->count; i++) {
        const struct cloudwatch_line *line = &lines->all[i];
        if (line->count && line->points[line->count - 1].time_ms > newest_ms)
            newest_ms = line->points[line->count - 1].time_ms;
    }
    return newest_ms;
}

bool cloudwatch_lines_any(const struct cloudwatch_lines *lines)
{
    return cloudwatch_lines_newest_ms(lines) != INT64_MIN;
}

/* The answer while it is read: one result after the other, whose times and values are lists. */
struct reading {
    struct cloudwatch_lines *lines;
    char id[32];
    struct cloudwatch_line line;
    size_t times, values;
};

static struct cloudwatch_point *point_at(struct reading *reading, struct xml *xml, size_t index)
{
    struct cloudwatch_line *line = &reading->line;
    if (index >= CLOUDWATCH_POINTS_MAX) {
        xml_refuse(xml, "it has more points than a day has minutes");
        return NULL;
    }
    if (index >= line->count) {
        line->points = xrealloc(line->points, index + 1, sizeof *line->points);
        line->points[index] = (struct cloudwatch_point){0};
        line->count = index + 1;
    }
    return &line->points[index];
}

static int by_time(const void *a, const void *b)
{
    const struct cloudwatch_point *left = a, *right = b;
    return (left->time_ms > right->time_ms) - (left->time_ms < right->time_ms);
}

/* Puts the result to its metric: "m3" is the third. */
static void end_result(struct reading *reading, struct xml *xml)
{
    struct cloudwatch_line *line = &reading->line;
    char *end = NULL;
    unsigned long number = reading->id[0] == 'm' ? strtoul(reading->id + 1, &end, 10) : 0;
    bool known = end && !*end && number >= 1 && number <= reading->lines->count;
    if (!known)
        xml_refuse(xml, "it has a metric that was not asked for");
    else if (reading->times != reading->values)
        xml_refuse(xml, "a metric has not as many times as values");
    else if (line->count && !reading->lines->all[number - 1].count) {
        qsort(line->points, line->count, sizeof *line->points, by_time);
        reading->lines->all[number - 1] = *line;
        *line = (struct cloudwatch_line){0};
    }
    free(line->points);
    *reading = (struct reading){.lines = reading->lines};
}

static void add_point_time(struct reading *reading, struct xml *xml, const char *text)
{
    struct cloudwatch_point *point = point_at(reading, xml, reading->times);
    int64_t time_ms;
    if (!point)
        return;
    reading->times++;
    if (!strchr(text, 'T') || csv_time(text, strlen(text), &time_ms) < 0)
        xml_refuse(xml, "it has a time that is none");
    else
        point->time_ms = time_ms + RDS_PERIOD_MS;
}

static void add_point_value(struct reading *reading, struct xml *xml, const char *text)
{
    struct cloudwatch_point *point = point_at(reading, xml, reading->values);
    if (!point)
        return;
    reading->values++;
    if (csv_number(text, strlen(text), &point->value) < 0)
        xml_refuse(xml, "it has a value that is no number");
}

static void take_element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    struct reading *reading = arg;
    bool is_member = !strcmp(name, "member");
    if (is_member && !strcmp(parent, "Timestamps"))
        add_point_time(reading, xml, text);
    else if (is_member && !strcmp(parent, "Values"))
        add_point_value(reading, xml, text);
    else if (is_member && !strcmp(parent, "MetricDataResults"))
        end_result(reading, xml);
    else if (!strcmp(parent, "member") && !strcmp(name, "Id"))
        snprintf(reading->id, sizeof reading->id, "%s", text);
    else if (!strcmp(parent, "member") && !strcmp(name, "StatusCode")) {
        reading->lines->forbidden = reading->lines->forbidden || !strcmp(text, "Forbidden");
        reading->lines->partial = reading->lines->partial || !strcmp(text, "PartialData") ||
                                  !strcmp(text, "InternalError");
    } else if (!strcmp(name, "NextToken") && *text)
        reading->lines->partial = true;
}

int cloudwatch_read(
    const char *text, size_t size, struct cloudwatch_lines *lines, struct error *err)
{
    struct reading reading = {.lines = lines};
    char root[XML_NAME_SIZE];
    int status = xml_read(text, size, root, take_element, &reading, err);
    free(reading.line.points);
    if (status == 0 && strcmp(root, "GetMetricDataResponse") != 0)
        status = error_set(err, "it is no answer to GetMetricData");
    return status;
}
