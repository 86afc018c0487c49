/* Who we are to a store. */
#ifndef CORE_S3_WHO_H
#define CORE_S3_WHO_H

#include "core/aws/aws.h"
#include "core/aws/aws_who.h"

struct s3;

/* As aws_who_ask, and cancelled by aws_who_cancel; before s3_close. */
struct aws_who *s3_who(struct s3 *s3, void (*done)(void *arg, const char *who), void *arg);

/* As aws_state. */
bool s3_credentials(const struct s3 *s3, struct aws_state *state);

#endif
