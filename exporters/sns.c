/* Tells of incidents through a topic of Amazon SNS.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
#include "exporters/sns.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_clock.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_region.h"
#include "core/aws/aws_who.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"
#include "core/incident.h"
#include "core/sha256.h"
#include "exporters/exporter.h"
#include "exporters/notice.h"
#include "exporters/notice_text.h"
#include "exporters/sns_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_MAX = 1 << 20 };
static const int64_t timeout_ms = 20000;

struct sns {
    struct exporter_names names;
    struct loop *loop;
    struct aws *aws;
    char *topic, *region, *url, *ca_file;
    char *form; /* what is being published; NULL: it only asks whether anybody is there */
    struct aws_request *asking;
    struct http_request *sending;
    unsigned credentials; /* the number of those that were taken */
    int64_t sent_ms;
    bool token_renewed, clock_mended; /* each is tried once */
    struct aws_who *who;              /* that is being asked */
    void (*identified)(void *arg, const char *who);
    void *identified_arg;
    void (*done)(void *arg, const struct send_result *result);
    void *arg;
};

/* The part of an ARN, from 0: arn:PARTITION:sns:REGION:ACCOUNT:NAME. The caller frees. */
static char *part_of(const char *arn, int part)
{
    for (; part > 0; part--)
        arn = strchr(arn, ':') + 1;
    return xstrndup(arn, strcspn(arn, ":"));
}

static char *endpoint_of(const struct sns_options *options, const char *region)
{
    char *partition = part_of(options->topic, 1);
    char *amazon = xasprintf(
        "https://sns.%s.amazonaws.com%s", region, strcmp(partition, "aws-cn") ? "" : ".cn");
    const char *given = options->endpoint ? options->endpoint
                                          : aws_service_endpoint("AWS_ENDPOINT_URL_SNS", amazon);
    size_t length = strlen(given);
    while (length && given[length - 1] == '/')
        length--;
    char *url = xasprintf("%.*s/", (int)length, given);
    free(partition);
    free(amazon);
    return url;
}

static void *open_sns(const struct exporter_setup *setup, struct error *err)
{
    (void)err;
    const struct sns_options *options = setup->options;
    struct sns *sns = xcalloc(1, sizeof *sns);
    sns->loop = setup->loop;
    sns->topic = xstrdup(options->topic);
    sns->region = part_of(options->topic, 3);
    sns->url = endpoint_of(options, sns->region);
    sns->ca_file = xstrdup_or_null(options->ca_file);
    sns->names.label = xasprintf("sns topic %s", sns->topic);
    char *session_name = xasprintf("stakeout-%s", setup->service);
    sns->aws = aws_open(&(struct aws_setup){.loop = setup->loop,
        .wishes = {options->role, options->external_id, session_name},
        .region = sns->region,
        .announce = !setup->quiet});
    free(session_name);
    return sns;
}

static void finish(struct sns *sns, const struct send_result *result)
{
    free(sns->form);
    sns->form = NULL;
    sns->done(sns->arg, result);
}

static void fail(struct sns *sns, enum send_outcome outcome, const char *reason)
{
    struct send_result result = {.outcome = outcome};
    snprintf(result.reason, sizeof result.reason, "SNS: %s", reason);
    finish(sns, &result);
}

static void got_credentials(void *arg, const struct aws_answer *answer);

/* What SNS refuses for the clock, or for old credentials, may be taken at a second try. */
static bool mend(struct sns *sns, const struct http_result *http, const struct sns_verdict *verdict)
{
    bool refused = sns->form && (http->status == 400 || http->status == 403);
    if (refused && !sns->clock_mended &&
        aws_clock_learn(
            aws_clock_offset_ms(sns->aws), sns->sent_ms, http_header(http, "Date"), "AWS SNS"))
        return sns->clock_mended = true;
    if (verdict->token_expired && !sns->token_renewed && aws_renew(sns->aws, sns->credentials))
        return sns->token_renewed = true;
    return false;
}

static void answered(void *arg, const struct http_result *http)
{
    struct sns *sns = arg;
    struct sns_verdict verdict;
    bool only_asks = !sns->form;
    char *host = http_host(sns->url);
    sns->sending = NULL;
    sns_answer_judge(&(struct sns_question){sns->topic, sns->region, host, sns->ca_file != NULL},
        &(struct sns_answer){.outcome = http->outcome,
            .status = only_asks ? 200 : http->status,
            .error = http->error->text,
            .body = http->body.data,
            .size = http->body.size,
            .retry_after = http_header(http, "Retry-After"),
            .now_ms = clock_wall_ms()},
        &verdict);
    free(host);
    if (mend(sns, http, &verdict)) {
        sns->asking = aws_get(sns->aws, got_credentials, sns);
        return;
    }
    finish(sns, &verdict.result);
}

static void send_form(struct sns *sns, const char *const *headers)
{
    sns->sending = http_start(sns->loop, &(struct http_options){
                                             .method = sns->form ? "POST" : "HEAD",
                                             .url = sns->url,
                                             .headers = headers,
                                             .upload = sns->form,
                                             .upload_bytes = sns->form ? strlen(sns->form) : 0,
                                             .ca_file = sns->ca_file,
                                             .proxy = true,
                                             .timeout_ms = timeout_ms,
                                             .done = answered,
                                             .arg = sns,
                                         });
}

static int sign(struct sns *sns, const struct sigv4_credentials *credentials, const char *host,
    const char *type, struct sigv4_signature *signature, struct error *err)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(sns->form, strlen(sns->form), hash);
    sns->sent_ms = clock_wall_ms() + *aws_clock_offset_ms(sns->aws);
    const struct sigv4_header headers[] = {{"Host", host}, {"Content-Type", type}};
    return sigv4_sign(&(struct sigv4_scope){.credentials = *credentials,
                          .region = sns->region,
                          .service = "sns",
                          .time_ms = sns->sent_ms,
                          .normalize_path = true},
        &(struct sigv4_request){.method = "POST",
            .path = "/",
            .headers = headers,
            .header_count = 2,
            .payload_hash = hash},
        signature, err);
}

static void send_signed(struct sns *sns, const struct sigv4_credentials *credentials)
{
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    struct sigv4_signature signature;
    struct error err;
    char *host = http_host(sns->url);
    int status = sign(sns, credentials, host, type, &signature, &err);
    if (status == 0) {
        char *host_header = xasprintf("Host: %s", host);
        char *type_header = xasprintf("Content-Type: %s", type);
        const char *headers[8] = {host_header, type_header};
        size_t count = 2;
        for (char *const *header = signature.headers; *header; header++)
            headers[count++] = *header;
        send_form(sns, headers);
        free(host_header);
        free(type_header);
    }
    sigv4_free(&signature);
    free(host);
    if (status < 0)
        fail(sns, SEND_FAILED, err.text);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct sns *sns = arg;
    sns->asking = NULL;
    sns->credentials = answer->number;
    if (!answer->credentials)
        fail(sns, answer->may_recover ? SEND_RETRY : SEND_FAILED, answer->reason);
    else if (sns->form)
        send_signed(sns, answer->credentials);
    else
        send_form(sns, NULL);
}

/* What a subscription's filter policy can look at. */
static void add_attribute(struct buf *form, int number, const char *name, const char *value)
{
    static const char *const parts[] = {"Name", "Value.DataType", "Value.StringValue"};
    const char *const values[] = {name, "String", value};
    char key[64];
    for (size_t i = 0; value && i < sizeof parts / sizeof *parts; i++) {
        snprintf(key, sizeof key, "MessageAttributes.entry.%d.%s", number, parts[i]);
        sigv4_add_query(form, key, values[i]);
    }
}

/* A FIFO topic wants to know what belongs together, and what is the same. */
static void add_order(struct buf *form, const char *topic, const struct incident *incident)
{
    size_t length = strlen(topic);
    if (length < 5 || strcmp(topic + length - 5, ".fifo") != 0)
        return;
    const char *group = incident->analysis.group ? incident->analysis.group
                                                 : incident->trigger.name;
    sigv4_add_query(form, "MessageGroupId", group ? group : "stakeout");
    sigv4_add_query(form, "MessageDeduplicationId", incident->id);
}

static char *form_of(const struct sns *sns, const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    char *subject = notice_subject(notice), *message = notice_plain(notice);
    struct buf form;
    buf_init(&form, FORM_MAX);
    sigv4_add_query(&form, "Action", "Publish");
    sigv4_add_query(&form, "Version", "2010-03-31");
    sigv4_add_query(&form, "TopicArn", sns->topic);
    sigv4_add_query(&form, "Subject", subject);
    sigv4_add_query(&form, "Message", message);
    add_attribute(&form, 1, "service", incident->service);
    add_attribute(&form, 2, "trigger", incident->trigger.name ? incident->trigger.name : "none");
    add_order(&form, sns->topic, incident);
    free(subject);
    free(message);
    return buf_take(&form);
}

static void start(struct sns *sns, char *form,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    sns->form = form;
    sns->done = done;
    sns->arg = arg;
    sns->token_renewed = sns->clock_mended = false;
    sns->asking = aws_get(sns->aws, got_credentials, sns);
}

static void tell(void *self, const struct notice *notice,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    start(self, form_of(self, notice), done, arg);
}

static void reach(void *self, void (*done)(void *arg, const struct send_result *result), void *arg)
{
    start(self, NULL, done, arg);
}

static void got_who(void *arg, const char *who)
{
    struct sns *sns = arg;
    sns->who = NULL;
    sns->identified(sns->identified_arg, who);
}

static void identify(void *self, void (*done)(void *arg, const char *who), void *arg)
{
    struct sns *sns = self;
    sns->identified = done;
    sns->identified_arg = arg;
    sns->who = aws_who_ask(sns->loop, sns->aws, aws_region_owns(sns->url), got_who, sns);
}

static bool credentials(const void *self, struct exporter_credentials *found)
{
    const struct sns *sns = self;
    struct aws_state state;
    if (!aws_state(sns->aws, &state))
        return false;
    *found = (struct exporter_credentials){state.origin, state.expires_ms};
    return true;
}

static void close_sns(void *self)
{
    struct sns *sns = self;
    aws_who_cancel(sns->who);
    aws_cancel(sns->asking);
    http_cancel(sns->sending);
    aws_close(sns->aws);
    free(sns->topic);
    free(sns->region);
    free(sns->url);
    free(sns->ca_file);
    exporter_names_free(&sns->names);
    free(sns->form);
    free(sns);
}

/* Six parts, of which none but the account may be left out. */
static int check_topic(const char *topic, struct error *err)
{
    int parts = 1;
    bool empty = false;
    for (const char *at = topic; *at; at++) {
        parts += *at == ':';
        empty = empty || (*at == ':' && (at[1] == ':' || !at[1]));
    }
    bool is_sns = !strncmp(topic, "arn:aws", 7) && parts == 6 && !empty &&
                  strcspn(topic, "/ \t") == strlen(topic);
    char *service = is_sns ? part_of(topic, 2) : NULL;
    is_sns = is_sns && !strcmp(service, "sns");
    free(service);
    if (is_sns)
        return 0;
    return error_set(
        err, "\"%.80s\" is no topic: write its ARN, arn:aws:sns:<region>:<account>:<name>", topic);
}

static int validate(const void *data, const char **key, struct error *err)
{
    const struct sns_options *options = data;
    if (!*key && options->topic && check_topic(options->topic, err) < 0) {
        *key = "topic";
        return -1;
    }
    bool id_was_told = *key && !strcmp(*key, "external_id");
    bool role_was_told = id_was_told || (*key && !strcmp(*key, "role"));
    if (!role_was_told && options->role && aws_plan_check_role(options->role, err) < 0) {
        *key = "role";
        return -1;
    }
    if (!id_was_told && options->external_id && !options->role) {
        *key = "external_id";
        return error_set(err, "goes with role, which is not given");
    }
    return 0;
}

#define AT(member) offsetof(struct sns_options, member)
static const struct field fields[] = {
    {.key = "topic",
        .type = FIELD_STRING,
        .offset = AT(topic),
        .required = 1,
        .help = "the topic's ARN, arn:aws:sns:<region>:<account>:<name>"},
    {.key = "role",
        .type = FIELD_STRING,
        .offset = AT(role),
        .help = "ARN of a role that is assumed with the credentials of the chain"},
    {.key = "external_id",
        .type = FIELD_STRING,
        .offset = AT(external_id),
        .help = "what the role's trust policy wants besides"},
    {.key = "endpoint",
        .type = FIELD_URL,
        .offset = AT(endpoint),
        .help = "a VPC endpoint, say; else AWS_ENDPOINT_URL_SNS, AWS's of the topic's region"},
    EXPORTER_CA_FILE(AT(ca_file)),
    {.key = NULL},
};
#undef AT

const struct exporter_kind exporter_sns = {
    .kind = {.name = "sns",
        .help = "tells people of incidents once they are stored, through a topic of Amazon SNS",
        .fields = fields,
        .options_size = sizeof(struct sns_options),
        .stores_none = true,
        .short_key = "topic",
        .validate = validate},
    .open = open_sns,
    .label = exporter_label,
    .identity = exporter_identity,
    .tell = tell,
    .reach = reach,
    .identify = identify,
    .credentials = credentials,
    .close = close_sns,
};
