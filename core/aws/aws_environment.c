#include "core/aws/aws_environment.h"

#include "core/alloc.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_region.h"
#include "core/aws/aws_temporary.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 16384 };

const char *aws_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool aws_plan_keys_of_environment(struct aws_plan *plan)
{
    const char *access_key = aws_environment("AWS_ACCESS_KEY_ID");
    const char *secret_key = aws_environment("AWS_SECRET_ACCESS_KEY");
    const char *session_token = aws_environment("AWS_SESSION_TOKEN");
    if (!access_key || !secret_key)
        return false;
    plan->source = AWS_KEYS;
    plan->of_environment = true;
    plan->access_key = xstrdup(access_key);
    plan->secret_key = xstrdup(secret_key);
    plan->session_token = session_token ? xstrdup(session_token) : NULL;
    return true;
}

static bool local_host(const char *host)
{
    static const char *const names[] = {
        "localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(host, names[i]) == 0)
            return true;
    struct in_addr address;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* libcurl's own parser judges: what it takes for the host is where it connects to. */
bool aws_uri_allowed(const char *uri)
{
    char *scheme = NULL, *host = NULL;
    CURLU *url = curl_url();
    bool allowed = url && curl_url_set(url, CURLUPART_URL, uri, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   (strcmp(scheme, "https") == 0 ||
                       (strcmp(scheme, "http") == 0 && local_host(host)));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return allowed;
}

char *aws_container_url(struct error *err)
{
    const char *relative = aws_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative && *relative == '/')
        return xasprintf("http://169.254.170.2%s", relative);
    if (relative)
        error_set(err, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
    else if (full && aws_uri_allowed(full))
        return xstrdup(full);
    else
        error_set(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of ECS, "
                       "EKS or this host");
    return NULL;
}

int aws_container_authorization(char **header, struct error *err)
{
    const char *path = aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct buf content;
    *header = NULL;
    buf_init(&content, MAX_TOKEN);
    int status = 0;
    if (path) {
        status = fs_read_regular(path, MAX_TOKEN, &content, err);
        token = content.data;
    }
    size_t length = token ? strcspn(token, "\r\n") : 0;
    if (status == 0 && token && (length == 0 || token[length + strspn(token + length, "\r\n")]))
        status = error_set(err, "the container authorization token is empty or has line breaks");
    if (status == 0 && token)
        *header = xasprintf("Authorization: %.*s", (int)length, token);
    char *taken = buf_take(&content);
    aws_wipe(taken);
    buf_free(&content);
    return status;
}

const char *aws_service_endpoint(const char *variable, const char *otherwise)
{
    const char *ignored = aws_environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignored && !strcasecmp(ignored, "true"))
        return otherwise;
    const char *endpoint = aws_environment(variable);
    if (!endpoint)
        endpoint = aws_environment("AWS_ENDPOINT_URL");
    return endpoint ? endpoint : otherwise;
}

char *aws_service_url(
    const char *host, const char *region, const char *endpoint, const char *variable)
{
    char *own = xasprintf("https://%s.%s.%s", host, region, aws_region_domain(region));
    char *url = aws_http_url(endpoint ? endpoint : aws_service_endpoint(variable, own), "/");
    free(own);
    return url;
}
