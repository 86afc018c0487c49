/* What `stakeout check` tells of a bucket that a fleet shares. */
#include "commands/check_fleet.h"

#include "core/error.h"
#include "core/loop.h"
#include "exporters/exporter.h"
#include "exporters/s3.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WRITTEN                                                                                    \
    {                                                                                              \
        .status = 200, .headers = { "ETag", "\"e\"" }                                              \
    }
#define THERE                                                                                      \
    {                                                                                              \
        .status = 412, .body = "<Error><Code>PreconditionFailed</Code></Error>"                    \
    }
#define DENIED                                                                                     \
    {                                                                                              \
        .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"                          \
    }
#define READ                                                                                       \
    {                                                                                              \
        .status = 200, .body = "stakeout check\n"                                                  \
    }
#define LISTED                                                                                     \
    {                                                                                              \
        .status = 200, .body = "<ListBucketResult></ListBucketResult>"                             \
    }

static const struct {
    struct stub_answer answers[4];
    int status;
    const char *says[3]; /* of the error, or the note; none: there is no note */
} cases[] = {
    {{WRITTEN, THERE, READ, LISTED}, 0, {NULL}},
    {{THERE, THERE, READ, LISTED}, 0, {NULL}},
    {{THERE, THERE, DENIED, LISTED}, 0, {"as a duplicate", "s3:GetObject"}},
    {{THERE, THERE, READ, DENIED}, 0, {"cannot be counted", "s3:ListBucket"}},
    {{THERE, THERE, DENIED, DENIED}, 0, {"s3:GetObject", "; and ", "s3:ListBucket"}},
    {{WRITTEN, WRITTEN}, -1, {"If-None-Match", "each agent will take its own"}},
    {{DENIED}, -1, {"s3:PutObject", "each agent will take its own"}},
};

static void rights_are_tried(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    struct loop *loop = loop_open(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        stub_start(&server, cases[i].answers, 4);
        char bucket[] = "woogles", prefix[] = "prod", note[CHECK_FLEET_NOTE] = "";
        const struct s3_exporter_options options = {
            .bucket = bucket, .prefix = prefix, .endpoint = server.url, .verify = true};
        const struct exporter_setup setup = {
            .loop = loop, .options = &options, .service = "games", .quiet = true};
        struct error err = {0};
        void *exporter = exporter_s3.open(&setup, &err);
        assert_non_null(exporter);
        int status = check_fleet(loop, &exporter_s3, exporter, "games", note, &err);
        const char *text = status < 0 ? err.text : note;
        if (status != cases[i].status || (!cases[i].says[0] && *text))
            fail_msg("case %zu: %d %s", i, status, text);
        for (size_t j = 0; j < 3 && cases[i].says[j]; j++)
            if (!strstr(text, cases[i].says[j]))
                fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].says[j], text);
        exporter_s3.close(exporter);
        stub_stop(&server);
        stub_free(&server);
    }
    loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rights_are_tried)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
