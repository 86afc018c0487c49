/* What is known of each socket, by the kernel's cookie: an open-addressing hash table that is
 * bounded. */
#ifndef SOURCES_TCP_SOCK_TABLE_H
#define SOURCES_TCP_SOCK_TABLE_H

#include "sources/tcp/sock_diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOCK_TABLE_MAX = 65536 };

struct sock_entry {
    uint64_t cookie; /* 0: a free slot; the kernel never gives it */
    struct sock_name name;
    uint64_t received, sent; /* counted so far, without the FIN */
    uint32_t owners;         /* bit i: it is a connection to database i */
    uint32_t survey;         /* the last one that it was in */
    bool fin;                /* the kernel's `received` has the peer's FIN in it */
};

struct sock_table {
    struct sock_entry *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void sock_table_init(struct sock_table *table);
void sock_table_free(struct sock_table *table);

/* NULL when it is not there. Entries move when others are added or removed. */
struct sock_entry *sock_table_find(const struct sock_table *table, uint64_t cookie);

/* A new entry, zeroed but for its cookie, which must not be there yet. NULL when the table holds
 * SOCK_TABLE_MAX. */
struct sock_entry *sock_table_add(struct sock_table *table, uint64_t cookie);
void sock_table_remove(struct sock_table *table, struct sock_entry *entry);

/* Removes every entry that was last in a survey before that one. */
void sock_table_forget(struct sock_table *table, uint32_t survey);

#endif
