/* The reader of netlink datagrams: four bytes of sequence, then a datagram. */
#include "sources/tcp/sock_diag.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t sequence;
    if (size < sizeof sequence)
        return 0;
    memcpy(&sequence, data, sizeof sequence);
    struct sock_diag_reader reader;
    sock_diag_reader_init(&reader, data + sizeof sequence, size - sizeof sequence, sequence);
    for (;;) {
        struct sock_diag_record record;
        enum sock_diag_item item = sock_diag_next(&reader, &record);
        if (item == SOCK_DIAG_END || item == SOCK_DIAG_BROKEN)
            return 0;
        if (item != SOCK_DIAG_RECORD)
            continue;
        uint8_t request[SOCK_DIAG_REQUEST_MAX];
        if (sock_diag_fin(&record) == SOCK_FIN_UNKNOWN)
            sock_diag_find_request(request, sequence, &record.name, record.cookie);
    }
}
