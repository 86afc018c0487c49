#include "sources/cgroup/cgroup_procs.h"

#include <stdlib.h>

static bool has(const struct cgroup_procs *procs, unsigned long pid)
{
    for (size_t i = 0; i < procs->count; i++)
        if (procs->pids[i] == pid)
            return true;
    return false;
}

/* Process ids of the text, at most CGROUP_PROCS_MAX. */
static size_t parse(const char *text, unsigned long pids[CGROUP_PROCS_MAX])
{
    size_t count = 0;
    for (char *end; count < CGROUP_PROCS_MAX; text = end) {
        unsigned long pid = strtoul(text, &end, 10);
        if (end == text)
            break;
        pids[count++] = pid;
    }
    return count;
}

/* Whether one of them was there before: a worker that is replaced is no new start. One that cannot
 * be seen may have been. */
static bool any_stayed(const struct cgroup_procs *procs, const unsigned long *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == 0 || has(procs, pids[i]))
            return true;
    return has(procs, 0);
}

void cgroup_procs_update(struct cgroup_procs *procs, const char *text)
{
    unsigned long pids[CGROUP_PROCS_MAX];
    size_t count = parse(text, pids);
    if (count == 0) {
        procs->populated = false;
        return;
    }
    if (!procs->populated || !any_stayed(procs, pids, count))
        procs->starts++;
    procs->populated = true;
    procs->count = count;
    for (size_t i = 0; i < count; i++)
        procs->pids[i] = pids[i];
}

void cgroup_procs_clear(struct cgroup_procs *procs)
{
    procs->populated = false;
}

unsigned long cgroup_procs_first(const struct cgroup_procs *procs)
{
    for (size_t i = 0; procs->populated && i < procs->count; i++)
        if (procs->pids[i])
            return procs->pids[i];
    return 0;
}
