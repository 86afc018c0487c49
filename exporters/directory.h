/* Options of the directory exporter: a folder, local or mounted. */
#ifndef EXPORTERS_DIRECTORY_H
#define EXPORTERS_DIRECTORY_H

struct directory_exporter_options {
    char *path;
};

#endif
