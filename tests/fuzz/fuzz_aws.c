/* What a credentials endpoint answers: what is accepted must be fit for a header. */
#include "core/aws/aws_temporary.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aws_temporary temporary;
    struct error err;
    if (aws_parse_metadata((const char *)data, size, &temporary, &err) == 0) {
        if (strpbrk(temporary.access_key, "\r\n") || !*temporary.secret_key)
            abort();
        aws_temporary_free(&temporary);
    }
    return 0;
}
