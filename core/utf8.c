#include "core/utf8.h"

#include <stdbool.h>
#include <stdint.h>

size_t utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
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
