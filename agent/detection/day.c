#include "agent/detection/day.h"

#include "core/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

void day_free(struct day *day)
{
    free(day->entries);
    *day = (struct day){0};
}

static void take_out(struct day *day, size_t index)
{
    day->count--;
    memmove(&day->entries[index], &day->entries[index + 1],
        (day->count - index) * sizeof *day->entries);
}

static size_t find(const struct day *day, const char *id)
{
    size_t i = 0;
    while (i < day->count && strncmp(day->entries[i].id, id, DAY_ID_SIZE - 1) != 0)
        i++;
    return i;
}

/* The two that are closest in time become one, of the later time. */
static void make_room(struct day *day)
{
    size_t closest = 0;
    int64_t least_ms = INT64_MAX;
    for (size_t i = 0; i + 1 < day->count; i++) {
        int64_t apart_ms = day->entries[i + 1].wall_ms - day->entries[i].wall_ms;
        if (apart_ms < least_ms) {
            least_ms = apart_ms;
            closest = i;
        }
    }
    day->entries[closest + 1].bytes += day->entries[closest].bytes;
    take_out(day, closest);
}

void day_set(struct day *day, const char *id, int64_t wall_ms, uint64_t bytes)
{
    size_t known = find(day, id);
    if (known < day->count) {
        day->entries[known].bytes = bytes;
        return;
    }
    if (day->count == DAY_ENTRIES_MAX)
        make_room(day);
    day->entries = xrealloc(day->entries, day->count + 1, sizeof *day->entries);
    size_t at = day->count++;
    for (; at > 0 && day->entries[at - 1].wall_ms > wall_ms; at--)
        day->entries[at] = day->entries[at - 1];
    struct day_entry *entry = &day->entries[at];
    *entry = (struct day_entry){.wall_ms = wall_ms, .bytes = bytes};
    snprintf(entry->id, sizeof entry->id, "%s", id);
}

void day_drop(struct day *day, const char *id)
{
    size_t known = find(day, id);
    if (known < day->count)
        take_out(day, known);
}

bool day_has(const struct day *day, const char *id)
{
    return find(day, id) < day->count;
}

void day_trim(struct day *day, int64_t now_ms)
{
    while (day->count && now_ms - day->entries[0].wall_ms >= day_ms)
        take_out(day, 0);
    for (size_t i = 0; i < day->count; i++)
        if (day->entries[i].wall_ms > now_ms)
            day->entries[i].wall_ms = now_ms;
}

uint64_t day_bytes(const struct day *day)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < day->count; i++)
        bytes += day->entries[i].bytes;
    return bytes;
}

int64_t day_room_ms(const struct day *day, uint64_t limit, int64_t now_ms)
{
    uint64_t left = day_bytes(day);
    int64_t room_ms = now_ms;
    for (size_t i = 0; i < day->count && left >= limit; i++) {
        left -= day->entries[i].bytes;
        room_ms = day->entries[i].wall_ms + day_ms;
    }
    return room_ms;
}
