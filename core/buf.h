/* A growing byte buffer with a maximum that is given when it is made: whatever is read from outside
 * ends here, and nothing from outside may grow without bound. The bytes are always followed by a
 * NUL that does not count, so that text can be used as a C string. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated; "" while empty, never NULL after buf_init */
    size_t size;
    size_t capacity;
    size_t max;
};

/* max is the most bytes that it will ever hold. */
void buf_init(struct buf *buf, size_t max);
void buf_free(struct buf *buf);

/* Forgets the content and keeps the memory. */
void buf_clear(struct buf *buf);

/* 0, or -1 when the result would pass max: the buffer is then unchanged. */
int buf_append(struct buf *buf, const void *data, size_t size);
int buf_puts(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands the bytes over to the caller, who frees them; the buffer is empty afterwards. */
char *buf_take(struct buf *buf);

#endif
