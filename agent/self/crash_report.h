/* The report of a crash, as core/crash_text.h describes it, read back. */
#ifndef AGENT_SELF_CRASH_REPORT_H
#define AGENT_SELF_CRASH_REPORT_H

#include "core/buf.h"
#include "core/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { CRASH_REPORT_FRAMES = 8, CRASH_REPORT_BYTES = 64 * 1024 };

struct crash_report {
    char version[32];
    char thread[32];
    char signal[16];
    char reason[96];
    char address[24];                     /* "": the signal was sent */
    int64_t time_ms;                      /* wall time, since 1970 */
    char frames[CRASH_REPORT_FRAMES][96]; /* "stakeout+0x1b2c3", the innermost first */
    size_t frame_count;                   /* of those above */
    bool complete;                        /* it was written to its end */
};

/* Reads a file's text. Whoever can write the state folder can have written it: texts are cut at
 * their sizes, and hold printable ASCII only. -1 and err when it is no report. */
int crash_report_parse(
    const char *text, size_t size, struct crash_report *report, struct error *err);

/* "SIGSEGV, nothing is mapped there, at address 0x8, in thread disk of stakeout 0.1.0" */
void crash_report_describe(const struct crash_report *report, struct buf *out);

#endif
