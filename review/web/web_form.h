/* application/x-www-form-urlencoded, which is what queries and posted forms are written in: names
 * and values that may be anything but hold no NUL (URL standard, section 5). */
#ifndef REVIEW_WEB_FORM_H
#define REVIEW_WEB_FORM_H

#include <stddef.h>

struct buf;
struct error;

enum { WEB_FORM_FIELDS_MAX = 64 };

struct web_field {
    char *name, *value;
};

struct web_form {
    struct web_field fields[WEB_FORM_FIELDS_MAX];
    size_t count;
};

/* Filled in any case; web_form_free frees it. -1 and err when an escape is broken, a NUL is in it
 * or there are too many fields. */
int web_form_parse(const char *text, size_t size, struct web_form *form, struct error *err);
void web_form_free(struct web_form *form);

/* The value of the first field of that name, or NULL. */
const char *web_form_get(const struct web_form *form, const char *name);

/* Appends "name=value", after "?" (or "&" when there is a "?" in `out` already). The name is plain.
 */
void web_form_put(struct buf *out, const char *name, const char *value);

#endif
