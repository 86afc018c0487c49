#include "review/profile/gzip_size.h"

#include "review/profile/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

enum { GZIP_WINDOW = 16 + MAX_WBITS, GZIP_MIN_SIZE = 18, BLOCK = 32 * 1024 };

size_t gzip_size_said(const void *data, size_t size)
{
    if (!gzip_is(data, size) || size < GZIP_MIN_SIZE)
        return size;
    const unsigned char *trailer = (const unsigned char *)data + size - 4;
    return trailer[0] | (size_t)trailer[1] << 8 | (size_t)trailer[2] << 16 |
           (size_t)trailer[3] << 24;
}

size_t gzip_size_found(const void *data, size_t size, size_t most)
{
    if (!gzip_is(data, size))
        return size;
    const unsigned char *at = data, *end = at + size;
    unsigned char block[BLOCK];
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)at};
    size_t found = 0;
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return 0;
    while (found <= most) {
        size_t left = (size_t)(end - stream.next_in);
        stream.avail_in = left < UINT_MAX ? (unsigned)left : UINT_MAX;
        stream.next_out = block;
        stream.avail_out = BLOCK;
        int code = inflate(&stream, Z_NO_FLUSH);
        found += BLOCK - stream.avail_out;
        if (code == Z_STREAM_END && stream.next_in < end)
            inflateReset(&stream);
        else if (code != Z_OK)
            break;
    }
    inflateEnd(&stream);
    return found;
}
