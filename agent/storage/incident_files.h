/* The files of one complete incident, in the order in which an exporter is to get them:
 * incident.json is last, as without it an incident is not complete for any reader. */
#ifndef AGENT_STORAGE_INCIDENT_FILES_H
#define AGENT_STORAGE_INCIDENT_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct incident_files {
    char **names;
    size_t count, next; /* next: the first that is not sent */
};

enum finding { FOUND, FOUND_IN_PART, GONE, UNREADABLE };

/* One that is not in the folder that is listed next: it is in place of one there. */
void incident_files_add(struct incident_files *files, const char *name);

/* Lists the folder into *files, which are zeroed or were only added to; then the folder need not be
 * there, and where it cannot be read (FOUND_IN_PART) its files may be lost: those that were added
 * are all that can be had. Goes on after the file `sent_last` (NULL: from the first). err is set
 * unless FOUND. */
enum finding incident_files_find(
    struct incident_files *files, const char *folder, const char *sent_last, struct error *err);

/* Forgets all of it, so that it can be filled again. */
void incident_files_clear(struct incident_files *files);

/* "text/csv" for what a file's name says. */
const char *content_type_of(const char *file);

#endif
