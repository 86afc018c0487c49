/* What a killed agent left in the spool, made complete or taken away. */
#ifndef AGENT_SPOOL_RECOVERY_H
#define AGENT_SPOOL_RECOVERY_H

struct error;

/* What the name of a recorder's folder begins with: ".recorder-". */
extern const char spool_recorder_prefix[];

/* Looks through the spool's folder before anything else touches it. An incident in the making
 * becomes complete: a profile that is there whole is kept, one that is partly there is kept as
 * truncated, the others are marked failed. One with neither a checkpoint nor a profile is removed;
 * one whose checkpoint cannot be read stays as it is, with an error in the log. -1 and err when the
 * folder itself cannot be read. Blocks. */
int spool_recover(const char *path, struct error *err);

#endif
