/* gzip both ways, bounded. */
#ifndef REVIEW_GZIP_H
#define REVIEW_GZIP_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

struct error;

bool gzip_is(const void *data, size_t size);

/* Inflates all of it, also when it is several gzip files one after the other. *bytes, which the
 * caller frees, has *inflated of them and a NUL. -1 and err, which begins with "the profile", when
 * it is damaged, ends too early or would have more than max_bytes: memory is never more than twice
 * what is really there, whatever the file says. */
int gzip_inflate(const void *data, size_t size, size_t max_bytes, char **bytes, size_t *inflated,
    struct error *err);

/* Deflates what is put into it to the end of a buffer. */
struct gzip_writer {
    z_stream stream;
    struct buf *out;
    bool full; /* of out: what came then is lost */
};

void gzip_writer_init(struct gzip_writer *writer, struct buf *out);
void gzip_writer_put(void *writer, const void *data, size_t size);

/* Ends it and frees what it has. -1 when out was full. */
int gzip_writer_finish(struct gzip_writer *writer);

#endif
