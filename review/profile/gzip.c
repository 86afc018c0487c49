#include "review/profile/gzip.h"

#include "core/alloc.h"
#include "core/error.h"
#include "review/profile/array.h"

#ifdef STAKEOUT_LIBDEFLATE
#include <libdeflate.h>
#endif
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    GZIP_WINDOW = 16 + MAX_WBITS, /* 16: gzip and nothing else */
    GZIP_MIN_SIZE = 18,           /* header and trailer */
    FIRST_BYTES = 64 * 1024,
    LIKELY_RATIO = 16, /* profiles inflate to 3 to 8 times their size */
    /* A CPU profile of 1 MB: level 3 takes a third of level 6's time for 10% more bytes. */
    DEFLATE_LEVEL = 3,
    DEFLATE_MEMORY = 8
};

bool gzip_is(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* What the trailer says; 0 when there is none. */
static size_t said_size(const unsigned char *data, size_t size)
{
    if (size < GZIP_MIN_SIZE)
        return 0;
    const unsigned char *trailer = data + size - 4;
    return trailer[0] | (size_t)trailer[1] << 8 | (size_t)trailer[2] << 16 |
           (size_t)trailer[3] << 24;
}

/* The same, if that is believable: then nothing needs to grow. */
static size_t first_capacity(size_t said, size_t size, size_t most)
{
    size_t capacity = FIRST_BYTES;
    if (said > capacity)
        capacity = said / LIKELY_RATIO > size ? size * LIKELY_RATIO : said;
    /* One byte of room behind the end lets zlib see that it is the end. */
    return capacity < most ? capacity + 1 : most;
}

/* Nearly every profile is one gzip file that has as many bytes as it says. libdeflate inflates such
 * a one in half of zlib's time; all others are left to zlib, which tells what is wrong with them.
 */
static bool inflate_at_once(const void *data, size_t size, char *bytes, size_t said)
{
#ifdef STAKEOUT_LIBDEFLATE
    size_t used = 0, inflated = 0;
    struct libdeflate_decompressor *with = libdeflate_alloc_decompressor();
    bool done = with && libdeflate_gzip_decompress_ex(
                            with, data, size, bytes, said, &used, &inflated) == LIBDEFLATE_SUCCESS;
    libdeflate_free_decompressor(with);
    return done && used == size && inflated == said;
#else
    (void)data, (void)size, (void)bytes, (void)said;
    return false;
#endif
}

struct inflation {
    z_stream stream;
    const unsigned char *end; /* of the input */
    char *bytes;
    size_t used, capacity, most;
};

static void make_room(struct inflation *inflation)
{
    if (inflation->used == inflation->capacity) {
        size_t capacity = inflation->capacity;
        capacity = capacity > inflation->most / 2 ? inflation->most : 2 * capacity;
        inflation->bytes = xrealloc(inflation->bytes, capacity + 1, 1);
        inflation->capacity = capacity;
    }
    size_t room = inflation->capacity - inflation->used;
    inflation->stream.next_out = (unsigned char *)inflation->bytes + inflation->used;
    inflation->stream.avail_out = room < UINT_MAX ? (unsigned)room : UINT_MAX;
    size_t left = (size_t)(inflation->end - inflation->stream.next_in);
    inflation->stream.avail_in = left < UINT_MAX ? (unsigned)left : UINT_MAX;
}

static int inflate_all(struct inflation *inflation, struct error *err)
{
    z_stream *stream = &inflation->stream;
    for (;;) {
        make_room(inflation);
        const unsigned char *from = stream->next_in;
        const unsigned char *to = stream->next_out;
        int code = inflate(stream, Z_NO_FLUSH);
        inflation->used = (size_t)((char *)stream->next_out - inflation->bytes);
        /* most is one more than what is allowed */
        if (inflation->used == inflation->most)
            return error_set(err,
                "the profile inflates to more than the %zu bytes that are allowed",
                inflation->most - 1);
        if (code == Z_STREAM_END) {
            if (stream->next_in == inflation->end)
                return 0;
            if (!gzip_is(stream->next_in, (size_t)(inflation->end - stream->next_in)))
                return error_set(
                    err, "the profile is damaged: there are bytes behind the end of the gzip data");
            inflateReset(stream);
        } else if (code == Z_BUF_ERROR ||
                   (code == Z_OK && stream->next_in == inflation->end && stream->avail_out > 0)) {
            return error_set(err, "the profile is damaged: it ends in the middle");
        } else if (code != Z_OK || (stream->next_in == from && stream->next_out == to)) {
            return error_set(err, "the profile is damaged: the gzip data is broken");
        }
    }
}

int gzip_inflate(const void *data, size_t size, size_t max_bytes, char **bytes, size_t *inflated,
    struct error *err)
{
    struct inflation inflation = {.end = (const unsigned char *)data + size,
        .most = max_bytes < SIZE_MAX - 2 ? max_bytes + 1 : SIZE_MAX - 1};
    size_t said = said_size(data, size);
    inflation.capacity = first_capacity(said, size, inflation.most);
    inflation.bytes = array_large_room(inflation.capacity + 1, 1);
    if (said > 0 && said < inflation.capacity &&
        inflate_at_once(data, size, inflation.bytes, said)) {
        *bytes = inflation.bytes;
        *inflated = said;
        (*bytes)[said] = '\0';
        return 0;
    }
    inflation.stream.next_in = (unsigned char *)(uintptr_t)data;
    int status = inflateInit2(&inflation.stream, GZIP_WINDOW) == Z_OK
                     ? inflate_all(&inflation, err)
                     : error_set(err, "the profile cannot be inflated: zlib does not start");
    inflateEnd(&inflation.stream);
    if (status < 0) {
        free(inflation.bytes);
        return -1;
    }
    inflation.bytes[inflation.used] = '\0';
    *bytes = inflation.bytes;
    *inflated = inflation.used;
    return 0;
}

void gzip_writer_init(struct gzip_writer *writer, struct buf *out)
{
    *writer = (struct gzip_writer){.out = out};
    writer->full = deflateInit2(&writer->stream, DEFLATE_LEVEL, Z_DEFLATED, GZIP_WINDOW,
                       DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK;
}

static void deflate_some(struct gzip_writer *writer, int flush)
{
    unsigned char block[16384];
    do {
        writer->stream.next_out = block;
        writer->stream.avail_out = sizeof block;
        deflate(&writer->stream, flush);
        if (buf_append(writer->out, block, sizeof block - writer->stream.avail_out) < 0)
            writer->full = true;
    } while (!writer->full && writer->stream.avail_out == 0);
}

void gzip_writer_put(void *arg, const void *data, size_t size)
{
    struct gzip_writer *writer = arg;
    const unsigned char *at = data;
    while (size > 0 && !writer->full) {
        unsigned step = size < UINT_MAX ? (unsigned)size : UINT_MAX;
        writer->stream.next_in = (unsigned char *)(uintptr_t)at;
        writer->stream.avail_in = step;
        deflate_some(writer, Z_NO_FLUSH);
        at += step;
        size -= step;
    }
}

int gzip_writer_finish(struct gzip_writer *writer)
{
    if (!writer->full)
        deflate_some(writer, Z_FINISH);
    deflateEnd(&writer->stream);
    return writer->full ? -1 : 0;
}
