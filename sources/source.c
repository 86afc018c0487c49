#include "sources/source.h"

#include "core/error.h"

int source_check_apps(const struct source_setup *setup,
    int (*check)(const char *container, struct error *err), const char *wanted, struct error *err)
{
    struct error why;
    for (size_t i = 0; i < setup->app_count; i++) {
        const char *container = setup->apps[i].container;
        if (!container)
            return error_set(err, "it needs app.container, %s", wanted);
        if (check(container, &why) < 0)
            return error_set(err, "app.container %s", why.text);
    }
    return 0;
}
