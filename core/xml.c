#include "core/xml.h"

#include "core/buf.h"
#include "core/error.h"

#include <expat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The deepest that AWS answers with is below 8; its longest texts are keys of 1,024 bytes, three
 * times that when they are encoded, and session tokens, for which AWS sets no limit and gives some
 * 1 to 2 KiB. */
enum { MAX_DEPTH = 8, MAX_TEXT = 8192, MAX_SIZE = 64 << 20 };

struct xml {
    XML_Parser parser;
    char names[MAX_DEPTH][XML_NAME_SIZE]; /* the path */
    int depth;
    struct buf text;     /* of the innermost */
    const char *refusal; /* why we stopped */
    xml_ended *ended;
    void *arg;
};

void xml_refuse(struct xml *xml, const char *why)
{
    xml->refusal = why;
    XML_StopParser(xml->parser, XML_FALSE);
}

static void on_doctype(
    void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    xml_refuse(arg, "it has a document type");
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct xml *xml = arg;
    if (xml->depth == MAX_DEPTH || strlen(name) >= XML_NAME_SIZE) {
        xml_refuse(xml, "it is nested too deeply or has too long names");
        return;
    }
    strcpy(xml->names[xml->depth++], name);
    buf_clear(&xml->text);
}

static void on_text(void *arg, const XML_Char *text, int length)
{
    struct xml *xml = arg;
    if (buf_append(&xml->text, text, (size_t)length) < 0)
        xml_refuse(xml, "a text in it is too long");
}

static void on_end(void *arg, const XML_Char *name)
{
    struct xml *xml = arg;
    xml->depth--;
    if (xml->depth > 0)
        xml->ended(xml->arg, xml, xml->names[xml->depth - 1], name, xml->text.data);
    buf_clear(&xml->text);
}

int xml_read(const char *text, size_t size, char root[XML_NAME_SIZE], xml_ended *ended, void *arg,
    struct error *err)
{
    root[0] = '\0';
    if (size > MAX_SIZE)
        return error_set(err, "the answer is too large");
    struct xml xml = {.parser = XML_ParserCreate(NULL), .ended = ended, .arg = arg};
    if (!xml.parser)
        abort(); /* only for want of memory */
    buf_init(&xml.text, MAX_TEXT);
    XML_SetUserData(xml.parser, &xml);
    XML_SetElementHandler(xml.parser, on_start, on_end);
    XML_SetCharacterDataHandler(xml.parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml.parser, on_doctype);
    int status = 0;
    if (XML_Parse(xml.parser, text, (int)size, XML_TRUE) != XML_STATUS_OK)
        status = error_set(err, "the answer is no XML that can be read: %s",
            xml.refusal ? xml.refusal : XML_ErrorString(XML_GetErrorCode(xml.parser)));
    strcpy(root, xml.names[0]);
    XML_ParserFree(xml.parser);
    buf_free(&xml.text);
    return status;
}

/* Whether a byte is of a control character: U+0000 to U+001F, U+007F, and U+0080 to U+009F, which
 * are two bytes. */
static bool is_control(const char *text, size_t at)
{
    unsigned char byte = (unsigned char)text[at], next = byte ? (unsigned char)text[at + 1] : 0;
    bool second = at > 0 && (unsigned char)text[at - 1] == 0xc2 && byte >= 0x80 && byte < 0xa0;
    return byte < ' ' || byte == 0x7f || second || (byte == 0xc2 && next >= 0x80 && next < 0xa0);
}

void xml_copy_text(char *to, size_t size, const char *from)
{
    size_t length = 0;
    for (; from[length] && length + 1 < size; length++)
        to[length] = is_control(from, length) ? ' ' : from[length];
    while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
        length--; /* no half of a UTF-8 character */
    to[length] = '\0';
}
