/* decode FILE TIMES: milliseconds of CPU of zlib's inflate alone and of a whole decode of a
 * profile, the least of each, in turn. zlib inflates into memory that it has been given before; the
 * decode gets its own each time. */
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "review/profile/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

static const size_t most = (size_t)256 << 20;

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double inflate_once(const struct buf *file, char *room, size_t size)
{
    double began = cpu_ms();
    z_stream stream = {.next_in = (unsigned char *)file->data,
        .avail_in = (unsigned)file->size,
        .next_out = (unsigned char *)room,
        .avail_out = (unsigned)size};
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK || inflate(&stream, Z_FINISH) != Z_STREAM_END)
        exit(EXIT_FAILURE);
    inflateEnd(&stream);
    return cpu_ms() - began;
}

static double decode_once(const struct buf *file, size_t *inflated)
{
    double began = cpu_ms();
    struct profile *profile = profile_decode(file->data, file->size, most, NULL);
    if (!profile)
        exit(EXIT_FAILURE);
    *inflated = profile->inflated_bytes;
    profile_free(profile);
    return cpu_ms() - began;
}

int main(int argc, char **argv)
{
    struct buf file;
    struct error err;
    size_t size;
    if (argc != 3 || fs_read(argv[1], most, &file, &err) < 0)
        return EXIT_FAILURE;
    double decoded = decode_once(&file, &size), inflated = 1e9;
    char *room = malloc(size + 1);
    if (!room)
        return EXIT_FAILURE;
    memset(room, 1, size + 1);
    for (int i = atoi(argv[2]); i > 0; i--) {
        double once = inflate_once(&file, room, size + 1);
        inflated = once < inflated ? once : inflated;
        once = decode_once(&file, &size);
        decoded = once < decoded ? once : decoded;
    }
    printf("%.3f %.3f\n", inflated, decoded);
    free(room);
    buf_free(&file);
    return EXIT_SUCCESS;
}
