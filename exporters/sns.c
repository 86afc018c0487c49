/* Tells of incidents through a topic of Amazon SNS.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
#include "exporters/sns.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_query.h"
#include "core/aws/aws_region.h"
#include "core/aws/aws_who.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/http.h"
#include "core/incident.h"
#include "core/log.h"
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
    char *form; /* what is being published */
    struct aws_query *publishing;
    struct aws_request *asking; /* then reaching: whether anybody is there */
    struct http_request *reaching;
    struct aws_who *who; /* that is being asked */
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

static void *open_sns(const struct exporter_setup *setup, struct error *err)
{
    (void)err;
    const struct sns_options *options = setup->options;
    struct sns *sns = xcalloc(1, sizeof *sns);
    sns->loop = setup->loop;
    sns->topic = xstrdup(options->topic);
    sns->region = part_of(options->topic, 3);
    sns->url = aws_service_url("sns", sns->region, options->endpoint, "AWS_ENDPOINT_URL_SNS");
    sns->ca_file = xstrdup_or_null(options->ca_file);
    sns->names.label = xasprintf("sns topic %s", sns->topic);
    char *session_name = xasprintf("stakeout-%s", setup->service);
    sns->aws = aws_open(&(struct aws_setup){.loop = setup->loop,
        .wishes = {options->role, options->external_id, session_name},
        .region = sns->region,
        .announce = !setup->quiet});
    free(session_name);
    if (aws_plan_is_example(sns->topic))
        log_warn("%s is an example, so nobody can be told through it: write the topic's ARN",
            sns->names.label);
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

static void judge(struct sns *sns, const struct http_result *http, int status)
{
    struct send_result result;
    char *host = http_host(sns->url);
    sns_answer_judge(&(struct sns_question){sns->topic, sns->region, host, sns->ca_file != NULL},
        &(struct sns_answer){.outcome = http->outcome,
            .status = status,
            .error = http->error->text,
            .body = http->body.data,
            .size = http->body.size,
            .retry_after = http_header(http, "Retry-After"),
            .now_ms = clock_wall_ms()},
        &result);
    free(host);
    finish(sns, &result);
}

static void published(void *arg, const struct aws_query_answer *answer)
{
    struct sns *sns = arg;
    sns->publishing = NULL;
    if (answer->http)
        judge(sns, answer->http, answer->http->status);
    else
        fail(sns, answer->may_recover ? SEND_RETRY : SEND_FAILED, answer->reason);
}

/* Whatever it answers, it is there. */
static void reached(void *arg, const struct http_result *http)
{
    struct sns *sns = arg;
    sns->reaching = NULL;
    judge(sns, http, 200);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct sns *sns = arg;
    sns->asking = NULL;
    if (!answer->credentials) {
        fail(sns, answer->may_recover ? SEND_RETRY : SEND_FAILED, answer->reason);
        return;
    }
    sns->reaching = http_start(sns->loop, &(struct http_options){
                                              .method = "HEAD",
                                              .url = sns->url,
                                              .ca_file = sns->ca_file,
                                              .proxy = true,
                                              .timeout_ms = timeout_ms,
                                              .done = reached,
                                              .arg = sns,
                                          });
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

static void tell(void *self, const struct notice *notice,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct sns *sns = self;
    sns->form = form_of(sns, notice);
    sns->done = done;
    sns->arg = arg;
    sns->publishing = aws_query_ask(sns->loop,
        &(struct aws_query_question){.aws = sns->aws,
            .service = "sns",
            .title = "AWS SNS",
            .region = sns->region,
            .endpoint = sns->url,
            .ca_file = sns->ca_file,
            .form = sns->form,
            .timeout_ms = timeout_ms},
        published, sns);
}

static void reach(void *self, void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct sns *sns = self;
    sns->done = done;
    sns->arg = arg;
    sns->asking = aws_get(sns->aws, got_credentials, sns);
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
    http_cancel(sns->reaching);
    aws_query_cancel(sns->publishing);
    aws_close(sns->aws);
    free(sns->topic);
    free(sns->region);
    free(sns->url);
    free(sns->ca_file);
    exporter_names_free(&sns->names);
    free(sns->form);
    free(sns);
}

/* Six parts, of which none may be left out. */
static int check_topic(const char *topic, struct error *err)
{
    int parts = 1;
    bool empty = false;
    for (const char *at = topic; *at; at++) {
        parts += *at == ':';
        empty = empty || (*at == ':' && (at[1] == ':' || !at[1]));
    }
    bool is_sns = !strncmp(topic, "arn:aws", 7) && !empty &&
                  (parts == 6 || (parts == 4 && aws_plan_is_example(topic))) &&
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
    if (!role_was_told && aws_plan_check_role(options->role, err) < 0) {
        *key = "role";
        return -1;
    }
    if (!id_was_told && aws_plan_check_external_id(options->external_id, options->role, err) < 0) {
        *key = "external_id";
        return -1;
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
    FIELDS_ROLE(AT(role)),
    FIELDS_EXTERNAL_ID(AT(external_id)),
    {.key = "endpoint",
        .type = FIELD_URL,
        .offset = AT(endpoint),
        .help = "a VPC endpoint, say; else AWS_ENDPOINT_URL_SNS, AWS's of the topic's region"},
    FIELDS_CA_FILE(AT(ca_file)),
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
