/* What a killed agent left in the spool, made complete or taken away. */
#ifndef AGENT_STORAGE_SPOOL_RECOVERY_H
#define AGENT_STORAGE_SPOOL_RECOVERY_H

struct config;
struct error;

/* What the name of a recorder's folder begins with: ".recorder-". */
extern const char spool_recorder_prefix[];

/* Looks through the spool's folder before anything else touches it. An incident in the making
 * becomes complete: a profile that is there whole is kept, one that is partly there is kept as
 * truncated, the others are marked failed. Slices that it lists are taken from the recorder's
 * folder; what is left there goes. Where nothing was written down about it yet, its id and the
 * profiles say what is known, and config of which app it is; without a profile it is removed. One
 * whose incident.json cannot be read stays as it is, with an error in the log. -1 and err when the
 * folder itself cannot be read. Blocks. */
int spool_recover(const char *path, const struct config *config, struct error *err);

#endif
