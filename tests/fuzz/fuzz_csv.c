/* The trace reader, over any bytes: it may refuse them, and it may not hand out what is no row. */
#include "core/csv.h"

#include "core/error.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct csv_reader *reader = csv_open_bytes(data, size, "fuzz", &err);
    if (!reader)
        return 0;
    size_t count = 0;
    while (csv_columns(reader)[count])
        count++;
    struct csv_row row;
    int64_t last_ms = -1;
    while (csv_next(reader, &row, &err) == 1) {
        if (row.time_ms <= last_ms)
            abort();
        last_ms = row.time_ms;
        for (size_t i = 0; i < count; i++)
            if (isinf(row.values[i]))
                abort();
    }
    csv_close(reader);
    return 0;
}
