/* Where an incident is, on its way from the fire to storage: for those who wait for it. */
#ifndef AGENT_CONTROL_PROGRESS_H
#define AGENT_CONTROL_PROGRESS_H

struct agent;

enum progress {
    PROGRESS_UNKNOWN,   /* no incident of this run, and none that waits in the spool */
    PROGRESS_CAPTURING, /* or its last row of metrics is waited for */
    PROGRESS_WAITING,   /* complete; its report is made, or an exporter is at it or about to be */
    PROGRESS_FAILING,   /* left in the spool: the last try failed; it goes on */
    PROGRESS_STORED     /* every exporter has it */
};

/* *reason (may be NULL) says why it is failing; valid until the next turn of the loop. */
enum progress progress_of(const struct agent *agent, const char *id, const char **reason);

#endif
