/* What those who hand out credentials answer: what is accepted must be fit for a header. */
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
    char *token = aws_parse_sso_token((const char *)data, size, 0, NULL);
    if (token && strpbrk(token, "\r\n"))
        abort();
    aws_wipe(token);
    return 0;
}
