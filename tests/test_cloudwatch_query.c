/* GetMetricData: what is asked, and what an answer means. */
#include "sources/cloudwatch/cloudwatch_query.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct cloudwatch_target instance = {.instance = "games-prod"};
static const struct cloudwatch_target cluster = {.cluster = "games", .endpoint = "http://x"};

/* 2026-11-23T15:04:05.678Z, and a minute and a half later */
static const int64_t from_ms = 1795446245678, to_ms = from_ms + 90000;

static void the_form_names_minutes_metrics_and_the_database(void **unused)
{
    (void)unused;
    static const char *const metrics[] = {"CPUUtilization", "ReadIOPS"};
    const struct cloudwatch_query query = {metrics, 2, from_ms, to_ms};
    char *form = cloudwatch_form(&instance, &query);
    static const char head[] =
        "Action=GetMetricData&Version=2010-08-01&StartTime=2026-11-23T15%3A04%3A00.000Z&EndTime="
        "2026-11-23T15%3A06%3A00.000Z&ScanBy=TimestampAscending&MetricDataQueries.member.1.Id=m1&";
    assert_memory_equal(form, head, strlen(head));
    assert_non_null(strstr(form, "member.1.MetricStat.Metric.Namespace=AWS%2FRDS&"));
    assert_non_null(strstr(form, "member.1.MetricStat.Metric.MetricName=CPUUtilization&"));
    assert_non_null(strstr(form, "member.1.MetricStat.Metric.Dimensions.member.1.Name="
                                 "DBInstanceIdentifier&"));
    assert_non_null(strstr(form, "member.1.MetricStat.Metric.Dimensions.member.1.Value="
                                 "games-prod&"));
    assert_non_null(strstr(form, "member.2.MetricStat.Metric.MetricName=ReadIOPS&"));
    assert_non_null(strstr(form, "member.2.MetricStat.Period=60&"));
    free(form);
    form = cloudwatch_form(&cluster, &query);
    assert_non_null(strstr(form, ".Name=DBClusterIdentifier&"));
    assert_non_null(strstr(form, ".Value=games&"));
    free(form);
}

#define ANSWER(results)                                                                            \
    "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"            \
    "<GetMetricDataResult><MetricDataResults>" results "</MetricDataResults><Messages/>"           \
    "</GetMetricDataResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"          \
    "</GetMetricDataResponse>"
#define RESULT(id, status, times, values)                                                          \
    "<member><Id>" id "</Id><Label>x</Label><StatusCode>" status "</StatusCode>"                   \
    "<Timestamps>" times "</Timestamps><Values>" values "</Values></member>"
#define ONE(text) "<member>" text "</member>"
#define T4        ONE("2026-11-23T15:04:00Z")
#define T5        ONE("2026-11-23T15:05:00Z")

/* "1: +60=1 +120=2;" for each metric; times in seconds since 15:04:00. */
static void write_lines(const struct cloudwatch_lines *lines, struct buf *out)
{
    buf_init(out, 1000);
    for (size_t i = 0; i < lines->count; i++) {
        buf_printf(out, "%s%zu:", i ? " " : "", i + 1);
        for (size_t j = 0; j < lines->all[i].count; j++)
            buf_printf(out, " +%lld=%g",
                (long long)(lines->all[i].points[j].time_ms - 1795446240000) / 1000,
                lines->all[i].points[j].value);
        buf_puts(out, ";");
    }
}

static const struct {
    const char *text, *lines, *error;
    bool forbidden, partial;
} answers[] = {
    {ANSWER(RESULT("m1", "Complete", T4 T5, ONE("1.5") ONE("2.0E7"))
             RESULT("m2", "Complete", T5, ONE("3"))),
        "1: +60=1.5 +120=2e+07; 2: +120=3;", NULL},
    {ANSWER(""), "1:; 2:;", NULL},
    {ANSWER(RESULT("m2", "Complete", "", "")), "1:; 2:;", NULL},
    /* Values first, the newest first, and each metric once. */
    {ANSWER("<member><Values>" ONE("2")
             ONE("1") "</Values><Timestamps>" T5 T4
                      "</Timestamps><Id>m1</Id></member>" RESULT("m1", "Complete", T4, ONE("9"))),
        "1: +60=1 +120=2; 2:;", NULL},
    {ANSWER(RESULT("m1", "Forbidden", "", "")), "1:; 2:;", NULL, true},
    {ANSWER(RESULT("m1", "PartialData", T4, ONE("1"))), "1: +60=1; 2:;", NULL, false, true},
    {ANSWER(RESULT("m3", "Complete", T4, ONE("1"))), NULL, "a metric that was not asked for"},
    {ANSWER(RESULT("m1x", "Complete", T4, ONE("1"))), NULL, "a metric that was not asked for"},
    {ANSWER(RESULT("m1", "Complete", T4 T5, ONE("1"))), NULL, "not as many times as values"},
    {ANSWER(RESULT("m1", "Complete", T4, ONE("NaN"))), NULL, "a value that is no number"},
    {ANSWER(RESULT("m1", "Complete", ONE("15:04"), ONE("1"))), NULL, "a time that is none"},
    {"<GetMetricDataResponse><x>", NULL, ""},
    {"<html><body/></html>", NULL, "it is no answer to GetMetricData"},
    {"{}", NULL, ""},
    {"", NULL, ""},
};

static void answers_are_read_or_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct cloudwatch_lines lines;
        struct error err = {""};
        cloudwatch_lines_init(&lines, 2);
        int status = cloudwatch_read(answers[i].text, strlen(answers[i].text), &lines, &err);
        assert_int_equal(status, answers[i].lines ? 0 : -1);
        if (answers[i].lines) {
            struct buf text;
            write_lines(&lines, &text);
            assert_string_equal(text.data, answers[i].lines);
            assert_int_equal(lines.forbidden, answers[i].forbidden);
            assert_int_equal(lines.partial, answers[i].partial);
            assert_int_equal(cloudwatch_lines_any(&lines), strchr(answers[i].lines, '+') != NULL);
            buf_free(&text);
        } else {
            assert_non_null(strstr(err.text, answers[i].error));
        }
        cloudwatch_lines_free(&lines);
    }
}

static void more_points_than_a_day_has_are_refused(void **unused)
{
    (void)unused;
    struct buf text;
    struct cloudwatch_lines lines;
    struct error err;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member>"
                    "<Id>m1</Id><Timestamps>");
    for (int i = 0; i <= CLOUDWATCH_POINTS_MAX; i++)
        buf_puts(&text, T4);
    cloudwatch_lines_init(&lines, 1);
    assert_int_equal(cloudwatch_read(text.data, text.size, &lines, &err), -1);
    assert_non_null(strstr(err.text, "more points than a day has minutes"));
    cloudwatch_lines_free(&lines);
    buf_free(&text);
}

#define FAULT(code, message)                                                                       \
    "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><Error><Type>"       \
    "Sender</Type><Code>" code "</Code><Message>" message "</Message></Error><RequestId>1"         \
    "</RequestId></ErrorResponse>"

static const struct {
    struct cloudwatch_answer answer;
    enum cloudwatch_outcome outcome;
    const char *reason;
} faults[] = {
    {{.status = 200, .body = ANSWER("")}, CLOUDWATCH_ANSWERED, ""},
    {{.status = 200, .body = "<html/>"}, CLOUDWATCH_REFUSED,
        "cannot be read (it is no answer to GetMetricData): is the endpoint one of CloudWatch?"},
    {{.status = 403, .body = FAULT("AccessDenied", "User: x is not authorized")},
        CLOUDWATCH_REFUSED,
        "CloudWatch: AccessDenied: allow cloudwatch:GetMetricData to these credentials"},
    {{.status = 403,
         .body = FAULT("ExpiredToken", "The security token included in the request is "
                                       "expired")},
        CLOUDWATCH_REFUSED, "ExpiredToken: the credentials have expired: renew them"},
    {{.status = 403, .body = FAULT("InvalidClientTokenId", "")}, CLOUDWATCH_REFUSED,
        "is not of the partition of eu-west-1"},
    {{.status = 403, .body = FAULT("SignatureDoesNotMatch", "")}, CLOUDWATCH_REFUSED,
        "or this machine's clock is wrong, or the endpoint is not of the region eu-west-1"},
    {{.status = 400, .body = FAULT("RequestExpired", "")}, CLOUDWATCH_REFUSED,
        "set this machine's clock right"},
    {{.status = 403, .body = FAULT("OptInRequired", "")}, CLOUDWATCH_REFUSED,
        "the account has not enabled the region eu-west-1"},
    {{.status = 403, .body = FAULT("MissingAuthenticationToken", "")}, CLOUDWATCH_REFUSED,
        "does a proxy (HTTPS_PROXY) change the Authorization header?"},
    {{.status = 400, .body = FAULT("Throttling", "Rate exceeded")}, CLOUDWATCH_RETRY,
        "CloudWatch wants fewer requests"},
    {{.status = 500, .body = FAULT("InternalServiceError", "")}, CLOUDWATCH_RETRY,
        "trouble of its own"},
    {{.status = 400, .body = FAULT("InvalidAction", "")}, CLOUDWATCH_REFUSED,
        "is the endpoint one of CloudWatch?"},
    {{.status = 400, .body = FAULT("Odd", "a\nb")}, CLOUDWATCH_REFUSED,
        "CloudWatch answered HTTP 400, Odd: a"},
    {{.status = 502, .body = "<html>"}, CLOUDWATCH_RETRY,
        "HTTP 502 without saying why: is the endpoint one of CloudWatch?"},
    {{.status = 429, .body = ""}, CLOUDWATCH_RETRY, "HTTP 429"},
    {{.outcome = HTTP_UNREACHED, .error = "name not found"}, CLOUDWATCH_RETRY,
        "name not found: is eu-west-1 a region, and is there a way to it (a NAT gateway, or a VPC "
        "endpoint of monitoring)?"},
    {{.outcome = HTTP_TIMEOUT, .error = "no answer"}, CLOUDWATCH_RETRY, "no answer"},
    {{.outcome = HTTP_BAD_TLS, .error = "no trust"}, CLOUDWATCH_REFUSED, "no trust"},
};

static void faults_have_a_remedy(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct cloudwatch_answer answer = faults[i].answer;
        struct cloudwatch_lines lines;
        struct cloudwatch_verdict verdict;
        answer.body = answer.body ? answer.body : "";
        answer.size = strlen(answer.body);
        cloudwatch_lines_init(&lines, 1);
        cloudwatch_judge(&instance, "eu-west-1", &answer, &lines, &verdict);
        assert_int_equal(verdict.outcome, faults[i].outcome);
        assert_non_null(strstr(verdict.reason, faults[i].reason));
        assert_null(strpbrk(verdict.reason, "\r\n"));
        cloudwatch_lines_free(&lines);
    }
}

static void no_data_names_what_may_be_wrong(void **unused)
{
    (void)unused;
    char reason[CLOUDWATCH_REASON_SIZE];
    struct cloudwatch_lines lines = {.count = 0};
    cloudwatch_no_data(&instance, "eu-west-1", &lines, reason);
    assert_string_equal(reason,
        "CloudWatch has nothing of the instance games-prod in eu-west-1: is that its identifier, "
        "is it an instance and not a cluster, and is eu-west-1 its region?");
    cloudwatch_no_data(&cluster, "eu-west-1", &lines, reason);
    assert_non_null(strstr(reason, "cluster games in eu-west-1"));
    lines.forbidden = true;
    cloudwatch_no_data(&instance, "eu-west-1", &lines, reason);
    assert_non_null(strstr(reason, "allow cloudwatch:GetMetricData"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_names_minutes_metrics_and_the_database),
        cmocka_unit_test(answers_are_read_or_refused),
        cmocka_unit_test(more_points_than_a_day_has_are_refused),
        cmocka_unit_test(faults_have_a_remedy),
        cmocka_unit_test(no_data_names_what_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
