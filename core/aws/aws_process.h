/* Runs a credential_process and takes what it prints.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
#ifndef CORE_AWS_PROCESS_H
#define CORE_AWS_PROCESS_H

#include <stddef.h>

struct aws_process;
struct error;
struct loop;

/* Runs a command line by /bin/sh, as AWS's SDK for Go does (the CLI splits it by the shell's rules
 * of quoting itself, so what works there works here); it gets a minute. `done` comes later, on the
 * loop, once: with what it printed (at most 64 KiB), or with an error (output NULL). NULL and err
 * when it cannot be started. */
struct aws_process *aws_process_start(struct loop *loop, const char *command,
    void (*done)(void *arg, const char *output, size_t size, const struct error *err), void *arg,
    struct error *err);

/* Kills it; `done` is not called. NULL is allowed. */
void aws_process_cancel(struct aws_process *process);

#endif
