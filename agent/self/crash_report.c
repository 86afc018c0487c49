#include "agent/self/crash_report.h"

#include "core/error.h"

#include <string.h>

static void copy_clean(char *out, size_t room, const char *text, size_t size)
{
    size_t used = 0;
    for (; used < size && used + 1 < room; used++)
        out[used] = text[used] >= ' ' && text[used] <= '~' ? text[used] : '?';
    out[used] = '\0';
}

/* "#1 libc.so.6+0x89134 (build id ...)": what stands between the blanks. */
static void take_frame(struct crash_report *report, const char *line, size_t size)
{
    const char *end = line + size, *start = memchr(line, ' ', size);
    if (!start || report->frame_count == CRASH_REPORT_FRAMES)
        return;
    start++;
    const char *blank = memchr(start, ' ', (size_t)(end - start));
    char *frame = report->frames[report->frame_count++];
    copy_clean(frame, sizeof *report->frames, start, (size_t)((blank ? blank : end) - start));
}

static void take_field(struct crash_report *report, const char *line, size_t size)
{
    struct {
        const char *name;
        char *value;
        size_t room;
    } fields[] = {
        {"version ", report->version, sizeof report->version},
        {"thread ", report->thread, sizeof report->thread},
        {"signal ", report->signal, sizeof report->signal},
        {"reason ", report->reason, sizeof report->reason},
        {"address ", report->address, sizeof report->address},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t length = strlen(fields[i].name);
        if (size >= length && !memcmp(line, fields[i].name, length))
            copy_clean(fields[i].value, fields[i].room, line + length, size - length);
    }
}

static bool begins_with(const char *line, size_t size, const char *start)
{
    return size >= strlen(start) && !memcmp(line, start, strlen(start));
}

static void take_line(struct crash_report *report, const char *line, size_t size)
{
    static const char time[] = "time ", end[] = "end complete";
    int64_t time_ms;
    if (begins_with(line, size, "#"))
        take_frame(report, line, size);
    else if (begins_with(line, size, end))
        report->complete = true;
    else if (begins_with(line, size, time)) {
        if (rfc3339_parse(line + strlen(time), size - strlen(time), &time_ms) == 0)
            report->time_ms = time_ms;
    } else {
        take_field(report, line, size);
    }
}

int crash_report_parse(
    const char *text, size_t size, struct crash_report *report, struct error *err)
{
    static const char first[] = "crash 1\n";
    *report = (struct crash_report){0};
    if (size > CRASH_REPORT_BYTES || !begins_with(text, size, first))
        return error_set(err, "it is no report of a crash");
    for (const char *at = text, *end = text + size; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line_end ? line_end : end) - at);
        take_line(report, at, length);
        at += length + 1;
    }
    return 0;
}

void crash_report_describe(const struct crash_report *report, struct buf *out)
{
    buf_puts(out, *report->signal ? report->signal : "a signal that is not known");
    if (*report->reason)
        buf_printf(out, ", %s", report->reason);
    if (*report->address)
        buf_printf(out, ", at address %s", report->address);
    if (*report->thread)
        buf_printf(out, ", in thread %s", report->thread);
    if (*report->version)
        buf_printf(out, " of stakeout %s", report->version);
}
