/* groups.json as anybody may have left it in the state folder: what is accepted is written so that
 * it is read back as the same. */
#include "agent/detection/caught.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct caught *first = caught_new(), *second = caught_new();
    struct error err;
    if (caught_parse(first, (const char *)data, size, &err) == 0) {
        char *text = caught_text(first);
        if (caught_parse(second, text, strlen(text), &err) < 0)
            abort();
        char *again = caught_text(second);
        if (strcmp(text, again) != 0)
            abort();
        free(text);
        free(again);
    }
    caught_free(first);
    caught_free(second);
    return 0;
}
