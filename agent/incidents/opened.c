#include "agent/incidents/opened.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

void opened_add(struct opened *opened, const char *id)
{
    char **place = &opened->ids[opened->count++ % OPENED_MAX];
    free(*place);
    *place = xstrdup(id);
}

void opened_drop(struct opened *opened, const char *id)
{
    const char *last = opened_last(opened);
    if (!last || strcmp(last, id) != 0)
        return;
    char **place = &opened->ids[--opened->count % OPENED_MAX];
    free(*place);
    *place = NULL;
}

bool opened_has(const struct opened *opened, const char *id)
{
    for (size_t i = 0; i < OPENED_MAX; i++)
        if (opened->ids[i] && !strcmp(opened->ids[i], id))
            return true;
    return false;
}

const char *opened_last(const struct opened *opened)
{
    return opened->count ? opened->ids[(opened->count - 1) % OPENED_MAX] : NULL;
}

void opened_free(struct opened *opened)
{
    for (size_t i = 0; i < OPENED_MAX; i++)
        free(opened->ids[i]);
}
