#include "core/json_text.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    struct buf valid;
    buf_init(&valid, strlen(text) * (sizeof UTF8_REPLACEMENT - 1));
    while (*text) {
        size_t length = utf8_length(text);
        if (length)
            buf_append(&valid, text, length);
        else
            buf_puts(&valid, UTF8_REPLACEMENT);
        text += length ? length : 1;
    }
    json_t *json = json_stringn_nocheck(valid.data, valid.size);
    buf_free(&valid);
    if (!json)
        abort(); /* only for want of memory */
    return json;
}
