#include "review/page/page.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "review/page/html.h"
#include "review/page/report.h"

#include <stdlib.h>
#include <string.h>

void page_time(struct buf *out, int64_t wall_ms, bool dated)
{
    static const size_t clock_at = sizeof "2026-11-23T" - 1;
    char text[RFC3339_SIZE];
    rfc3339_format(wall_ms, text);
    text[strlen("2026-11-23T15:04:01")] = '\0';
    text[clock_at - 1] = ' ';
    buf_printf(out, "<time datetime=\"%.10sT%sZ\"%s>%s UTC</time>", text, text + clock_at,
        dated ? " data-dated" : "", dated ? text : text + clock_at);
}

void page_clipped(struct buf *out, const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length <= most) {
        html_text(out, text);
        return;
    }
    /* Not within a character. */
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    char *clipped = xstrndup(text, most);
    html_text(out, clipped);
    buf_puts(out, "\xe2\x80\xa6");
    free(clipped);
}

void page_incident(struct buf *out, const struct page *page, const char *id)
{
    const struct report_extras *extras = page->extras;
    char *link = extras->incident_link ? extras->incident_link(extras->arg, id) : NULL;
    if (link)
        html_printf(out, "<a href=\"%s\">%s</a>", link, id);
    else
        html_printf(out, "<code>%s</code>", id);
    free(link);
}

void page_profile_name(struct buf *out, const char *name)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        {"cpu", "CPU profile"},
        {"heap", "heap profile"},
        {"allocs", "allocation profile"},
        {"goroutine", "goroutine profile"},
        {"mutex", "mutex profile"},
        {"block", "block profile"},
        {"threadcreate", "thread profile"},
        {"trace", "execution trace"},
        {"goroutineleak", "goroutine leak profile"},
        {"fgprof", "wall-clock profile"},
    };
    /* One that was taken at the start as well: "heap-end". */
    static const char late[] = "-end";
    size_t length = strlen(name), end = sizeof late - 1;
    bool is_late = length > end && !strcmp(name + length - end, late);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(known[i].name, name, length - (is_late ? end : 0)) &&
            strlen(known[i].name) == length - (is_late ? end : 0)) {
            buf_puts(out, known[i].words);
            buf_puts(out, is_late ? " at the end" : "");
            return;
        }
    buf_puts(out, "profile <q>");
    page_clipped(out, name, 60);
    buf_puts(out, "</q>");
}
