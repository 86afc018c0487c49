/* Options of the directory exporter: a folder, local or mounted. */
#ifndef EXPORTERS_DIRECTORY_H
#define EXPORTERS_DIRECTORY_H

#include <stdint.h>

struct directory_exporter_options {
    char *path;
    int64_t keep_ms;    /* of the incidents of this service; 0: of any age */
    int64_t size_bytes; /* 0: any number */
};

#endif
