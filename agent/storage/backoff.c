#include "agent/storage/backoff.h"

#include "exporters/exporter.h"

#include <stdlib.h>

static const int64_t first_ms = 1000;
static const int64_t longest_ms = 60000;

int64_t backoff_next_ms(int64_t *wait_ms, const struct send_result *result)
{
    int64_t base_ms = *wait_ms ? *wait_ms * 2 : first_ms;
    if (result->outcome == SEND_FAILED && base_ms < longest_ms / 4)
        base_ms = longest_ms / 4;
    if (base_ms > longest_ms)
        base_ms = longest_ms;
    *wait_ms = base_ms;
    int64_t next_ms = base_ms + (int64_t)arc4random_uniform((uint32_t)base_ms / 2);
    return next_ms < result->retry_after_ms ? result->retry_after_ms : next_ms;
}
