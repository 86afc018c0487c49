/* Arrays that grow, and such as are large from the beginning. */
#ifndef REVIEW_ARRAY_H
#define REVIEW_ARRAY_H

#include "core/alloc.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Room for `count` items that will not grow much. Where there is much, the kernel is asked to give
 * it in large pages: else decoding a large profile takes a fifth of its time for small ones, one
 * after the other. Only whole large pages are: nothing takes more memory than it has items. */
static inline void *array_large_room(size_t count, size_t item_size)
{
    enum { LARGE_PAGE = 2 << 20 };
    void *items;
    size_t bytes = count <= SIZE_MAX / item_size ? count * item_size : SIZE_MAX;
    if (bytes < LARGE_PAGE || bytes == SIZE_MAX || posix_memalign(&items, LARGE_PAGE, bytes) != 0)
        return xrealloc(NULL, count, item_size);
    madvise(items, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
    return items;
}

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
    return items ? xrealloc(items, *capacity, item_size) : array_large_room(*capacity, item_size);
}

#endif
