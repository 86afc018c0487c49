#include "core/s3/s3_who.h"

#include "core/aws/aws_region.h"
#include "core/s3/s3_request.h"

struct aws_who *s3_who(struct s3 *s3, void (*done)(void *arg, const char *who), void *arg)
{
    return aws_who_ask(s3->loop, s3->aws, aws_region_owns(s3->address.origin), done, arg);
}

bool s3_credentials(const struct s3 *s3, struct aws_state *state)
{
    return aws_state(s3->aws, state);
}
