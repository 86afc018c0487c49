/* Profiles of an incident that are cut: a readable copy beside each, for `go tool pprof`. */
#ifndef COMMANDS_REPORT_REPAIR_H
#define COMMANDS_REPORT_REPAIR_H

#include <stddef.h>

struct buf;

/* Writes <name>.readable.pb.gz for each profile <name> of the incident in this folder (`opened` by
 * store_folder_open) that is truncated and cannot be read, as far as there is something in it, and
 * then lists it in incident.json, of which `text` is what it has. What cannot be repaired stays as
 * it is. max_bytes: that a profile may inflate to. */
void report_repair(const char *folder, void *opened, struct buf *text, size_t max_bytes);

#endif
