/* The spool: what was caught and is not stored yet, on disk. One folder an incident:
 *
 *   spool/.<id>/   being captured: profiles under their final names are whole; incident.json and
 *                  metrics.csv are as of the last checkpoint; slices that incident.json calls
 *                  pending may be in the recorder's folder still
 *   spool/<id>/    complete, waits for delivery; ".sent-<hash>" marks an exporter that has it
 *   spool/.gone-<id>/  delivered, being removed
 *   spool/.recorder-<app>/  slices that no incident has asked for, or that are on their way into
 *                  one (agent/capture/recorder.h)
 *
 * Every change is made on the disk thread, and a rename is what commits it; so whatever moment the
 * agent is killed at, the next start finds these, and agent/storage/spool_recovery.h knows what to
 * do.
 *
 * While the disk takes no files (it is full, read-only, broken) they are kept in memory as far as
 * they fit (agent/storage/reserve.h), and those who ask here for an incident's files hardly notice.
 */
#ifndef AGENT_STORAGE_SPOOL_H
#define AGENT_STORAGE_SPOOL_H

#include "agent/storage/incident_files.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct incident;
struct offload;
struct reserve;
struct spool;

/* Opens <state>/spool, makes what is missing and locks the state folder against a second agent.
 * What a killed agent left is completed (marked) or removed, with a line in the log each. A disk
 * that is full or read-only is no error: it is said in the log. Blocks. */
struct spool *spool_open(const struct config *config, struct offload *disk, struct error *err);

/* After the disk thread is closed. */
void spool_close(struct spool *spool);

/* Where what is stored is kept on for a while, as links to files that were here
 * (agent/late/late.h). */
const char *spool_late_folder(const struct spool *spool);

/* Bytes in the spool, and those of the late folder that are nowhere else, as of the last change or
 * refresh. */
uint64_t spool_bytes(const struct spool *spool);

/* The most bytes that a profile may have where the spool may hold limit_bytes: at most most_bytes.
 */
uint64_t spool_room(const struct spool *spool, int64_t limit_bytes, int64_t most_bytes);

/* Counts the bytes again, as others, too, remove files of a spool that is full; and sees whether a
 * disk that took no files does again. */
void spool_refresh(struct spool *spool);

/* Calls `each` for every complete incident, oldest first. -1 and err, with none called, when the
 * folder cannot be read. Blocks. */
int spool_each(
    struct spool *spool, void (*each)(void *arg, const char *id), void *arg, struct error *err);

/* Makes the folder of a new incident at once (no fsync: the note makes it durable). Its path, freed
 * by the caller, also where the disk has refused it and its files come to be in memory; or NULL and
 * err: there is one of that name. */
char *spool_begin(struct spool *spool, const char *id, struct error *err);

/* Writes incident.json durably, and nothing else, ahead of all that the disk thread is given from
 * now on. */
void spool_note(struct spool *spool, const struct incident *incident);

/* Writes incident.json and metrics.csv durably into the folder that is being captured. csv is
 * taken over. Failures are logged: the incident stays as it was. */
void spool_checkpoint(struct spool *spool, const struct incident *incident, struct buf *csv);

/* The same, then makes it complete: on the disk, else in memory. done (may be NULL) gets whether
 * that worked; if not, it may be called again for the same incident, however far it got. */
void spool_complete(struct spool *spool, const struct incident *incident, struct buf *csv,
    void (*done)(void *arg, const char *id, bool ok), void *arg);

/* Removes an incident that is being captured, or was completed just now. done as above. */
void spool_discard(struct spool *spool, const char *id,
    void (*done)(void *arg, const char *id, bool ok), void *arg);

/* The folder of an app's recorder, which may not be there, and making it. The caller frees. */
char *spool_recorder_folder(const struct spool *spool, const char *app);
int spool_make_recorder(const char *folder, struct error *err);

/* The folder of a complete incident, which is not there for one in memory; the caller frees. */
char *spool_folder(const struct spool *spool, const char *id);
bool spool_in_memory(const struct spool *spool, const char *id);

/* Where a complete incident takes room: its folder on the disk, which the caller frees, and the
 * bytes of it that are in memory. On the loop. */
char *spool_place(const struct spool *spool, const char *id, uint64_t *memory_bytes);

/* The files of a complete incident, as incident_files_find does, and the path of one, which the
 * caller frees: to be opened and read by this process. */
enum finding spool_find_files(const struct spool *spool, const char *id,
    struct incident_files *files, const char *sent_last, struct error *err);
char *spool_file(const struct spool *spool, const char *id, const char *name);

/* Where profiles go that the disk does not take; why it takes none, or NULL: it does. */
struct reserve *spool_reserve(const struct spool *spool);
const char *spool_trouble(const struct spool *spool);

/* The disk takes files again, but another agent has locked the state folder meanwhile, in words; or
 * NULL. Nothing that is in memory is brought to the disk then. This agent is to end. */
const char *spool_taken(const struct spool *spool);

/* Notes durably that the exporter with this identity has the incident; whether it is so. */
void spool_mark_sent(struct spool *spool, const char *id, const char *identity);
bool spool_is_sent(const struct spool *spool, const char *id, const char *identity);

/* Removes an incident that everybody has; one that is gone is fine. And before the run, at once: 0,
 * or -1 and err. */
void spool_remove(struct spool *spool, const char *id);
int spool_remove_now(struct spool *spool, const char *id, struct error *err);

#endif
