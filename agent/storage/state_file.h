/* The small files that keep the agent's knowledge below `state`, written whole on the disk thread.
 */
#ifndef AGENT_STORAGE_STATE_FILE_H
#define AGENT_STORAGE_STATE_FILE_H

struct error;
struct offload;

/* Writes text, which is taken over, durably to path. done on the loop, once: err NULL when it is
 * there, else the file is as it was. */
void state_file_write(struct offload *disk, const char *path, char *text,
    void (*done)(void *arg, const struct error *err), void *arg);

#endif
