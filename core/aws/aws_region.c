#include "core/aws/aws_region.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_instance.h"
#include "core/loop.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REGION = 32, PATIENCE_MS = 2000 };

/* By how regions begin; the first that fits. */
static const struct partition {
    const char *begins, *name, *domain;
} partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"us-iso-", "aws-iso", "c2s.ic.gov"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
    {"eusc-", "aws-eusc", "amazonaws.eu"},
    {"", "aws", "amazonaws.com"},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;
    while (strncmp(region, partition->begins, strlen(partition->begins)) != 0)
        partition++;
    return partition;
}

const char *aws_region_partition(const char *region)
{
    return partition_of(region)->name;
}

const char *aws_region_domain(const char *region)
{
    return partition_of(region)->domain;
}

bool aws_region_owns(const char *endpoint)
{
    char *host = http_host(endpoint);
    size_t length = host ? strcspn(host, ":") : 0;
    bool owned = false;
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions && !owned; i++) {
        size_t domain = strlen(partitions[i].domain);
        owned = length > domain && host[length - domain - 1] == '.' &&
                !strncmp(host + length - domain, partitions[i].domain, domain);
    }
    free(host);
    return owned;
}

/* Words of letters with "-" between and a number at the end: what follows it names a zone. */
char *aws_region_of_zone(const char *zone)
{
    size_t length = strspn(zone, "abcdefghijklmnopqrstuvwxyz-");
    size_t digits = strspn(zone + length, "0123456789");
    if (length < 4 || zone[0] == '-' || zone[length - 1] != '-' || digits == 0 ||
        length + digits > MAX_REGION)
        return NULL;
    return xstrndup(zone, length + digits);
}

/* arn:partition:service:region:account:resource */
char *aws_region_of_arn(const char *arn)
{
    for (int i = 0; i < 3 && arn; i++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    size_t length = arn ? strcspn(arn, ":") : 0;
    if (length == 0 || length > MAX_REGION)
        return NULL;
    char *part = xstrndup(arn, length), *region = aws_region_of_zone(part);
    free(part);
    return region;
}

char *aws_region_of_task(const char *json, size_t size)
{
    json_t *task = json_loadb(json, size, 0, NULL);
    const char *arn = json_string_value(json_object_get(task, "TaskARN"));
    const char *zone = json_string_value(json_object_get(task, "AvailabilityZone"));
    char *region = arn ? aws_region_of_arn(arn) : NULL;
    if (!region && zone)
        region = aws_region_of_zone(zone);
    json_decref(task);
    return region;
}

struct aws_region_search {
    struct loop *loop;
    struct loop_timer *start;
    struct http_request *task;
    struct aws_instance *instance;
    void (*done)(void *arg, const char *region);
    void *arg;
};

static void release(struct aws_region_search *search)
{
    loop_timer_free(search->start);
    free(search);
}

static void finish(struct aws_region_search *search, char *region)
{
    search->done(search->arg, region);
    free(region);
    release(search);
}

static void instance_answered(void *arg, const struct http_result *result, const char *problem)
{
    (void)problem; /* who wants the region can do without */
    bool good = result && result->outcome == HTTP_ANSWERED && result->status == 200;
    char *line = good ? aws_http_line(result) : NULL;
    finish(arg, line ? aws_region_of_zone(line) : NULL);
    free(line);
}

static void ask_instance(struct aws_region_search *search)
{
    if (aws_instance_disabled())
        finish(search, NULL);
    else
        search->instance = aws_instance_get(
            search->loop, "/latest/meta-data/placement/region", instance_answered, search);
}

static void task_answered(void *arg, const struct http_result *result)
{
    struct aws_region_search *search = arg;
    bool good = result->outcome == HTTP_ANSWERED && result->status == 200;
    char *region = good ? aws_region_of_task(result->body.data, result->body.size) : NULL;
    search->task = NULL;
    if (region)
        finish(search, region);
    else
        ask_instance(search);
}

static void start(void *arg)
{
    struct aws_region_search *search = arg;
    const char *metadata = aws_environment("ECS_CONTAINER_METADATA_URI_V4");
    if (!metadata) {
        ask_instance(search);
        return;
    }
    char *url = xasprintf("%s/task", metadata);
    search->task = aws_http_ask(search->loop,
        &(struct aws_http_question){.url = url, .neighbour = true, .patience_ms = PATIENCE_MS},
        task_answered, search);
    free(url);
}

struct aws_region_search *aws_region_find(
    struct loop *loop, void (*done)(void *arg, const char *region), void *arg)
{
    struct aws_region_search *search = xcalloc(1, sizeof *search);
    *search = (struct aws_region_search){.loop = loop, .done = done, .arg = arg};
    search->start = loop_timer_new(loop, start, search);
    loop_timer_set(search->start, 0);
    return search;
}

void aws_region_cancel(struct aws_region_search *search)
{
    if (!search)
        return;
    http_cancel(search->task);
    aws_instance_cancel(search->instance);
    release(search);
}
