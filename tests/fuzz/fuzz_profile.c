/* Any bytes as a profile: what is read can be written and read back as the same, and merging it
 * with nothing twice is merging it once. The limit is small, so that bombs are found cheaply. */
#include "review/profile/profile.h"
#include "review/profile/profile_merge.h"

#include "../profile_maker.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t max_bytes = 1 << 20;

static struct profile *write_and_read(const struct profile *profile)
{
    struct buf gzip;
    buf_init(&gzip, (size_t)1 << 28);
    if (profile_encode(profile, &gzip, NULL) < 0)
        abort();
    struct profile *again = profile_decode(gzip.data, gzip.size, (size_t)1 << 28, NULL);
    buf_free(&gzip);
    if (!again)
        abort();
    return again;
}

static void must_be_equal(const struct profile *a, const struct profile *b)
{
    char *left = show_profile(a), *right = show_profile(b);
    if (strcmp(left, right) != 0)
        abort();
    free(left);
    free(right);
}

static struct profile *merge(const struct profile *a, const struct profile *b)
{
    struct profile_merge *merge = profile_merge_open();
    if (profile_merge_add(merge, a, NULL) < 0 || (b && profile_merge_add(merge, b, NULL) < 0))
        abort();
    return profile_merge_close(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile *profile = profile_decode(data, size, max_bytes, NULL);
    if (!profile)
        return 0;
    struct profile *again = write_and_read(profile);
    must_be_equal(profile, again);
    struct profile *once = merge(profile, NULL), *twice = merge(profile, again);
    struct profile *once_again = write_and_read(once), *settled = merge(once_again, NULL);
    must_be_equal(once, once_again);
    must_be_equal(once, settled);
    if (twice->sample_count > once->sample_count)
        abort();
    profile_free(profile);
    profile_free(again);
    profile_free(once);
    profile_free(twice);
    profile_free(once_again);
    profile_free(settled);
    return 0;
}
