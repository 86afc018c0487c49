/* review.json as anybody may have left it, when its incident is to be removed. */
#include "exporters/retention.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 && !retention_is_note((const char *)data, size))
        abort();
    retention_is_note((const char *)data, size);
    return 0;
}
