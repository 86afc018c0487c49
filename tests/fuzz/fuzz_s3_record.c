/* The file beside an upload in parts, whatever a crash or somebody made of it. */
#include "core/buf.h"
#include "core/s3/s3_record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_record record = {0}, again = {0};
    if (!s3_record_read(&record, (const char *)data, size))
        return 0;
    struct buf text;
    buf_init(&text, S3_RECORD_MAX);
    s3_record_print_head(&record, &text);
    for (size_t i = 0; i < record.count; i++)
        if (*record.parts[i].sha256)
            s3_record_print_part(&record, i, &text);
    if (!s3_record_read(&again, text.data, text.size) || again.count != record.count ||
        memcmp(again.parts, record.parts, record.count * sizeof *record.parts) != 0)
        abort();
    buf_free(&text);
    s3_record_free(&record);
    s3_record_free(&again);
    return 0;
}
