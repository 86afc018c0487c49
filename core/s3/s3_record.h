/* What is known of an upload in parts, and the file that keeps it beside what is uploaded, so that
 * an agent that starts anew goes on where the last one was. It grows line by line; what a kill left
 * of the last line is passed over, which costs one part sent again. */
#ifndef CORE_S3_RECORD_H
#define CORE_S3_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* The smallest that S3 takes is 5 MiB; all but the last have to be of one size at R2. */
enum { S3_PART_BYTES = 8 << 20, S3_PARTS_MAX = 10000, S3_RECORD_MAX = 4 << 20 };

struct s3_part {
    char sha256[65]; /* "": not sent */
    char etag[128];  /* as the store gave it, with its quotes */
};

/* All is owned. */
struct s3_record {
    char *key;
    char *id; /* the store's, of the upload; NULL: not begun */
    uint64_t size;
    bool checked; /* the parts have checksums */
    struct s3_part *parts;
    size_t count; /* of the file, at least 1 */
};

/* Of a file of so many bytes that is to become the object `key`. */
void s3_record_init(struct s3_record *record, const char *key, uint64_t size);
void s3_record_free(struct s3_record *record);

/* Whether it can stand in a line of the file: printable, without blanks, of bounded length. */
bool s3_record_takes(const char *text);

/* The beginning of the file, and a line for part `index` (from 0). */
void s3_record_print_head(const struct s3_record *record, struct buf *out);
void s3_record_print_part(const struct s3_record *record, size_t index, struct buf *out);

/* Takes id, checked and the parts out of a file's text. False, with nothing changed, for one that
 * is no record of this key and size. With a NULL key in the record, key and size are taken, too. */
bool s3_record_read(struct s3_record *record, const char *text, size_t size);

#endif
