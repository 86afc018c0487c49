#include "core/aws/aws_http.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"

#include <string.h>

enum { TIMEOUT_MS = 5000, CONNECT_MS = 2000, MAX_ANSWER = 65536, MAX_LINE = 1024 };

struct http_request *aws_http_ask(struct loop *loop, const struct aws_http_question *question,
    void (*done)(void *arg, const struct http_result *result), void *arg)
{
    const char *ca_file = question->ca_file ? question->ca_file : aws_environment("AWS_CA_BUNDLE");
    int64_t patience_ms = question->patience_ms ? question->patience_ms : TIMEOUT_MS;
    const struct http_options options = {
        .method = question->method,
        .url = question->url,
        .headers = question->headers,
        .upload = question->body,
        .upload_fd = -1,
        .upload_bytes = question->body ? strlen(question->body) : 0,
        .proxy = !question->neighbour,
        .ca_file = question->neighbour ? NULL : ca_file,
        .connect_ms = patience_ms < CONNECT_MS ? patience_ms : CONNECT_MS,
        .timeout_ms = patience_ms,
        .max_answer_bytes = MAX_ANSWER,
        .done = done,
        .arg = arg,
    };
    return http_start(loop, &options);
}

bool aws_http_may_recover(const struct http_result *result)
{
    return result->outcome != HTTP_ANSWERED || result->status >= 500 || result->status == 429;
}

char *aws_http_line(const struct http_result *result)
{
    size_t length = strcspn(result->body.data, "\r\n");
    for (size_t i = 0; i < length; i++)
        if (result->body.data[i] <= ' ' || result->body.data[i] > '~')
            return NULL;
    return length > 0 && length < MAX_LINE ? xstrndup(result->body.data, length) : NULL;
}

char *aws_http_url(const char *endpoint, const char *path)
{
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    return xasprintf("%.*s%s", (int)length, endpoint, path);
}
