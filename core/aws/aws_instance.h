/* EC2's instance metadata, version 2: every question carries a token that is asked for first. Its
 * answers go one hop only, unless the instance says otherwise.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
#ifndef CORE_AWS_INSTANCE_H
#define CORE_AWS_INSTANCE_H

#include <stdbool.h>

struct aws_instance;
struct http_result;
struct loop;

/* Whether AWS_EC2_METADATA_DISABLED turns it off. */
bool aws_instance_disabled(void);

/* Gets "/latest/meta-data/...". `done` comes later, on the loop, once: with the answer, whatever
 * its status, or with `problem`, what is wrong with the metadata itself ("is not there"), and no
 * answer (NULL). */
struct aws_instance *aws_instance_get(struct loop *loop, const char *path,
    void (*done)(void *arg, const struct http_result *result, const char *problem), void *arg);
void aws_instance_cancel(struct aws_instance *instance); /* NULL is allowed */

#endif
