/* review.json as anybody may have left it beside an incident: what is accepted is written so that
 * it is read back as the same. */
#include "core/error.h"
#include "review/history/mark.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mark first, second = {0};
    struct error err;
    if (mark_parse((const char *)data, size, &first, &err) == 0) {
        char *text = mark_text(&first);
        if (mark_parse(text, strlen(text), &second, &err) < 0)
            abort();
        char *again = mark_text(&second);
        if (strcmp(text, again) != 0)
            abort();
        free(text);
        free(again);
    }
    mark_free(&first);
    mark_free(&second);
    return 0;
}
