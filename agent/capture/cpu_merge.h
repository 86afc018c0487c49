/* One CPU profile of several: the slices of a recorder and the capture's own, all in an incident's
 * folder. A child writes the merged one (`stakeout merge`); here is what comes before and after.
 *
 * At any moment a kill leaves an incident that says what is there: the merged file is durable under
 * a name of its own before incident.json, which knows its checksum, lists it as "cpu" and no slice
 * any more; only then it takes the place of cpu.pb.gz and the slices' files go. The next start
 * finishes what was begun. Where it cannot take that place incident.json is as before again, and
 * where that fails, too, the merged file stays for the next start. */
#ifndef AGENT_CAPTURE_CPU_MERGE_H
#define AGENT_CAPTURE_CPU_MERGE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct incident;
struct offload;

/* The child's command line: all slices that are whole, and the profile "cpu" if it is, but only
 * those of one run of the app (see struct incident_profile). NULL when there is nothing to merge:
 * no slice, or a "cpu" that is truncated, which has to stay as it is. memory_bytes: what the child
 * may have, 0: no limit. */
char **cpu_merge_command(const struct incident *incident, const char *folder, int64_t memory_bytes);
void cpu_merge_free_command(char **argv);

/* Whether slices that are whole are left out, as they are of another run. */
bool cpu_merge_leaves_slices(const struct incident *incident);

/* After the child: checks what it wrote, and has it take the place of what it was made of, on disk
 * and then in the incident, which must hold no more unfinished profiles. `done` gets NULL, or why
 * all has stayed as it was (valid until it returns). */
void cpu_merge_commit(struct offload *disk, struct incident *incident, const char *folder,
    void (*done)(void *arg, const char *why), void *arg);

/* Removes what a child that failed may have left. */
void cpu_merge_discard(struct offload *disk, const char *folder);

/* In a folder that a killed agent left, with what its incident.json says: finishes a merge that was
 * written down, undoes any other, and removes slices that are in no list. Blocks. */
void cpu_merge_recover(const struct incident *incident, const char *folder);

#endif
