/* Arrays that grow. */
#ifndef REVIEW_ARRAY_H
#define REVIEW_ARRAY_H

#include "core/alloc.h"

#include <stddef.h>
#include <stdint.h>

/* The array with room for `more` items behind its first `count`; it may move, and is never
 * NULL, to which C does not let even 0 be added. The capacity doubles, so that items can be added
 * one by one. The caller has seen to it that counts fit. */
static inline void *array_room(
    void *items, uint32_t count, uint32_t more, uint32_t *capacity, size_t item_size)
{
    if (items && more <= *capacity - count)
        return items;
    uint64_t wanted = (uint64_t)count + more;
    uint64_t doubled = (uint64_t)*capacity * 2;
    wanted = doubled > wanted ? doubled : wanted;
    wanted = wanted < 16 ? 16 : wanted;
    *capacity = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
    return xrealloc(items, *capacity, item_size);
}

#endif
