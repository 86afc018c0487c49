#include "agent/storage/delivery_withdraw.h"

#include "agent/storage/delivery_parts.h"
#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Where it is in the queue; count: nowhere. */
static size_t place_of(const struct outlet *outlet, const char *id)
{
    size_t i = 0;
    while (i < outlet->count && strcmp(outlet->queue[i], id) != 0)
        i++;
    return i;
}

/* A file of its head is on its way, or whether there may be is being settled. */
static bool has_head_in_hand(const struct outlet *outlet)
{
    return outlet->path || outlet->settling;
}

/* Of the head, files may be on their way or with the exporter. */
static bool is_untouched(const struct delivery *delivery, const char *id)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct outlet *outlet = delivery->outlets[i];
        size_t place = place_of(outlet, id);
        if (place == outlet->count ||
            (place == 0 && (has_head_in_hand(outlet) || outlet->sent_last)))
            return false;
    }
    return delivery->count > 0;
}

size_t delivery_untouched(const struct delivery *delivery, const char **ids, size_t most)
{
    size_t found = 0;
    for (size_t i = delivery->count ? delivery->outlets[0]->count : 0; i-- > 0 && found < most;)
        if (is_untouched(delivery, delivery->outlets[0]->queue[i]))
            ids[found++] = delivery->outlets[0]->queue[i];
    for (size_t i = 0; i < found / 2; i++) {
        const char *later = ids[i];
        ids[i] = ids[found - 1 - i];
        ids[found - 1 - i] = later;
    }
    return found;
}

/* Nothing, where it is not in the queue. */
static void unqueue(struct outlet *outlet, const char *id)
{
    size_t place = place_of(outlet, id);
    if (place == outlet->count)
        return;
    outlet_give_up(outlet, id);
    if (place == 0) {
        incident_files_clear(&outlet->files);
        free(outlet->sent_last);
        outlet->sent_last = NULL;
        outlet->settled = false;
        outlet->settled_by_ms = 0;
    }
    free(outlet->queue[place]);
    outlet->count--;
    memmove(&outlet->queue[place], &outlet->queue[place + 1],
        (outlet->count - place) * sizeof *outlet->queue);
}

bool delivery_withdraw(struct delivery *delivery, const char *id)
{
    if (!is_untouched(delivery, id))
        return false;
    char *copy = xstrdup(id); /* it may be out of a queue */
    for (size_t i = 0; i < delivery->count; i++)
        unqueue(delivery->outlets[i], copy);
    free(copy);
    return true;
}

bool delivery_drop(struct delivery *delivery, const char *id)
{
    bool waits = false;
    for (size_t i = 0; i < delivery->count; i++) {
        const struct outlet *outlet = delivery->outlets[i];
        size_t place = place_of(outlet, id);
        waits = waits || place < outlet->count;
        if (place == 0 && outlet->count && has_head_in_hand(outlet))
            return false;
    }
    for (size_t i = 0; i < delivery->count; i++)
        unqueue(delivery->outlets[i], id);
    return waits;
}
