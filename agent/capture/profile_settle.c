#include "agent/capture/profile_settle.h"

#include "core/alloc.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Fast: the disk is waited for by others. */
static const char mode[] = "wb1";

/* Copies all of `from` into the gzip file. */
static bool pack(int from, gzFile to)
{
    char block[65536];
    ssize_t got;
    while ((got = read(from, block, sizeof block)) > 0)
        if (gzwrite(to, block, (unsigned)got) != (int)got)
            return false;
    return got == 0;
}

/* Writes the file's content, in gzip, to another. */
static bool pack_file(const char *from_path, const char *to_path)
{
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    int to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int second = to < 0 ? -1
                        : fcntl(to, F_DUPFD_CLOEXEC,
                              3); /* gzclose closes its own before it could be synced */
    gzFile file = second < 0 ? NULL : gzdopen(second, mode);
    bool packed = from >= 0 && file && pack(from, file);
    if (file)
        packed = gzclose(file) == Z_OK && packed;
    else if (second >= 0)
        close(second);
    packed = packed && fsync(to) == 0;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return packed;
}

int profile_settle_file(
    const char *path, enum profile_form wanted, struct profile_facts *facts, struct error *err)
{
    if (profile_check_file(path, wanted, facts, err) < 0)
        return -1;
    if (facts->soundness == PROFILE_FOREIGN || !facts->plain)
        return 0;
    struct profile_facts plain = *facts;
    char *packed = xasprintf("%s-packed", path);
    bool kept = pack_file(path, packed) && rename(packed, path) == 0;
    if (!kept)
        unlink(packed);
    free(packed);
    if (!kept) /* on a disk that is full, say: readers take it as it came */
        return 0;
    int status = profile_check_file(path, wanted, facts, err);
    if (status == 0 && plain.soundness == PROFILE_CUT) {
        facts->soundness = PROFILE_CUT; /* the gzip is whole, what is inside is not */
        memcpy(facts->why, plain.why, sizeof facts->why);
        facts->form = PROFILE_FORM_PPROF;
        facts->duration_ns = plain.duration_ns;
    }
    return status;
}
