#include "core/incident.h"
#include "exporters/notice.h"
#include "exporters/notice_text.h"

#include <stdlib.h>
#include <string.h>

/* https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a message has at most 256 KiB, a
 * subject at most 100 characters, of printable ASCII. */
enum { MESSAGE_MAX = 200 * 1024, SUBJECT_MAX = 100 };

/* A line that begins with what it is about, unless there is nothing to say. */
static void put_line(struct buf *out, const char *about, const struct notice *notice,
    bool (*put)(struct buf *out, enum notice_style style, const struct notice *notice))
{
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    if (put(&text, NOTICE_PLAIN, notice))
        buf_printf(out, "%s: %s\n", about, text.data);
    buf_free(&text);
}

static void put_grown(struct buf *out, const struct notice *notice)
{
    const struct incident_function *grown[NOTICE_GROWN_MAX];
    size_t count = notice_grown(notice, grown);
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i ? "  " : "Grew most:\n  ");
        notice_put_function(out, NOTICE_PLAIN, grown[i]);
        buf_puts(out, "\n");
    }
}

static void put_links(struct buf *out, const struct notice *notice)
{
    if (notice->review_url)
        buf_printf(out, "Review: %s\n", notice->review_url);
    if (notice->report_url) {
        buf_printf(out, "Report: %s\n", notice->report_url);
        buf_puts(out, "  (that link ends at ");
        notice_put_time(out, NOTICE_PLAIN, notice->report_expires_ms, 0);
        buf_puts(out, ")\n");
    }
    if (notice->stored)
        buf_printf(out, "Stored: %s\n", notice->stored);
}

char *notice_plain(const struct notice *notice)
{
    struct buf out;
    buf_init(&out, MESSAGE_MAX);
    notice_put_title(&out, NOTICE_PLAIN, notice);
    buf_puts(&out, "\n\n");
    notice_put_headline(&out, NOTICE_PLAIN, notice);
    buf_puts(&out, "\n\n");
    put_line(&out, "Suspect", notice, notice_put_suspect);
    put_grown(&out, notice);
    put_line(&out, "How often", notice, notice_put_often);
    put_links(&out, notice);
    notice_put_facts(&out, NOTICE_PLAIN, notice);
    buf_puts(&out, "\n");
    return buf_take(&out);
}

/* An arrow becomes "->", all else that is not ASCII "?". */
char *notice_subject(const struct notice *notice)
{
    static const char arrow[] = "→";
    struct buf title, subject;
    buf_init(&title, MESSAGE_MAX);
    buf_init(&subject, SUBJECT_MAX);
    notice_put_title(&title, NOTICE_PLAIN, notice);
    for (const char *at = title.data; *at; at++) {
        bool is_arrow = !strncmp(at, arrow, strlen(arrow));
        bool follows = ((unsigned char)*at & 0xc0) == 0x80; /* of a character that has its "?" */
        if (!follows && buf_puts(&subject, is_arrow     ? "->"
                                           : *at & 0x80 ? "?"
                                                        : (char[]){*at, 0}) < 0)
            break;
    }
    buf_free(&title);
    return buf_take(&subject);
}
