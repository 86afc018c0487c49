/* AWS's regions: what follows from a region's name, and finding out the one that this runs in. */
#ifndef CORE_AWS_REGION_H
#define CORE_AWS_REGION_H

#include <stdbool.h>
#include <stddef.h>

struct aws_region_search;
struct loop;

/* The partition that a region belongs to, as ARNs name it ("aws", "aws-cn", "aws-us-gov"), and the
 * domain that its services are in ("amazonaws.com").
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
const char *aws_region_partition(const char *region);
const char *aws_region_domain(const char *region);

/* Whether an endpoint ("https://s3.eu-west-1.amazonaws.com") is one of AWS's own. */
bool aws_region_owns(const char *endpoint);

/* The region of an availability zone ("eu-west-1a", "us-west-2-lax-1a") or of a task's ARN; the
 * caller frees. NULL: it is none. */
char *aws_region_of_zone(const char *zone);
char *aws_region_of_arn(const char *arn);

/* The region of an answer of the task metadata ($ECS_CONTAINER_METADATA_URI_V4/task); the caller
 * frees. NULL: it says none.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html */
char *aws_region_of_task(const char *json, size_t size);

/* Asks the ECS task metadata, else EC2's instance metadata (unless AWS_EC2_METADATA_DISABLED).
 * `done` comes later, on the loop, once: with NULL where nobody says it. */
struct aws_region_search *aws_region_find(
    struct loop *loop, void (*done)(void *arg, const char *region), void *arg);
void aws_region_cancel(struct aws_region_search *search); /* NULL is allowed */

#endif
