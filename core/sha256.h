/* SHA-256 of memory, of a file, or piece by piece, as lower-case hex: what incident.json and SigV4
 * want. */
#ifndef CORE_SHA256_H
#define CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct sha256;

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 2 * SHA256_SIZE + 1 };

/* Of nothing: the payload hash of a request without a body. */
extern const char sha256_of_nothing[SHA256_HEX_SIZE];

/* Bytes as lower-case hex; text has room for 2 * size + 1 and is returned. */
char *sha256_to_hex(const unsigned char *bytes, size_t size, char *text);

void sha256_hash(const void *data, size_t size, char hex[SHA256_HEX_SIZE]);

/* HMAC-SHA-256 (RFC 2104). */
void sha256_hmac(
    const void *key, size_t key_size, const void *data, size_t size, char hex[SHA256_HEX_SIZE]);

/* Reads an open file from its start to its end, without moving its position. *size is set to the
 * bytes read. Blocks: not for the loop's thread. */
int sha256_file(int fd, char hex[SHA256_HEX_SIZE], uint64_t *size, struct error *err);

/* Piece by piece: sha256_finish gives the result (hex may be NULL) and frees. */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *sha256, const void *data, size_t size);
void sha256_finish(struct sha256 *sha256, char *hex);

#endif
