/* Whatever a store (or what stands in its place) answers: a page of a listing, uploads in
 * parts, or an error. */
#include "core/error.h"
#include "core/s3/s3.h"
#include "core/s3/s3_xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_page page;
    struct error err;
    if (s3_xml_page((const char *)data, size, &page, &err) == 0) {
        for (size_t i = 0; i < page.count; i++)
            if (strlen(page.entries[i].key) > size)
                abort();
        s3_page_free(&page);
    }
    struct s3_fault fault;
    s3_xml_fault((const char *)data, size, &fault);
    char *id = s3_xml_upload((const char *)data, size, "a/b");
    if (id && strlen(id) > size)
        abort();
    free(id);
    return 0;
}
