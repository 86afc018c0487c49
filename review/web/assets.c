#include "review/web/assets.h"
#include "review/web/assets_table.h"

#include <string.h>

const struct asset *asset_find(const char *path)
{
    if (!strcmp(path, "/speedscope/"))
        path = "/speedscope/index.html";
    for (size_t i = 0; i < assets_built_in.count; i++)
        if (!strcmp(assets_built_in.assets[i].path, path))
            return &assets_built_in.assets[i];
    return NULL;
}

bool asset_has_speedscope(void)
{
    return asset_find("/speedscope/") != NULL;
}
