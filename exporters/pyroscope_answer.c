#include "exporters/pyroscope_answer.h"

#include "core/alloc.h"
#include "core/http_remedy.h"
#include "core/retry_after.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTED_SIZE = 241, BODY_MAX = 64 * 1024 };

/* What the server says of a profile that it does not take (pkg/validation/validate.go of
 * github.com/grafana/pyroscope), and the setting behind it. */
static const struct {
    const char *words, *remedy;
} rejections[] = {
    {"ingestion window", "it comes too late, or a clock is wrong: the server's "
                         "-validation.reject-older-than says how late may be"},
    {"samples count", "raise the server's -validation.max-profile-stacktrace-samples"},
    {"size limit", "raise the server's -validation.max-profile-size-bytes (without gzip)"},
    {"size exceeds", "raise the server's -validation.max-profile-size-bytes (without gzip)"},
    {"label names", "raise the server's -validation.max-label-names-per-series"},
};

/* https://connectrpc.com/docs/protocol/#error-codes says which status a code has; what stands
 * before the server has its own reasons. */
static const struct {
    int status;
    enum send_outcome outcome;
    const char *remedy;
} statuses[] = {
    {403, SEND_FAILED,
        "whoever sends this may not write here: mend user and password, tenant or "
        "headers, or allow them to push profiles"},
    {404, SEND_FAILED,
        "nothing there takes profiles: set url to the address of Pyroscope 1.0 or "
        "later, without the path of an API, such as http://pyroscope:4040"},
    {405, SEND_FAILED,
        "nothing there takes profiles: set url to the address of Pyroscope 1.0 or "
        "later, such as http://pyroscope:4040"},
    {407, SEND_FAILED, "the proxy wants a user: put it into HTTPS_PROXY"},
    {408, SEND_RETRY, "it took too long for it"},
    {415, SEND_FAILED, "it does not speak Pyroscope's push API: set url to Pyroscope 1.0 or later"},
    {429, SEND_RETRY,
        "it wants less: raise the tenant's ingestion limits "
        "(-distributor.ingestion-rate-limit-mb) if this goes on"},
    {501, SEND_FAILED, "it does not know Pyroscope's push API: set url to Pyroscope 1.0 or later"},
};

/* The message of Connect's error, {"code": "invalid_argument", "message": "..."}, else the whole
 * text, unless it is a page; "" for none. The caller frees. */
static char *read_message(const struct pyroscope_answer *answer)
{
    size_t size = answer->size < BODY_MAX ? answer->size : BODY_MAX;
    json_t *json = json_loadb(answer->body, size, 0, NULL);
    const char *text = json_string_value(json_object_get(json, "message"));
    if (!text)
        text = size && answer->body[0] != '<' ? answer->body : "";
    char *message = xstrdup(text);
    json_decref(json);
    return message;
}

/* In one line, ": " before it, and without our own labels, which are longer than the rest. */
static void quote(const char *message, char quoted[QUOTED_SIZE])
{
    const char *labels = strchr(message, '{');
    const char *behind = labels ? strchr(labels, '}') : NULL;
    int before = behind ? (int)(labels - message) : (int)strlen(message);
    snprintf(quoted, QUOTED_SIZE, "%s%.*s%s%s", *message ? ": " : "", before, message,
        behind ? "{...}" : "", behind ? behind + 1 : "");
    for (char *c = quoted; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    for (size_t length = strlen(quoted); length && quoted[length - 1] == ' ';)
        quoted[--length] = '\0';
}

static const char *remedy_of_rejection(const struct pyroscope_answer *answer, const char *message)
{
    if (answer->status == 413)
        return "it is too large: raise the limit of the server, or of the proxy before it";
    for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++)
        if (strstr(message, rejections[i].words))
            return rejections[i].remedy;
    return "the server does not take this profile, and may take others";
}

static bool is_rejection(int status)
{
    return status == 400 || status == 412 || status == 413 || status == 422;
}

/* Its remedy. */
static const char *judge_status(
    const struct pyroscope_answer *answer, const char *message, struct send_result *result)
{
    if (is_rejection(answer->status)) {
        result->outcome = SEND_REJECTED;
        return remedy_of_rejection(answer, message);
    }
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == answer->status) {
            result->outcome = statuses[i].outcome;
            return statuses[i].remedy;
        }
    }
    result->outcome = answer->status >= 500 ? SEND_RETRY : SEND_FAILED;
    if (answer->status == 401)
        return answer->with_tenant ? "it does not know who sends this: set or mend user and "
                                     "password, or headers"
                                   : "it does not know who sends this: set user and password, "
                                     "headers, or the tenant where it has several";
    return answer->status >= 500  ? "it has trouble of its own"
           : answer->status < 400 ? "it is somewhere else: set url to where it leads"
                                  : "it does not take profiles: is url that of Pyroscope?";
}

static void judge_refusal(const struct pyroscope_answer *answer, struct send_result *result)
{
    char quoted[QUOTED_SIZE];
    char *message = read_message(answer);
    quote(message, quoted);
    const char *remedy = judge_status(answer, message, result);
    snprintf(
        result->reason, sizeof result->reason, "HTTP %d%s: %s", answer->status, quoted, remedy);
    result->retry_after_ms = retry_after_ms(answer->retry_after, answer->now_ms);
    free(message);
    /* It has read the request, and says that there is nothing in it. */
    if (answer->empty && answer->status == 400)
        *result = (struct send_result){.outcome = SEND_STORED};
}

static void judge_silence(const struct pyroscope_answer *answer, struct send_result *result)
{
    result->outcome = SEND_RETRY;
    const char *remedy = http_remedy(
        answer->outcome, answer->error, answer->host, answer->with_ca_file);
    const char *colon = *remedy ? ": " : "";
    if (answer->outcome == HTTP_BAD_TLS) {
        result->outcome = SEND_FAILED;
        snprintf(result->reason, sizeof result->reason, "no trusted TLS connection (%.200s)%s%s",
            answer->error, colon, remedy);
    } else if (answer->outcome == HTTP_NOT_HTTP) {
        result->outcome = SEND_FAILED;
        snprintf(result->reason, sizeof result->reason,
            "what answers does not speak HTTP (%.200s): is url right, and http or https?",
            answer->error);
    } else if (answer->outcome == HTTP_REFUSED) {
        result->outcome = SEND_FAILED;
        snprintf(result->reason, sizeof result->reason,
            "the profile could not be read while it was being sent");
    } else {
        snprintf(result->reason, sizeof result->reason, "it does not answer: %.300s%s%s",
            answer->error, colon, remedy);
    }
}

void pyroscope_answer_judge(const struct pyroscope_answer *answer, struct send_result *result)
{
    *result = (struct send_result){.outcome = SEND_STORED};
    bool page = answer->content_type && !strncmp(answer->content_type, "text/html", 9);
    /* A refusal may end the connection before all is sent or read: its status still tells most. */
    if (answer->outcome != HTTP_ANSWERED && answer->status < 300) {
        judge_silence(answer, result);
    } else if (answer->status < 200 || answer->status >= 300) {
        judge_refusal(answer, result);
    } else if (page) {
        /* A captive portal or a web server that says 200 to anything. */
        result->outcome = SEND_FAILED;
        snprintf(result->reason, sizeof result->reason,
            "a web page answers, not Pyroscope: is url right, and nothing before it that asks for "
            "a login?");
    }
}
