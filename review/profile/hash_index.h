/* Finds the index of an item that is equal to another, in an array that only grows. */
#ifndef REVIEW_HASH_INDEX_H
#define REVIEW_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_INDEX_NONE UINT32_MAX

struct hash_slot {
    uint32_t hash, index; /* HASH_INDEX_NONE: free */
};

/* Zeroed, it is empty. */
struct hash_index {
    struct hash_slot *slots;
    uint32_t capacity; /* a power of two */
    uint32_t count;
};

void hash_index_free(struct hash_index *table);

/* The index with this hash for which same(arg, index) is true, or HASH_INDEX_NONE. */
uint32_t hash_index_find(const struct hash_index *table, uint32_t hash,
    bool (*same)(const void *arg, uint32_t index), const void *arg);

/* Adds one that was not found. */
void hash_index_add(struct hash_index *table, uint32_t hash, uint32_t index);

/* A hash is made of numbers or bytes one after the other and begins with any number. */
uint64_t hash_number(uint64_t hash, uint64_t number);
uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);
uint32_t hash_finish(uint64_t hash);

#endif
