#include "core/alloc.h"
#include "core/incident.h"
#include "core/json_text.h"
#include "exporters/notice.h"
#include "exporters/notice_text.h"

#include <stdlib.h>
#include <string.h>

/* https://api.slack.com/reference/block-kit/blocks: a header takes 150 characters, a section's text
 * 3,000. They are of what is sent, so escapes count; bytes are never fewer. */
enum { HEADER_MAX = 150, SECTION_MAX = 3000, TEXT_MAX = 64 * 1024 };

static void add_block(json_t *blocks, const char *type, const char *text_type, const char *text)
{
    json_array_append_new(blocks, json_pack("{s:s, s:{s:s, s:o}}", "type", type, "text", "type",
                                      text_type, "text", json_text(text)));
}

static void add_section(json_t *blocks, const struct buf *text)
{
    if (text->size && text->size <= SECTION_MAX)
        add_block(blocks, "section", "mrkdwn", text->data);
}

/* Plain text: what looks like markup in it is none. */
static void add_title(json_t *blocks, const struct notice *notice)
{
    struct buf title, cut;
    buf_init(&title, TEXT_MAX);
    buf_init(&cut, TEXT_MAX);
    notice_put_title(&title, NOTICE_PLAIN, notice);
    bool has_escapes = title.data[strcspn(title.data, "&<>")];
    notice_put(&cut, NOTICE_PLAIN, title.data, has_escapes ? HEADER_MAX / 6 : HEADER_MAX);
    buf_clear(&title);
    notice_put(&title, NOTICE_SLACK, cut.data, HEADER_MAX);
    add_block(blocks, "header", "plain_text", title.data);
    buf_free(&title);
    buf_free(&cut);
}

static void add_headline(json_t *blocks, const struct notice *notice)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    notice_put_headline(&text, NOTICE_SLACK, notice);
    add_block(blocks, "section", "plain_text", text.data);
    buf_free(&text);
}

static void add_part(json_t *blocks, const char *about, const struct notice *notice,
    bool (*put)(struct buf *out, enum notice_style style, const struct notice *notice))
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_printf(&text, "*%s*\n", about);
    if (put(&text, NOTICE_SLACK, notice))
        add_section(blocks, &text);
    buf_free(&text);
}

static void add_grown(json_t *blocks, const struct notice *notice)
{
    const struct incident_function *grown[NOTICE_GROWN_MAX];
    size_t count = notice_grown(notice, grown);
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&text, i ? "\n• " : "*Grew most*\n• ");
        notice_put_function(&text, NOTICE_SLACK, grown[i]);
    }
    add_section(blocks, &text);
    buf_free(&text);
}

/* What would end the link early is percent-encoded. */
static void put_link(struct buf *out, const char *url, const char *label)
{
    buf_puts(out, "<");
    for (; *url; url++) {
        if (*url == '&')
            buf_puts(out, "&amp;");
        else if ((unsigned char)*url <= ' ' || strchr("<>|\"\x7f", *url))
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*url);
        else
            buf_append(out, url, 1);
    }
    buf_printf(out, "|%s>", label);
}

static void add_links(json_t *blocks, const struct notice *notice)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (notice->review_url) {
        put_link(&text, notice->review_url, "Look at it");
        add_section(blocks, &text);
        buf_clear(&text);
    }
    if (notice->report_url) {
        put_link(&text, notice->report_url, "Open the report");
        buf_puts(&text, " (that link ends at ");
        notice_put_time(&text, NOTICE_SLACK, notice->report_expires_ms, 0);
        buf_puts(&text, ")");
        if (text.size > SECTION_MAX) { /* Slack would refuse the whole message */
            buf_clear(&text);
            buf_puts(&text, "The link to the report is too long for Slack.");
        }
        add_section(blocks, &text);
    }
    buf_free(&text);
}

static void add_facts(json_t *blocks, const struct notice *notice)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    notice_put_facts(&text, NOTICE_SLACK, notice);
    if (notice->stored) {
        buf_puts(&text, " · stored in ");
        notice_put(&text, NOTICE_SLACK, notice->stored, SECTION_MAX / 5);
    }
    if (text.size <= SECTION_MAX)
        json_array_append_new(
            blocks, json_pack("{s:s, s:[{s:s, s:o}]}", "type", "context", "elements", "type",
                        "mrkdwn", "text", json_text(text.data)));
    buf_free(&text);
}

char *notice_slack(const struct notice *notice)
{
    json_t *blocks = json_array();
    struct buf summary; /* what a phone shows */
    buf_init(&summary, TEXT_MAX);
    notice_put_title(&summary, NOTICE_SLACK, notice);
    buf_puts(&summary, ": ");
    notice_put_headline(&summary, NOTICE_SLACK, notice);
    add_title(blocks, notice);
    add_headline(blocks, notice);
    add_part(blocks, "Suspect", notice, notice_put_suspect);
    add_grown(blocks, notice);
    add_part(blocks, "How often", notice, notice_put_often);
    add_links(blocks, notice);
    add_facts(blocks, notice);
    json_t *message = json_pack("{s:o, s:o, s:b, s:b}", "text", json_text(summary.data), "blocks",
        blocks, "unfurl_links", false, "unfurl_media", false);
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    buf_free(&summary);
    if (!text)
        abort(); /* out of memory */
    return text;
}
