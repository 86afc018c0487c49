#include "core/aws/aws_region.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/loop.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_region(char *found, const char *expected, const char *of)
{
    if (!found != !expected || (found && strcmp(found, expected) != 0))
        fail_msg("%s: %s", of, found ? found : "none");
    free(found);
}

static void regions_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *region;
        char *(*read)(const char *text);
    } cases[] = {
        {"eu-west-1a", "eu-west-1", aws_region_of_zone},
        {"us-gov-west-1b", "us-gov-west-1", aws_region_of_zone},
        {"us-west-2-lax-1a", "us-west-2", aws_region_of_zone},
        {"ap-southeast-11c", "ap-southeast-11", aws_region_of_zone},
        {"eu-west-1", "eu-west-1", aws_region_of_zone},
        {"", NULL, aws_region_of_zone},
        {"1", NULL, aws_region_of_zone},
        {"-1", NULL, aws_region_of_zone},
        {"eu-west", NULL, aws_region_of_zone},
        {"EU-WEST-1", NULL, aws_region_of_zone},
        {"<html>", NULL, aws_region_of_zone},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1", NULL, aws_region_of_zone},
        {"arn:aws:ecs:us-east-2:1:task/c/t", "us-east-2", aws_region_of_arn},
        {"arn:aws-cn:ecs:cn-north-1:1:task/c/t", "cn-north-1", aws_region_of_arn},
        {"arn:aws:iam::1:role/x", NULL, aws_region_of_arn},
        {"arn:aws", NULL, aws_region_of_arn},
        {"", NULL, aws_region_of_arn},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_region(cases[i].read(cases[i].text), cases[i].region, cases[i].text);
}

static void tasks_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *json, *region;
    } cases[] = {
        {"{\"TaskARN\":\"arn:aws:ecs:us-east-2:1:task/c/t\",\"AvailabilityZone\":\"us-east-2c\"}",
            "us-east-2"},
        {"{\"AvailabilityZone\":\"us-east-2c\"}", "us-east-2"},
        {"{\"TaskARN\":\"odd\",\"AvailabilityZone\":\"us-east-2c\"}", "us-east-2"},
        {"{\"TaskARN\":7}", NULL},
        {"[]", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_region(aws_region_of_task(cases[i].json, strlen(cases[i].json)), cases[i].region,
            cases[i].json);
}

static void partitions_follow_from_regions(void **state)
{
    (void)state;
    static const struct {
        const char *region, *partition, *domain;
    } cases[] = {
        {"us-east-1", "aws", "amazonaws.com"},
        {"cn-northwest-1", "aws-cn", "amazonaws.com.cn"},
        {"us-gov-east-1", "aws-us-gov", "amazonaws.com"},
        {"us-iso-east-1", "aws-iso", "c2s.ic.gov"},
        {"us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"},
        {"eusc-de-east-1", "aws-eusc", "amazonaws.eu"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(aws_region_partition(cases[i].region), cases[i].partition);
        assert_string_equal(aws_region_domain(cases[i].region), cases[i].domain);
    }
    assert_true(aws_region_owns("https://s3.eu-west-1.amazonaws.com"));
    assert_true(aws_region_owns("https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com:443"));
    assert_true(aws_region_owns("https://s3.cn-north-1.amazonaws.com.cn"));
    assert_false(aws_region_owns("https://amazonaws.com.example.net"));
    assert_false(aws_region_owns("https://notamazonaws.com"));
    assert_false(aws_region_owns("http://127.0.0.1:7480"));
}

struct seen {
    bool done;
    char region[64];
};

static void note(void *arg, const char *region)
{
    struct seen *seen = arg;
    seen->done = true;
    snprintf(seen->region, sizeof seen->region, "%s", region ? region : "none");
}

static void who_is_there_is_asked(void **state)
{
    (void)state;
    static const struct find_case {
        const char *task, *disabled;
        struct stub_answer answers[3];
        const char *region;
        size_t requests;
    } cases[] = {
        {"t", "", {{200, "{\"AvailabilityZone\":\"eu-west-3a\"}", {0}}}, "eu-west-3", 1},
        {"t", "", {{500, "\"x\"", {0}}, {200, "token", {0}}, {200, "eu-west-2\n", {0}}},
            "eu-west-2", 3},
        {NULL, "", {{200, "token", {0}}, {200, "eu-west-2", {0}}}, "eu-west-2", 2},
        {NULL, "", {{200, "token", {0}}, {404, "eu-west-2", {0}}}, "none", 2},
        {NULL, "", {{403, "", {0}}}, "none", 1},
        {NULL, "true", {{200, "token", {0}}, {200, "eu-west-2", {0}}}, "none", 0},
        {"t", "true", {{200, "{}", {0}}}, "none", 1},
    };
    struct loop *loop = loop_open(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        struct seen seen = {.done = false};
        stub_start(&server, cases[i].answers, 3);
        setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url, 1);
        setenv("AWS_EC2_METADATA_DISABLED", cases[i].disabled, 1);
        setenv("ECS_CONTAINER_METADATA_URI_V4", cases[i].task ? server.url : "", 1);
        aws_region_find(loop, note, &seen);
        assert_false(seen.done);
        assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
        stub_stop(&server);
        assert_string_equal(seen.region, cases[i].region);
        assert_int_equal(server.count, cases[i].requests);
        stub_free(&server);
    }
    aws_region_cancel(aws_region_find(loop, note, NULL));
    loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_read),
        cmocka_unit_test(tasks_are_read),
        cmocka_unit_test(partitions_follow_from_regions),
        cmocka_unit_test(who_is_there_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
