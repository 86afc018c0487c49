/* What the agent itself costs, from /proc/self. */
#ifndef AGENT_FOOTPRINT_H
#define AGENT_FOOTPRINT_H

#include <stdint.h>

struct footprint {
    uint64_t resident_bytes;
    double cpu_seconds;
    unsigned open_fds;
};

void footprint_read(struct footprint *footprint);

#endif
