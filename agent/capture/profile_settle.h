/* What came from the debug endpoint, as it is kept: checked, and a pprof profile within gzip, as
 * the name of its file says. */
#ifndef AGENT_CAPTURE_PROFILE_SETTLE_H
#define AGENT_CAPTURE_PROFILE_SETTLE_H

#include "agent/capture/profile_check.h"

struct error;

/* Checks a file like profile_check_file. A plain pprof profile is replaced by the same in gzip,
 * durably, and the facts are of that; where the disk does not take that it stays as it came. -1 and
 * err when it cannot be read. Blocks. */
int profile_settle_file(
    const char *path, enum profile_form wanted, struct profile_facts *facts, struct error *err);

#endif
