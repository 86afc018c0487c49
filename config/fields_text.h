/* The scalars of field tables: text -> value. */
#ifndef CONFIG_FIELDS_TEXT_H
#define CONFIG_FIELDS_TEXT_H

#include "config/fields.h"
#include "core/metric.h"

#include <stdbool.h>

struct error;

/* Reads the text as the field's type into value, frees what was there, checks the range. The
 * message never quotes what may be secret. */
int fields_read_text(const struct field *field, void *value, const char *text, struct error *err);

/* "100ms to 1m", or "" when there is no range. Returns text. */
enum { RANGE_TEXT_SIZE = 2 * VALUE_TEXT_SIZE + 8 };
const char *fields_format_range(const struct field *field, char text[RANGE_TEXT_SIZE]);

/* off, or false in another of YAML's ways: what rewrites a file may make that of an off. */
bool fields_is_off(const char *text);

/* Letters, digits, . _ -, 1 to `max` of them, no dot first. */
bool fields_is_name(const char *text, size_t max);

/* Line breaks and whatever else no value may hold: also U+0080 to U+009F, U+2028, U+2029 and what
 * YAML cannot hold as it is, U+FEFF, U+FFFE and U+FFFF. */
bool fields_has_control(const char *text);

/* host:port, [v6]:port -> the host without brackets (not ended by a NUL) and its port; a port of 0
 * means that none was written. -1 when it is neither. */
struct host_port {
    const char *host;
    size_t host_length;
    int port;
    bool bracketed;
};
int fields_split_host_port(const char *text, size_t length, struct host_port *parts);

#endif
