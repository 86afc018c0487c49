/* What STS answers. */
#include "core/aws/aws_plan.h"
#include "core/aws/aws_sts.h"
#include "core/aws/aws_temporary.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char arn[] = "arn:a";
    const struct aws_role role = {.arn = arn};
    struct aws_temporary temporary;
    struct error err = {""};
    if (aws_sts_parse((const char *)data, size, &temporary, &err) == 0) {
        if (strpbrk(temporary.session_token, "\r\n"))
            abort();
        aws_temporary_free(&temporary);
    }
    free(aws_sts_identity((const char *)data, size));
    aws_sts_explain(400, (const char *)data, size, AWS_ASSUME_ROLE, &role, "eu-west-1", &err);
    if (!err.text[0])
        abort();
    return 0;
}
