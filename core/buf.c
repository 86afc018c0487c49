#include "core/buf.h"

#include "core/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What data points to while nothing was appended; never written to, as capacity is 0. */
static char empty[1];

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max};
}

void buf_free(struct buf *buf)
{
    if (buf->capacity)
        free(buf->data);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    if (buf->capacity)
        buf->data[0] = '\0';
}

static int reserve(struct buf *buf, size_t more)
{
    if (more > buf->max - buf->size)
        return -1;
    size_t need = buf->size + more + 1;
    if (need <= buf->capacity)
        return 0;
    size_t capacity = buf->capacity ? buf->capacity : 256;
    while (capacity < need)
        capacity *= 2;
    if (capacity > buf->max + 1)
        capacity = buf->max + 1;
    buf->data = xrealloc(buf->capacity ? buf->data : NULL, capacity, 1);
    buf->capacity = capacity;
    return 0;
}

int buf_append(struct buf *buf, const void *data, size_t size)
{
    if (reserve(buf, size) < 0)
        return -1;
    if (size)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return 0;
}

int buf_puts(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int status = -1;
    if (length >= 0 && reserve(buf, (size_t)length) == 0) {
        vsnprintf(buf->data + buf->size, (size_t)length + 1, format, again);
        buf->size += (size_t)length;
        status = 0;
    }
    va_end(again);
    return status;
}

char *buf_take(struct buf *buf)
{
    char *data = buf->capacity ? buf->data : xcalloc(1, 1);
    buf_init(buf, buf->max);
    return data;
}
