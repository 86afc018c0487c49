/* Any bytes as an answer of the debug endpoint. */
#include "agent/capture/profile_check.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct profile_facts facts;
    struct profile_check *check = profile_check_open(
        (enum profile_form)(data[0] % (PROFILE_FORM_TRACE + 1)));
    size_t half = size / 2;
    profile_check_feed(check, data + 1, half);
    profile_check_feed(check, data + 1 + half, size - 1 - half);
    profile_check_close(check, &facts);
    return 0;
}
