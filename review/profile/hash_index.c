#include "review/profile/hash_index.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void hash_index_free(struct hash_index *table)
{
    free(table->slots);
    *table = (struct hash_index){.capacity = 0};
}

uint32_t hash_index_find(const struct hash_index *table, uint32_t hash,
    bool (*same)(const void *arg, uint32_t index), const void *arg)
{
    if (table->capacity == 0)
        return HASH_INDEX_NONE;
    uint32_t mask = table->capacity - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        const struct hash_slot *slot = &table->slots[at];
        if (slot->index == HASH_INDEX_NONE)
            return HASH_INDEX_NONE;
        if (slot->hash == hash && same(arg, slot->index))
            return slot->index;
    }
}

static void place(struct hash_index *table, struct hash_slot slot)
{
    uint32_t mask = table->capacity - 1, at = slot.hash & mask;
    while (table->slots[at].index != HASH_INDEX_NONE)
        at = (at + 1) & mask;
    table->slots[at] = slot;
}

static void grow(struct hash_index *table)
{
    struct hash_index larger = {
        .capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY, .count = table->count};
    larger.slots = xcalloc(larger.capacity, sizeof *larger.slots);
    for (uint32_t i = 0; i < larger.capacity; i++)
        larger.slots[i].index = HASH_INDEX_NONE;
    for (uint32_t i = 0; i < table->capacity; i++)
        if (table->slots[i].index != HASH_INDEX_NONE)
            place(&larger, table->slots[i]);
    free(table->slots);
    *table = larger;
}

void hash_index_add(struct hash_index *table, uint32_t hash, uint32_t index)
{
    if (table->count >= table->capacity / 4 * 3)
        grow(table);
    place(table, (struct hash_slot){hash, index});
    table->count++;
}

/* Multiply and fold, with the odd number of the golden ratio. */
uint64_t hash_number(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;
    hash = hash_number(hash, size);
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = hash_number(hash, word);
    }
    uint64_t rest = 0;
    if (size > 0)
        memcpy(&rest, at, size);
    return hash_number(hash, rest);
}

uint32_t hash_finish(uint64_t hash)
{
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}
