#include "sources/tcp/sock_table.h"

#include "core/alloc.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void sock_table_init(struct sock_table *table)
{
    *table = (struct sock_table){0};
}

void sock_table_free(struct sock_table *table)
{
    free(table->slots);
    *table = (struct sock_table){0};
}

/* Cookies are given out in runs, one a CPU: multiplied by 2^64 over the golden ratio, their high
 * bits spread evenly. */
static size_t home_of(const struct sock_table *table, uint64_t cookie)
{
    return (size_t)((cookie * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (table->capacity - 1);
}

static struct sock_entry *probe(const struct sock_table *table, uint64_t cookie)
{
    size_t at = home_of(table, cookie);
    while (table->slots[at].cookie && table->slots[at].cookie != cookie)
        at = (at + 1) & (table->capacity - 1);
    return &table->slots[at];
}

struct sock_entry *sock_table_find(const struct sock_table *table, uint64_t cookie)
{
    if (!table->capacity || !cookie)
        return NULL;
    struct sock_entry *entry = probe(table, cookie);
    return entry->cookie ? entry : NULL;
}

/* Puts the entries last seen in `survey` or later into a table of that capacity. */
static void rebuild(struct sock_table *table, size_t capacity, uint32_t survey)
{
    struct sock_table fresh = {
        .slots = xcalloc(capacity, sizeof *fresh.slots), .capacity = capacity};
    for (size_t i = 0; i < table->capacity; i++) {
        const struct sock_entry *entry = &table->slots[i];
        if (!entry->cookie || entry->survey < survey)
            continue;
        *probe(&fresh, entry->cookie) = *entry;
        fresh.count++;
    }
    free(table->slots);
    *table = fresh;
}

struct sock_entry *sock_table_add(struct sock_table *table, uint64_t cookie)
{
    if (!cookie || table->count >= SOCK_TABLE_MAX)
        return NULL;
    if (table->count * 4 >= table->capacity * 3)
        rebuild(table, table->capacity ? table->capacity * 2 : FIRST_CAPACITY, 0);
    struct sock_entry *entry = probe(table, cookie);
    *entry = (struct sock_entry){.cookie = cookie};
    table->count++;
    return entry;
}

/* What follows the freed slot is moved up, so that no search ends too early. */
void sock_table_remove(struct sock_table *table, struct sock_entry *entry)
{
    size_t mask = table->capacity - 1;
    size_t hole = (size_t)(entry - table->slots);
    for (size_t at = (hole + 1) & mask; table->slots[at].cookie; at = (at + 1) & mask) {
        size_t home = home_of(table, table->slots[at].cookie);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        table->slots[hole] = table->slots[at];
        hole = at;
    }
    table->slots[hole] = (struct sock_entry){0};
    table->count--;
}

void sock_table_forget(struct sock_table *table, uint32_t survey)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->capacity; i++)
        kept += table->slots[i].cookie && table->slots[i].survey >= survey;
    size_t capacity = FIRST_CAPACITY;
    while (kept * 2 > capacity)
        capacity *= 2;
    rebuild(table, capacity, survey);
}
