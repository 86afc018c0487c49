/* Any bytes as the beginning of a profile: what is made of it is a profile with as many samples as
 * it says. */
#include "review/profile/profile.h"
#include "review/profile/profile_repair.h"

#include "core/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t max_bytes = 1 << 20;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile_repair has;
    struct buf out;
    buf_init(&out, (size_t)1 << 28);
    if (profile_repair(data, size, max_bytes, &out, &has, NULL) == 0) {
        struct profile *profile = profile_decode(out.data, out.size, (size_t)1 << 28, NULL);
        if (!profile || profile->sample_count != has.samples)
            abort();
        profile_free(profile);
    }
    buf_free(&out);
    return 0;
}
