/* Which bytes are text. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>

/* U+FFFD, which stands for what is none. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the character that begins there in a NUL-terminated text, or 0 when none does: too long
 * for what it says, half a surrogate pair and what is past U+10FFFF are no characters (RFC 3629,
 * section 4). */
size_t utf8_length(const char *text);

#endif
