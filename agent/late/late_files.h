/* The files of an incident that is to get metrics which come late: links to those of the spool, in
 * a folder of its own, so that they are there when the spool has let go of them. All of this
 * blocks: the disk thread does it. */
#ifndef AGENT_LATE_FILES_H
#define AGENT_LATE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cloudwatch_lines;
struct error;

/* Links (else copies) the files of `from` into the folder `to`, which appears as a whole. */
int late_files_keep(const char *from, const char *to, struct error *err);

/* The time (wall) that is to be covered: from the first to the last row of metrics.csv, and from 5
 * minutes before the onset; and whether what came late is in it. */
struct late_window {
    int64_t from_ms, to_ms;
    bool added;
};
int late_files_window(const char *folder, struct late_window *window, struct error *err);

/* What came for one database: series[i] is the name of lines->all[i]. */
struct late_lines {
    char **series;
    const struct cloudwatch_lines *lines;
};

/* Adds the points that overlap the window to metrics.csv, in place of what it has of these series,
 * and says in incident.json that and when (wall), with their peaks. */
int late_files_add(const char *folder, const struct late_lines *all, size_t count,
    const struct late_window *window, int64_t now_ms, struct error *err);

/* Marks, which last: the exporter of this name (a file's) has the incident. */
void late_files_mark(const char *folder, const char *exporter);

/* Calls `each` for every such mark. */
void late_files_marks(const char *folder, void (*each)(void *arg, const char *exporter), void *arg);

#endif
