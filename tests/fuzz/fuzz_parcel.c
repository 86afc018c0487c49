/* Any bytes as a baseline that a store gives back. */
#include "agent/baseline/parcel.h"

#include "core/incident.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parcel parcel;
    if (parcel_read((const char *)data, size, &parcel, NULL) < 0)
        return 0;
    if (!incident_id_valid(parcel.id) || parcel.count > PARCEL_FILES_MAX)
        abort();
    for (size_t i = 0; i < parcel.count; i++) {
        const uint8_t *begin = (const uint8_t *)parcel.files[i].data;
        if (!incident_name_valid(parcel.files[i].name) || begin < data ||
            parcel.files[i].size > size - (size_t)(begin - data))
            abort();
    }
    return 0;
}
