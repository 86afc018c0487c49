/* The report of a crash as anybody may have left it in the state folder, and the notes of a
 * library. */
#include "agent/self/crash_report.h"
#include "core/crash_text.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct crash_report report;
    uint8_t id[CRASH_BUILD_ID_SIZE];
    if (crash_build_id(data, size, 4, id) > sizeof id ||
        crash_build_id(data, size, 8, id) > sizeof id)
        abort();
    if (crash_report_parse((const char *)data, size, &report, &err) < 0)
        return 0;
    struct buf out;
    buf_init(&out, 4096);
    crash_report_describe(&report, &out);
    check_clean(out.data);
    for (size_t i = 0; i < report.frame_count; i++)
        check_clean(report.frames[i]);
    buf_free(&out);
    return 0;
}
