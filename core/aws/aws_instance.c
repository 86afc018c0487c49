#include "core/aws/aws_instance.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_temporary.h"

#include <stdlib.h>
#include <string.h>

/* Where there is no instance metadata nobody answers, and somebody waits for that. */
enum { PATIENCE_MS = 1000 };

struct aws_instance {
    struct loop *loop;
    char *path;
    struct http_request *http;
    void (*done)(void *arg, const struct http_result *result, const char *problem);
    void *arg;
};

bool aws_instance_disabled(void)
{
    const char *disabled = aws_environment("AWS_EC2_METADATA_DISABLED");
    return disabled && !strcasecmp(disabled, "true");
}

static void release(struct aws_instance *instance)
{
    free(instance->path);
    free(instance);
}

static char *url_of(const char *path)
{
    const char *mode = aws_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    bool ipv6 = mode && !strcasecmp(mode, "ipv6");
    const char *base = aws_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!base)
        base = ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    return aws_http_url(base, path);
}

static void answered(void *arg, const struct http_result *result)
{
    struct aws_instance *instance = arg;
    instance->done(instance->arg, result, NULL);
    release(instance);
}

/* The answer that carries the token is what the hop limit stops: the connection stands, and nothing
 * comes. */
static const char *problem_of(const struct http_result *result)
{
    if (result->outcome == HTTP_TIMEOUT)
        return "took the connection and did not answer: in a container raise the instance's "
               "HttpPutResponseHopLimit to 2";
    return result->status == 403 ? "is turned off for this instance" : "is not there";
}

static void token_answered(void *arg, const struct http_result *result)
{
    struct aws_instance *instance = arg;
    char *token = NULL;
    if (result->outcome == HTTP_ANSWERED && result->status == 200)
        token = aws_http_line(result);
    if (!token) {
        instance->done(instance->arg, NULL, problem_of(result));
        release(instance);
        return;
    }
    char *url = url_of(instance->path), *header = xasprintf("X-aws-ec2-metadata-token: %s", token);
    instance->http = aws_http_ask(instance->loop,
        &(struct aws_http_question){
            .url = url, .headers = {header}, .neighbour = true, .patience_ms = PATIENCE_MS},
        answered, instance);
    aws_wipe(header);
    aws_wipe(token);
    free(url);
}

struct aws_instance *aws_instance_get(struct loop *loop, const char *path,
    void (*done)(void *arg, const struct http_result *result, const char *problem), void *arg)
{
    struct aws_instance *instance = xcalloc(1, sizeof *instance);
    char *url = url_of("/latest/api/token");
    *instance = (struct aws_instance){
        .loop = loop, .path = xstrdup(path), .done = done, .arg = arg};
    instance->http = aws_http_ask(loop,
        &(struct aws_http_question){.method = "PUT",
            .url = url,
            .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 21600"},
            .body = "",
            .neighbour = true,
            .patience_ms = PATIENCE_MS},
        token_answered, instance);
    free(url);
    return instance;
}

void aws_instance_cancel(struct aws_instance *instance)
{
    if (!instance)
        return;
    http_cancel(instance->http);
    release(instance);
}
