#include "core/series.h"

#include "core/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void series_set_init(struct series_set *set, size_t capacity)
{
    *set = (struct series_set){.capacity = capacity ? capacity : 1};
}

static void free_series(struct series *series)
{
    free(series->name);
    free(series->ring);
    free(series);
}

void series_set_free(struct series_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free_series(set->all[i]);
    free(set->all);
    *set = (struct series_set){0};
}

struct series *series_set_find(const struct series_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->all[i]->name, name))
            return set->all[i];
    return NULL;
}

uint64_t series_set_pushed(const struct series_set *set)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < set->count; i++)
        sum += set->all[i]->pushed;
    return sum;
}

struct series *series_set_add(struct series_set *set, const char *name)
{
    struct series *series = series_set_find(set, name);
    if (series)
        return series;
    const struct metric *metric = metric_of_series(name);
    series = xcalloc(1, sizeof *series);
    series->name = xstrdup(name);
    series->unit = metric ? metric->unit : UNIT_NONE;
    series->capacity = set->capacity;
    series->ring = xcalloc(set->capacity, sizeof *series->ring);
    /* Written to, not only reserved: the footprint is whole at the start, instead of creeping up
     * while the rings fill. */
    memset(series->ring, 0, set->capacity * sizeof *series->ring);
    set->all = xrealloc(set->all, set->count + 1, sizeof *set->all);
    set->all[set->count++] = series;
    return series;
}

const struct sample *series_at(const struct series *series, size_t back)
{
    if (back >= series->count)
        return NULL;
    return &series->ring[(series->newest + series->capacity - back) % series->capacity];
}

void series_push(struct series *series, int64_t time_ms, double value)
{
    if (!isfinite(value) || (series->count && time_ms <= series_at(series, 0)->time_ms))
        return;
    series->newest = (series->newest + 1) % series->capacity;
    series->ring[series->newest] = (struct sample){time_ms, value};
    if (series->count < series->capacity)
        series->count++;
    series->pushed++;
}

size_t series_count_since(const struct series *series, int64_t from_ms)
{
    size_t low = 0, high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series_at(series, middle)->time_ms >= from_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void resize(struct series *series, size_t capacity)
{
    struct sample *ring = xcalloc(capacity, sizeof *ring);
    size_t count = series->count < capacity ? series->count : capacity;
    for (size_t i = 0; i < count; i++)
        ring[i] = *series_at(series, count - 1 - i);
    free(series->ring);
    series->ring = ring;
    series->capacity = capacity;
    series->count = count;
    series->newest = count ? count - 1 : 0;
}

void series_set_resize(struct series_set *set, size_t capacity)
{
    set->capacity = capacity ? capacity : 1;
    for (size_t i = 0; i < set->count; i++)
        if (set->all[i]->capacity != set->capacity)
            resize(set->all[i], set->capacity);
}

void series_set_remove(struct series_set *set, size_t index)
{
    free_series(set->all[index]);
    set->count--;
    memmove(set->all + index, set->all + index + 1, (set->count - index) * sizeof *set->all);
}

static struct series *copy_series(const struct series *series, int64_t from_ms)
{
    struct series *copy = xcalloc(1, sizeof *copy);
    size_t count = series_count_since(series, from_ms);
    *copy = (struct series){.name = xstrdup(series->name),
        .unit = series->unit,
        .ring = xcalloc(count, sizeof *copy->ring),
        .capacity = count ? count : 1,
        .newest = count ? count - 1 : 0,
        .count = count,
        .pushed = series->pushed};
    for (size_t i = 0; i < count; i++)
        copy->ring[i] = *series_at(series, count - 1 - i);
    return copy;
}

void series_set_copy(struct series_set *copy, const struct series_set *set, int64_t from_ms)
{
    *copy = (struct series_set){.count = set->count, .capacity = set->capacity};
    copy->all = xcalloc(set->count, sizeof(struct series *));
    for (size_t i = 0; i < set->count; i++)
        copy->all[i] = copy_series(set->all[i], from_ms);
}
