/* Child processes for what takes long or reads what strangers wrote: one at a time, the others wait
 * in line, those that are urgent before the rest. A child is this program again with another
 * command line; what goes wrong in it (a hostile profile, no memory, no end) costs the agent
 * nothing. It gets nothing of the agent's environment but what a program needs to start. */
#ifndef AGENT_SELF_WORKER_H
#define AGENT_SELF_WORKER_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct worker;
struct worker_job;

struct worker_setup {
    struct loop *loop;
    const char *program; /* NULL: this program, /proc/self/exe */
    /* What a child may have of memory of its own, beside the files that it maps, which the agent
     * has mapped as well: 0: no limit. */
    int64_t child_memory_bytes;
};

struct worker *worker_open(const struct worker_setup *setup);

int64_t worker_child_memory(const struct worker *worker);

/* The same for children from now on. */
void worker_limit(struct worker *worker, int64_t child_memory_bytes);

/* Kills the child that runs and forgets what waits; no `done` is called. */
void worker_close(struct worker *worker);

struct worker_task {
    const char *const *argv; /* NULL-ended, argv[0] included; copied */
    int64_t deadline_ms;     /* monotonic; the child is killed then */
    bool urgent;             /* it goes before all that wait and are not; none that runs is ended */
    /* On the loop, once, never from within worker_submit. status: the child's exit status, or -1
     * when it was killed or could not be started. why: a sentence unless status is 0, the child's
     * last line on standard error where there is one; valid until `done` returns. */
    void (*done)(void *arg, int status, const char *why);
    void *arg;
};

/* The job is valid until its `done` returns. */
struct worker_job *worker_submit(struct worker *worker, const struct worker_task *task);

/* Moves the deadline to an earlier time. */
void worker_hurry(struct worker_job *job, int64_t deadline_ms);

/* For the beginning of main: in a child of a worker it lowers the priority, bounds memory and CPU
 * time, and has the child die with the agent, or before it where memory runs out; elsewhere it does
 * nothing. posix_spawn can do none of this for the child. */
void worker_settle_child(void);

#endif
