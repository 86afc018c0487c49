/* How much a gzip file would inflate to, without having it inflated. */
#ifndef REVIEW_GZIP_SIZE_H
#define REVIEW_GZIP_SIZE_H

#include <stddef.h>

/* What the file itself says in its last four bytes (RFC 1952, 2.3.1: modulo 4 GiB, and only of the
 * last part when it is several files in one); size itself for what is no gzip. Costs nothing and
 * may be a lie. */
size_t gzip_size_said(const void *data, size_t size);

/* Inflates it into nowhere until `most` is passed. What it came to: at most a block more than
 * `most`, less when it is damaged. */
size_t gzip_size_found(const void *data, size_t size, size_t most);

#endif
