/* Tells of incidents with a POST: to one of Slack's incoming webhooks, or JSON that is signed. */
#include "exporters/webhook.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"
#include "core/sha256.h"
#include "exporters/exporter.h"
#include "exporters/notice_text.h"
#include "exporters/webhook_answer.h"

#include <stdlib.h>
#include <string.h>

static const int64_t timeout_ms = 20000;

struct webhook {
    struct exporter_names names;
    struct loop *loop;
    char *url, *secret, *ca_file;
    int format;
    char *host;
    struct http_request *request; /* NULL: nothing is under way */
    char *body;                   /* of the request; NULL: it only asks whether anybody is there */
    void (*done)(void *arg, const struct send_result *result);
    void *arg;
};

char *webhook_signature(const char *secret, const char *body, long long unix_s)
{
    char hex[SHA256_HEX_SIZE];
    char *text = xasprintf("%lld.%s", unix_s, body);
    sha256_hmac(secret, strlen(secret), text, strlen(text), hex);
    free(text);
    return xasprintf("X-Stakeout-Signature: t=%lld,v1=%s", unix_s, hex);
}

static void *open_webhook(const struct exporter_setup *setup, struct error *err)
{
    (void)err;
    const struct webhook_options *options = setup->options;
    struct webhook *webhook = xcalloc(1, sizeof *webhook);
    char hash[SHA256_HEX_SIZE];
    webhook->loop = setup->loop;
    webhook->url = xstrdup(options->url);
    webhook->secret = xstrdup_or_null(options->secret);
    webhook->ca_file = xstrdup_or_null(options->ca_file);
    webhook->format = options->format;
    webhook->host = http_host(options->url);
    webhook->names.label = xasprintf(
        "%s webhook at %s", options->format == WEBHOOK_SLACK ? "slack" : "json", webhook->host);
    sha256_hash(options->url, strlen(options->url), hash); /* identities may be shown, URLs not */
    webhook->names.identity = xasprintf("%s (%.8s)", webhook->names.label, hash);
    return webhook;
}

/* Asked whether anybody is there, any answer is one. */
static void judge(
    const struct webhook *webhook, const struct http_result *http, struct send_result *result)
{
    bool asks_only = !webhook->body;
    bool answers = http->outcome == HTTP_ANSWERED || http->outcome == HTTP_TOO_LARGE;
    webhook_answer_judge(
        &(struct webhook_answer){.outcome = asks_only && answers ? HTTP_ANSWERED : http->outcome,
            .status = asks_only && answers ? 200 : http->status,
            .error = http->error->text,
            .body = http->body.data,
            .retry_after = http_header(http, "Retry-After"),
            .ca_file = webhook->ca_file != NULL,
            .slack = webhook->format == WEBHOOK_SLACK,
            .host = webhook->host,
            .now_ms = clock_wall_ms()},
        result);
}

static void answered(void *arg, const struct http_result *http)
{
    struct webhook *webhook = arg;
    struct send_result result;
    judge(webhook, http, &result);
    webhook->request = NULL;
    free(webhook->body);
    webhook->body = NULL;
    webhook->done(webhook->arg, &result);
}

static void post(struct webhook *webhook, const char *url, const char *const *headers)
{
    webhook->request = http_start(
        webhook->loop, &(struct http_options){
                           .method = webhook->body ? "POST" : "HEAD",
                           .url = url,
                           .headers = headers,
                           .upload = webhook->body,
                           .upload_bytes = webhook->body ? strlen(webhook->body) : 0,
                           .ca_file = webhook->ca_file,
                           .proxy = true,
                           .timeout_ms = timeout_ms,
                           .done = answered,
                           .arg = webhook,
                       });
}

static void tell(void *self, const struct notice *notice,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct webhook *webhook = self;
    webhook->done = done;
    webhook->arg = arg;
    webhook->body = webhook->format == WEBHOOK_SLACK ? notice_slack(notice) : notice_json(notice);
    char *signature = webhook->secret ? webhook_signature(webhook->secret, webhook->body,
                                            (long long)(clock_wall_ms() / 1000))
                                      : NULL;
    const char *const headers[] = {
        "Content-Type: application/json; charset=utf-8", signature, NULL};
    post(webhook, webhook->url, headers);
    free(signature);
}

/* The root of its host: a GET of the webhook itself may be more than a question. */
static void reach(void *self, void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct webhook *webhook = self;
    webhook->done = done;
    webhook->arg = arg;
    char *root = xasprintf("%.*s%s/", (int)(strstr(webhook->url, "//") + 2 - webhook->url),
        webhook->url, webhook->host);
    post(webhook, root, NULL);
    free(root);
}

static void close_webhook(void *self)
{
    struct webhook *webhook = self;
    http_cancel(webhook->request);
    free(webhook->body);
    free(webhook->url);
    free(webhook->secret);
    free(webhook->ca_file);
    free(webhook->host);
    exporter_names_free(&webhook->names);
    free(webhook);
}

/* Nothing of the URL is in a message: it is a secret. */
static int check_url(const struct webhook_options *options, struct error *err)
{
    const char *url = options->url;
    const char *host = url ? strstr(url, "://") : NULL;
    bool web = url && (!strncmp(url, "https://", 8) || !strncmp(url, "http://", 7));
    if (!url)
        return 0;
    if (!web || !host[3] || strchr("/?#", host[3]))
        return error_set(err, "must be a URL, such as https://hooks.slack.com/services/...");
    for (; *url; url++)
        if ((unsigned char)*url <= ' ' || *url == 0x7f)
            return error_set(err, "must not hold spaces or line ends");
    return 0;
}

static int validate(const void *data, const char **key, struct error *err)
{
    const struct webhook_options *options = data;
    bool url_was_told = *key && !strcmp(*key, "url");
    if (!*key && check_url(options, err) < 0) {
        *key = "url";
        return -1;
    }
    if ((!*key || url_was_told) && options->secret && options->format == WEBHOOK_SLACK) {
        *key = "secret";
        return error_set(err, "signs the body of format: json; Slack takes no signature");
    }
    return 0;
}

/* In the order of enum webhook_format. */
static const char *const formats[] = {"slack", "json", NULL};

#define AT(member) offsetof(struct webhook_options, member)
static const struct field fields[] = {
    {.key = "url",
        .type = FIELD_SECRET,
        .offset = AT(url),
        .required = 1,
        .help = "where messages are posted to: Slack's incoming webhook, or a program of yours"},
    {.key = "format",
        .type = FIELD_CHOICE,
        .offset = AT(format),
        .otherwise = "slack",
        .choices = formats,
        .help = "a message for people, or JSON for programs"},
    {.key = "secret",
        .type = FIELD_SECRET,
        .offset = AT(secret),
        .help = "json: signs what is posted, in the header X-Stakeout-Signature"},
    FIELDS_CA_FILE(AT(ca_file)),
    {.key = NULL},
};
#undef AT

const struct exporter_kind exporter_webhook = {
    .kind = {.name = "webhook",
        .help =
            "tells people of incidents once they are stored: Slack, or anything that takes JSON",
        .fields = fields,
        .options_size = sizeof(struct webhook_options),
        .stores_none = true,
        .validate = validate},
    .open = open_webhook,
    .label = exporter_label,
    .identity = exporter_identity,
    .tell = tell,
    .reach = reach,
    .close = close_webhook,
};
