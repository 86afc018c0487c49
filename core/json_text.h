/* Text from outside (answers of an endpoint, names, reasons) -> JSON, which knows only UTF-8. */
#ifndef CORE_JSON_TEXT_H
#define CORE_JSON_TEXT_H

#include <jansson.h>

/* The text as a JSON string in which U+FFFD stands for each byte that is not UTF-8 (RFC 3629), so
 * that a stray byte never costs the rest; null for NULL. Never NULL. The caller owns it. */
json_t *json_text(const char *text);

#endif
