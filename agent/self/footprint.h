/* What the agent itself costs, from /proc/self. */
#ifndef AGENT_SELF_FOOTPRINT_H
#define AGENT_SELF_FOOTPRINT_H

#include <stdint.h>

struct footprint {
    uint64_t resident_bytes;
    double cpu_seconds;
    unsigned open_fds;
};

void footprint_read(struct footprint *footprint);

/* Takes what libraries have needed for their start only, and what was read along with it, out of
 * this process's memory: half of what is resident. What is used of their files later is mapped
 * again. */
void footprint_release_libraries(void);

#endif
