#include "exporters/exporter.h"

#include <stdlib.h>

const char *exporter_label(const void *self)
{
    const struct exporter_names *names = self;
    return names->label;
}

const char *exporter_identity(const void *self)
{
    const struct exporter_names *names = self;
    return names->identity ? names->identity : names->label;
}

void exporter_names_free(struct exporter_names *names)
{
    free(names->label);
    free(names->identity);
}
