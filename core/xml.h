/* Reads the XML that AWS and stores like S3 answer with, element by element, on expat. Bounded in
 * size, depth and each text; document types (and with them entities) are refused. */
#ifndef CORE_XML_H
#define CORE_XML_H

#include <stddef.h>

struct error;
struct xml;

enum { XML_NAME_SIZE = 64 }; /* with the NUL; longer names are refused */

/* An element below the outermost ended; text is its own. xml_refuse may be called in it. */
typedef void xml_ended(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text);

/* Calls `ended` for every element but the outermost, whose name goes to root ("" when there was
 * none). -1 and err when it is no XML that can be read to its end; what came before has been told
 * then. */
int xml_read(const char *text, size_t size, char root[XML_NAME_SIZE], xml_ended *ended, void *arg,
    struct error *err);

/* Ends the reading with an error; `why` is a literal. */
void xml_refuse(struct xml *xml, const char *why);

/* Text for a log or a sentence: cut to what fits, without control characters and halves of UTF-8
 * characters. */
void xml_copy_text(char *to, size_t size, const char *from);

#endif
