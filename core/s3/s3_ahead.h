/* Requests of commands, which wait for each answer: those that are known beforehand are begun
 * before they are waited for, so that several are under way at a time. */
#ifndef CORE_S3_AHEAD_H
#define CORE_S3_AHEAD_H

#include "core/s3/s3_request.h"

struct buf;
struct error;

/* Begins a request that will be run soon; one that was begun, or one too many, is left. */
void s3_ahead_begin(struct s3 *s3, const struct s3_call *call);

/* Runs a request until it is answered, trying a few times: takes up the one that was begun for the
 * same. body (NULL: not wanted) holds what was asked for. */
int s3_ahead_run(struct s3 *s3, const struct s3_call *call, struct buf *body, struct error *err);

/* Ends all that were begun and not run. */
void s3_ahead_end(struct s3 *s3);

#endif
