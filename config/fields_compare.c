#include "config/fields.h"
#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool same_texts(char *const *a, char *const *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!same_text(a[i], b[i]))
            return false;
    return true;
}

static bool same_number(double a, double b)
{
    return a <= b && a >= b;
}

static bool same_map(const struct string_map *a, const struct string_map *b)
{
    return a->count == b->count && same_texts(a->names, b->names, a->count) &&
           same_texts(a->values, b->values, a->count);
}

/* What a level means, however it is written. */
static bool same_level(const struct level *a, const struct level *b)
{
    return !a->text == !b->text && (!a->text || same_number(a->value, b->value));
}

static bool same_names(const struct name_list *a, const struct name_list *b)
{
    return a->count == b->count && same_texts(a->names, b->names, a->count);
}

static bool same_range(const struct duration_range *a, const struct duration_range *b)
{
    return a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

static bool same_value(const struct field *field, const void *a, const void *b)
{
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_SECRET:
    case FIELD_URL:
    case FIELD_NAME:
    case FIELD_TRIGGER:
        return same_text(*(char *const *)a, *(char *const *)b);
    case FIELD_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case FIELD_INTEGER:
    case FIELD_DURATION:
    case FIELD_DELAY:
    case FIELD_BYTES:
        return *(const int64_t *)a == *(const int64_t *)b;
    case FIELD_LEVEL:
        return same_level(a, b);
    case FIELD_CHOICE:
        return *(const int *)a == *(const int *)b;
    case FIELD_STRUCT:
        return fields_same(field->fields, a, b);
    case FIELD_NUMBER:
        return same_number(*(const double *)a, *(const double *)b);
    case FIELD_RANGE:
        return same_range(a, b);
    case FIELD_NAMES:
    case FIELD_TRIGGERS:
        return same_names(a, b);
    case FIELD_SECRETS:
    case FIELD_TEXTS:
        return same_map(a, b);
    case FIELD_OTHER:
        break;
    }
    return true;
}

static const void *value_of(const struct field *field, const void *target)
{
    return (const char *)target + field->offset;
}

bool fields_same(const struct field *fields, const void *a, const void *b)
{
    for (const struct field *field = fields; field && field->key; field++)
        if (!same_value(field, value_of(field, a), value_of(field, b)))
            return false;
    return true;
}

void fields_compare(const struct field *fields, const void *before, const void *after,
    const char *path, void (*each)(void *arg, enum field_change change, const char *path),
    void *arg)
{
    for (const struct field *field = fields; field && field->key; field++) {
        const void *a = value_of(field, before), *b = value_of(field, after);
        if (same_value(field, a, b))
            continue;
        char *own = xasprintf("%s%s%s", path, *path ? "." : "", field->key);
        bool was = fields_is_given(field, before), is = fields_is_given(field, after);
        if (field->type == FIELD_STRUCT)
            fields_compare(field->fields, a, b, own, each, arg);
        else
            each(arg, was == is ? FIELD_CHANGED : is ? FIELD_ADDED : FIELD_REMOVED, own);
        free(own);
    }
}
