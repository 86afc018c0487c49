/* The readers of the kernel's files about cgroups. */
#include "sources/cgroup/cgroup_files.h"
#include "sources/pressure.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    uint64_t value, other;
    double cores = 1;
    struct cgroup_mounts mounts;
    cgroup_mounts_parse(&mounts, text, size);
    cgroup_mounts_free(&mounts);
    cgroup_parse_number(text, size, &value);
    cgroup_parse_key(text, size, "nr_periods", &value);
    pressure_parse(text, size, &value);
    cgroup_parse_net_dev(text, size, &value, &other);
    if (cgroup_parse_cpu_max(text, size, &cores) && !(cores > 0))
        abort();
    if (cgroup_parse_cpu_list(text, size) > 1 << 20)
        abort();
    return 0;
}
