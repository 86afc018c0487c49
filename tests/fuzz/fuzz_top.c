/* Any bytes as a profile, behind one byte that says which table is made of it, and with which base.
 * What is counted is what is there. */
#include "review/profile/profile.h"
#include "review/top/top.h"
#include "review/top/totals.h"

#include "core/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t max_bytes = 1 << 20;

enum { BY_CUM = 1, ALL = 2, FEW = 4, WITH_BASE = 8, FIRST_TYPE = 16 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void count(const struct profile *profile)
{
    struct totals totals;
    int type = totals_sample_type(profile, NULL);
    if (type < 0)
        return;
    totals_of(profile, (uint32_t)type, &totals);
    for (size_t i = 0; i < totals.count; i++)
        must(totals_find(&totals, totals.functions[i].name) == &totals.functions[i]);
    totals_free(&totals);
}

static bool all_exact(const struct profile *profile)
{
    static const int64_t most = INT64_C(1) << 40;
    size_t values = (size_t)profile->sample_count * profile->sample_type_count;
    for (size_t i = 0; i < values; i++)
        if (profile->values[i] > most || profile->values[i] < -most)
            return false;
    return true;
}

static void print(const struct top *top)
{
    struct buf text, json;
    buf_init(&text, (size_t)1 << 28);
    buf_init(&json, (size_t)1 << 28);
    top_print(top, NULL, &text);
    top_print_json(top, &json);
    must(text.size > 0 && text.data[text.size - 1] == '\n' && json.size > 0);
    must(top->row_count <= top->kept_count);
    buf_free(&text);
    buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned flags = data[0];
    struct profile *profile = profile_decode(data + 1, size - 1, max_bytes, NULL);
    if (!profile)
        return 0;
    count(profile);
    struct profile *base = flags & WITH_BASE ? profile_decode(data + 1, size - 1, max_bytes, NULL)
                                             : NULL;
    bool is_exact = base && all_exact(base);
    struct top_options options = {.sample_type = flags & FIRST_TYPE ? "0" : NULL,
        .by_cum = flags & BY_CUM,
        .row_count = flags & FEW ? 3 : 0,
        .fraction = flags & ALL ? 0 : TOP_FRACTION};
    struct top top;
    if (top_make(&top, profile, base, &options, NULL) == 0) {
        print(&top);
        /* A profile less itself is nothing, where doubles hold its values. */
        must(!is_exact || top.total == 0);
    }
    top_free(&top);
    return 0;
}
