/* What those who hand out credentials answer: what is accepted must be fit for a header. */
#include "core/aws/aws_region.h"
#include "core/aws/aws_sso_login.h"
#include "core/aws/aws_temporary.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const parsers[])(const char *json, size_t size, struct aws_temporary *temporary,
        struct error *err) = {aws_parse_metadata, aws_parse_process, aws_parse_sso};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        struct aws_temporary temporary;
        struct error err;
        if (parsers[i]((const char *)data, size, &temporary, &err) == 0) {
            if (strpbrk(temporary.access_key, "\r\n") || !*temporary.secret_key)
                abort();
            aws_temporary_free(&temporary);
        }
    }
    struct aws_sso_login login;
    if (aws_sso_login_parse((const char *)data, size, &login, NULL) == 0) {
        if (strpbrk(login.token, "\r\n"))
            abort();
        aws_sso_login_free(&login);
    }
    static const char file[] = "{\"accessToken\":\"old\",\"expiresAt\":\"2026-01-01T00:00:00Z\"}";
    aws_wipe(aws_sso_login_renewed(
        file, sizeof file - 1, (const char *)data, size, 1000000000000, NULL));
    free(aws_region_of_task((const char *)data, size));
    return 0;
}
