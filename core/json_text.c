#include "core/json_text.h"

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Bytes of the character that begins there, or 0 when none does: too long for what it says, half a
 * surrogate pair and what is past U+10FFFF are no characters (RFC 3629, section 4). */
static size_t character_length(const unsigned char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] >> 5 == 0x06 ? 2 : at[0] >> 4 == 0x0e ? 3 : at[0] >> 3 == 0x1e ? 4 : 0;
    uint32_t value = at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 0x02) /* also where the text ends */
            return 0;
        value = value << 6 | (at[i] & 0x3fU);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return length && value >= least[length] && value <= 0x10ffff && !surrogate ? length : 0;
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    struct buf valid;
    buf_init(&valid, strlen(text) * (sizeof replacement - 1));
    while (*text) {
        size_t length = character_length((const unsigned char *)text);
        if (length)
            buf_append(&valid, text, length);
        else
            buf_puts(&valid, replacement);
        text += length ? length : 1;
    }
    json_t *json = json_stringn_nocheck(valid.data, valid.size);
    buf_free(&valid);
    if (!json)
        abort(); /* only for want of memory */
    return json;
}
