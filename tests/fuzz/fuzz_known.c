/* known.json as anybody may have left it in a bucket: what is accepted is written so that it is
 * read back as the same. */
#include "core/error.h"
#include "core/known.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct known first = {0}, second = {0};
    struct error err;
    if (known_parse((const char *)data, size, &first, &err) == 0) {
        char *text = known_text(&first);
        if (known_parse(text, strlen(text), &second, &err) < 0 || second.count != first.count)
            abort();
        char *again = known_text(&second);
        if (strcmp(text, again) != 0)
            abort();
        free(text);
        free(again);
    }
    known_free(&first);
    known_free(&second);
    return 0;
}
