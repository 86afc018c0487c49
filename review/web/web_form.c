#include "review/web/web_form.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* The plain text, which the caller frees; NULL when an escape is broken or means a NUL. */
static char *decode(const char *text, size_t size)
{
    char *plain = xcalloc(size + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = text[i] == '+' ? ' ' : text[i];
        if (byte == '%') {
            int high = size - i > 2 ? digit_of(text[i + 1]) : -1;
            int low = size - i > 2 ? digit_of(text[i + 2]) : -1;
            byte = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
            i += 2;
        }
        if (!byte) {
            free(plain);
            return NULL;
        }
        plain[length++] = byte;
    }
    return plain;
}

static int add_field(struct web_form *form, const char *text, size_t size, struct error *err)
{
    if (form->count == WEB_FORM_FIELDS_MAX)
        return error_set(err, "there are more than %d fields", WEB_FORM_FIELDS_MAX);
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals ? (size_t)(equals - text) : size;
    struct web_field field = {.name = decode(text, name_size)};
    field.value = equals ? decode(equals + 1, size - name_size - 1) : xstrdup("");
    if (field.name && field.value) {
        form->fields[form->count++] = field;
        return 0;
    }
    free(field.name);
    free(field.value);
    return error_set(err, "an escape (%%20) is broken");
}

int web_form_parse(const char *text, size_t size, struct web_form *form, struct error *err)
{
    form->count = 0;
    while (size > 0) {
        const char *end = memchr(text, '&', size);
        size_t length = end ? (size_t)(end - text) : size;
        if (length > 0 && add_field(form, text, length, err) < 0)
            return -1;
        size_t used = end ? length + 1 : length;
        text += used;
        size -= used;
    }
    return 0;
}

void web_form_free(struct web_form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->fields[i].name);
        free(form->fields[i].value);
    }
    form->count = 0;
}

const char *web_form_get(const struct web_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (!strcmp(form->fields[i].name, name))
            return form->fields[i].value;
    return NULL;
}

void web_form_put(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%c%s=", memchr(out->data, '?', out->size) ? '&' : '?', name);
    for (; *value; value++) {
        unsigned char byte = (unsigned char)*value;
        if (isalnum(byte) || strchr("-._~", byte))
            buf_append(out, value, 1);
        else
            buf_printf(out, "%%%02X", byte);
    }
}
