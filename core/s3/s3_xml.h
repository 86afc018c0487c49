/* The XML that S3 answers with: pages of a listing, and errors. */
#ifndef CORE_S3_XML_H
#define CORE_S3_XML_H

#include <stddef.h>

struct error;
struct s3_entry;

/* One page of ListObjectsV2: keys and, with a delimiter, common prefixes, in the page's order. */
struct s3_page {
    struct s3_entry *entries;
    size_t count;
    char *next; /* continuation token of the next page; NULL: this was the last */
};

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html; keys are decoded when the
 * answer says that they are URL-encoded. -1 and err when it is no such answer. */
int s3_xml_page(const char *xml, size_t size, struct s3_page *page, struct error *err);
void s3_page_free(struct s3_page *page);

/* What an error answer says, "" for what it does not; longer texts are cut.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
struct s3_fault {
    char code[64];
    char message[256];
    char region[64];
    char endpoint[256];
    char argument[64]; /* the argument or header that it is about */
};

/* Whatever can be made out, also of an answer that is cut: no answer is an error here. */
void s3_xml_fault(const char *xml, size_t size, struct s3_fault *fault);

/* The name of the outermost element, "" when there is none that fits. */
void s3_xml_root(const char *xml, size_t size, char *root, size_t root_size);

/* The text of the first element of this name below the outermost. The caller frees; NULL: there is
 * none, or no XML that can be read. */
char *s3_xml_text(const char *xml, size_t size, const char *name);

/* Of a page of ListMultipartUploads, the id of the first upload of this key. The caller frees;
 * NULL: there is none.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
char *s3_xml_upload(const char *xml, size_t size, const char *key);

#endif
