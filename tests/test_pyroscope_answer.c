/* What Pyroscope, or what stands before it, can answer: each with its remedy. */
#include "exporters/pyroscope_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = 1795446246000; /* Mon, 23 Nov 2026 15:04:06 GMT */

#define SAYS(message) "{\"code\":\"invalid_argument\",\"message\":\"" message "\"}"
/* As the server says it, with all labels. */
#define LABELS "'{__name__=\\\"memory\\\", service_name=\\\"woogles\\\"}'"

static const struct {
    struct pyroscope_answer answer;
    enum send_outcome outcome;
    const char *reason; /* is in it */
} answers[] = {
    {{.status = 200}, SEND_STORED, ""},
    {{.status = 200, .body = "{}", .content_type = "application/json"}, SEND_STORED, ""},
    {{.status = 200, .content_type = "text/html; charset=utf-8"}, SEND_FAILED, "a web page"},
    {{.status = 301}, SEND_FAILED, "HTTP 301: it is somewhere else: set url to where it leads"},
    {{.status = 400, .body = SAYS("no profiles received")}, SEND_REJECTED,
        "HTTP 400: no profiles received: the server does not take this profile"},
    {{.status = 400,
         .body = SAYS("profile with labels " LABELS " is outside of ingestion window (profile "
                      "timestamp: 2026-11-23 13:00:00, the ingestion window starts at 14:04)")},
        SEND_REJECTED,
        "profile with labels '{...}' is outside of ingestion window (profile timestamp: 2026-11-23 "
        "13:00:00, the ingestion window starts at 14:04): it comes too late, or a clock is wrong: "
        "the server's -validation.reject-older-than"},
    {{.status = 400,
         .body = SAYS("the profile with labels " LABELS " exceeds the size limit "
                      "(max_profile_size_byte, actual: 5000000, limit: 4194304)")},
        SEND_REJECTED, "-validation.max-profile-size-bytes"},
    {{.status = 400, .body = SAYS("uncompressed profile payload size exceeds limit of 4.2 MB")},
        SEND_REJECTED, "-validation.max-profile-size-bytes"},
    {{.status = 400,
         .body = SAYS("the profile with labels " LABELS " exceeds the samples count limit "
                      "(max_profile_stacktrace_samples, actual: 17000, limit: 16000)")},
        SEND_REJECTED, "-validation.max-profile-stacktrace-samples"},
    {{.status = 400, .body = SAYS("profile series " LABELS " has 31 label names; limit 30")},
        SEND_REJECTED, "-validation.max-label-names-per-series"},
    {{.status = 401}, SEND_FAILED, "set user and password, headers, or the tenant"},
    {{.status = 401, .body = "{\"code\":\"unauthenticated\",\"message\":\"no org id\"}"},
        SEND_FAILED, "HTTP 401: no org id: it does not know who sends this"},
    {{.status = 401, .with_tenant = true}, SEND_FAILED, "mend user and password, or headers"},
    {{.status = 403}, SEND_FAILED, "mend user and password, tenant or headers"},
    {{.status = 404, .body = "404 page not found\n"}, SEND_FAILED,
        "HTTP 404: 404 page not found: nothing there takes profiles: set url"},
    {{.status = 405}, SEND_FAILED, "set url"},
    {{.status = 407}, SEND_FAILED, "HTTPS_PROXY"},
    {{.status = 408}, SEND_RETRY, "it took too long"},
    {{.status = 412, .body = SAYS("x")}, SEND_REJECTED, "HTTP 412: x: "},
    {{.status = 413, .body = "<html>too large</html>"}, SEND_REJECTED,
        "HTTP 413: it is too large: raise the limit of the server, or of the proxy before it"},
    {{.status = 415}, SEND_FAILED, "does not speak Pyroscope's push API: set url"},
    {{.status = 418}, SEND_FAILED, "is url that of Pyroscope?"},
    {{.status = 422, .body = SAYS("failed to parse\\nthe profile\\u0007")}, SEND_REJECTED,
        "HTTP 422: failed to parse the profile: the server does not take this profile"},
    {{.status = 429}, SEND_RETRY, "-distributor.ingestion-rate-limit-mb"},
    {{.status = 500, .body = "{\"code\":\"internal\"}"}, SEND_RETRY, "it has trouble of its own"},
    {{.status = 501}, SEND_FAILED, "does not know Pyroscope's push API: set url"},
    {{.status = 503}, SEND_RETRY, "HTTP 503: it has trouble of its own"},
    {{.status = 504}, SEND_RETRY, "HTTP 504"},
    {{.outcome = HTTP_UNREACHED, .error = "refused"}, SEND_RETRY, "does not answer: refused"},
    {{.outcome = HTTP_TIMEOUT, .error = "late"}, SEND_RETRY, "does not answer: late"},
    {{.outcome = HTTP_BROKEN, .error = "reset"}, SEND_RETRY, "does not answer: reset"},
    {{.outcome = HTTP_TOO_LARGE, .status = 200, .error = "large"}, SEND_RETRY, "large"},
    {{.outcome = HTTP_BROKEN, .status = 413, .error = "reset"}, SEND_REJECTED, "HTTP 413"},
    {{.outcome = HTTP_BAD_TLS, .error = "self-signed"}, SEND_FAILED, "set ca_file"},
    {{.outcome = HTTP_BAD_TLS, .error = "x", .with_ca_file = true}, SEND_FAILED,
        "does ca_file hold"},
    {{.outcome = HTTP_NOT_HTTP, .error = "x"}, SEND_FAILED, "is url right, and http or https?"},
    {{.outcome = HTTP_REFUSED, .error = "x"}, SEND_FAILED, "could not be read"},
    {{.status = 400, .empty = true}, SEND_STORED, ""},
    {{.status = 404, .empty = true}, SEND_FAILED, "set url"},
    {{.status = 401, .empty = true}, SEND_FAILED, "set user"},
};

static struct send_result judge(struct pyroscope_answer answer)
{
    struct send_result result;
    answer.body = answer.body ? answer.body : "";
    answer.size = strlen(answer.body);
    answer.now_ms = now_ms;
    pyroscope_answer_judge(&answer, &result);
    return result;
}

static void every_answer_names_its_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct send_result result = judge(answers[i].answer);
        if (result.outcome != answers[i].outcome || !strstr(result.reason, answers[i].reason))
            fail_msg("case %zu: %d, %s", i, (int)result.outcome, result.reason);
        assert_int_equal(result.outcome == SEND_STORED, result.reason[0] == '\0');
        assert_null(strpbrk(result.reason, "\n\a"));
    }
}

static void it_waits_as_long_as_it_is_asked_to(void **state)
{
    (void)state;
    static const struct {
        const char *retry_after;
        int64_t wait_ms;
    } cases[] = {{NULL, 0}, {"", 0}, {"soon", 0}, {"0", 0}, {"7", 7000}, {"86400", 3600000},
        {"99999999999999999999", 3600000}, {"Mon, 23 Nov 2026 15:04:16 GMT", 10000},
        {"Mon, 23 Nov 2026 15:04:00 GMT", 0}, {"Tue, 24 Nov 2026 15:04:06 GMT", 3600000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct send_result result = judge(
            (struct pyroscope_answer){.status = 429, .retry_after = cases[i].retry_after});
        assert_int_equal(result.retry_after_ms, cases[i].wait_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_names_its_remedy),
        cmocka_unit_test(it_waits_as_long_as_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
