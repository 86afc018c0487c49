/* Carries out a plan: gets the source's credentials, and assumes the roles on top of them. */
#ifndef CORE_AWS_RUN_H
#define CORE_AWS_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct aws_plan;
struct aws_run;
struct aws_temporary;
struct error;
struct loop;

struct aws_run_setup {
    struct loop *loop;
    const struct aws_plan *plan; /* lives as long as the run */
    const char *region;          /* in which STS is asked */
    int64_t *clock_offset_ms;    /* as core/aws/aws_sts_call.h says */
    /* Once, on the loop, never from within aws_run_start. With credentials, which it takes over, or
     * without (NULL): then err is a sentence with the remedy, and may_recover whether another try
     * may help. */
    void (*done)(
        void *arg, struct aws_temporary *temporary, bool may_recover, const struct error *err);
    void *arg;
};

struct aws_run *aws_run_start(const struct aws_run_setup *setup);
void aws_run_cancel(struct aws_run *run); /* `done` is not called; NULL is allowed */

#endif
