#include "core/aws/aws_who.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_sts_call.h"
#include "core/error.h"

#include <stdlib.h>

struct aws_who {
    struct loop *loop;
    bool of_aws;
    struct aws_request *asking;
    struct aws_sts_call *sts;
    struct aws *aws;
    char *provider; /* with the beginning of the access key */
    char *region;   /* that STS is asked in */
    void (*done)(void *arg, const char *who);
    void *arg;
};

static void finish(struct aws_who *who, char *sentence)
{
    who->done(who->arg, sentence);
    free(sentence);
    free(who->provider);
    free(who->region);
    free(who);
}

static void sts_answered(void *arg, const struct http_result *result)
{
    struct aws_who *who = arg;
    struct error err;
    char *arn = NULL;
    if (result->outcome != HTTP_ANSWERED)
        error_set(&err, "STS was not reached: %s", result->error->text);
    else if (result->status != 200)
        aws_sts_explain(result->status, result->body.data, result->body.size,
            AWS_GET_CALLER_IDENTITY, NULL, who->region, &err);
    else if (!(arn = aws_sts_identity(result->body.data, result->body.size)))
        error_set(&err, "STS's answer names nobody");
    char *sentence = arn ? xasprintf("%s, from %s", arn, who->provider)
                         : xasprintf("from %s; %s", who->provider, err.text);
    free(arn);
    finish(who, sentence);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct aws_who *who = arg;
    struct error err;
    who->asking = NULL;
    if (!answer->credentials) {
        finish(who, NULL);
        return;
    }
    who->provider = xasprintf(
        "%s, access key %.4s...", answer->origin, answer->credentials->access_key);
    if (!who->of_aws) {
        finish(who, xasprintf("from %s", who->provider));
        return;
    }
    who->region = xstrdup(answer->region ? answer->region : "us-east-1");
    who->sts = aws_sts_ask(who->loop,
        &(struct aws_sts_question){.action = AWS_GET_CALLER_IDENTITY,
            .credentials = answer->credentials,
            .region = who->region,
            .clock_offset_ms = aws_clock_offset_ms(who->aws)},
        sts_answered, who, &err);
    if (!who->sts)
        finish(who, xasprintf("from %s; %s", who->provider, err.text));
}

struct aws_who *aws_who_ask(struct loop *loop, struct aws *aws, bool of_aws,
    void (*done)(void *arg, const char *who), void *arg)
{
    struct aws_who *who = xcalloc(1, sizeof *who);
    *who = (struct aws_who){.loop = loop, .aws = aws, .of_aws = of_aws, .done = done, .arg = arg};
    who->asking = aws_get(aws, got_credentials, who);
    return who;
}

void aws_who_cancel(struct aws_who *who)
{
    if (!who)
        return;
    aws_cancel(who->asking);
    aws_sts_cancel(who->sts);
    free(who->provider);
    free(who->region);
    free(who);
}
