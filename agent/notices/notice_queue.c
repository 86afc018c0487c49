#include "agent/notices/notice_queue.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

static void free_entry(struct notice_entry *entry)
{
    free(entry->id);
    free(entry->group);
    free(entry->text);
}

void notice_queue_free(struct notice_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        free_entry(&queue->entries[i]);
    free(queue->entries);
    *queue = (struct notice_queue){0};
}

static size_t place_of(const struct notice_queue *queue, const char *id)
{
    size_t place = 0;
    while (place < queue->count && strcmp(queue->entries[place].id, id) != 0)
        place++;
    return place;
}

static struct notice_entry take(struct notice_queue *queue, size_t place)
{
    struct notice_entry entry = queue->entries[place];
    queue->count--;
    memmove(&queue->entries[place], &queue->entries[place + 1],
        (queue->count - place) * sizeof *queue->entries);
    return entry;
}

char *notice_queue_add(struct notice_queue *queue, const struct notice_entry *entry)
{
    if (place_of(queue, entry->id) < queue->count)
        return NULL;
    char *gone = NULL;
    if (queue->count == NOTICE_QUEUE_MAX) {
        struct notice_entry oldest = take(queue, 0);
        gone = xstrdup(oldest.id);
        free_entry(&oldest);
    }
    queue->entries = xrealloc(queue->entries, queue->count + 1, sizeof *queue->entries);
    queue->entries[queue->count++] = (struct notice_entry){.id = xstrdup(entry->id),
        .group = xstrdup(entry->group),
        .text = entry->text ? xstrdup(entry->text) : NULL,
        .since_ms = entry->since_ms};
    return gone;
}

size_t notice_queue_first(const struct notice_queue *queue, size_t *indices)
{
    size_t found = 0;
    for (size_t i = 0; i < queue->count; i++)
        if (!strcmp(queue->entries[i].group, queue->entries[0].group))
            indices[found++] = i;
    return found;
}

bool notice_queue_remove(struct notice_queue *queue, const char *id)
{
    size_t place = place_of(queue, id);
    if (place == queue->count)
        return false;
    struct notice_entry entry = take(queue, place);
    free_entry(&entry);
    return true;
}

void notice_queue_put_off(struct notice_queue *queue)
{
    size_t indices[NOTICE_QUEUE_MAX];
    size_t count = notice_queue_first(queue, indices);
    for (size_t i = 0; i < count; i++) {
        struct notice_entry entry = take(queue, indices[i] - i);
        queue->entries[queue->count++] = entry;
    }
}

const char *notice_queue_older(const struct notice_queue *queue, int64_t wall_ms)
{
    for (size_t i = 0; i < queue->count; i++)
        if (queue->entries[i].since_ms < wall_ms)
            return queue->entries[i].id;
    return NULL;
}
