/* What is built in, as the build has written it: see speedscope.cmake. */
#ifndef REVIEW_ASSETS_TABLE_H
#define REVIEW_ASSETS_TABLE_H

#include "review/web/assets.h"

struct asset_table {
    const struct asset *assets;
    size_t count;
};

extern const struct asset_table assets_built_in;

#endif
