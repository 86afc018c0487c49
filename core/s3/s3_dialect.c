#include "core/s3/s3_dialect.h"

#include "core/s3/s3_xml.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *domain;
    struct s3_dialect dialect;
} stores[] = {
    {"r2.cloudflarestorage.com", {.missing = S3_TAGGING, .region = "auto"}},
    {"storage.googleapis.com", {.missing = S3_CONDITION | S3_CHECKSUM | S3_TAGGING}},
};

/* What stores call them in their refusals; in the order in which they are guessed. */
static const struct {
    unsigned part;
    const char *words[3];
    const char *name;
} parts[] = {
    {S3_TAGGING, {"tagging", "object tags", "x-amz-tag"}, "tags (x-amz-tagging)"},
    {S3_CHECKSUM, {"x-amz-checksum", "x-amz-sdk-checksum", "checksum algorithm"},
        "checksums (x-amz-checksum-sha256)"},
    {S3_CONDITION, {"if-none-match", "conditional", "precondition"},
        "conditional writes (If-None-Match)"},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

struct s3_dialect s3_dialect_of(const char *host)
{
    size_t length = strcspn(host, ":");
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        size_t domain = strlen(stores[i].domain);
        bool ends = length >= domain && !strncmp(host + length - domain, stores[i].domain, domain);
        if (ends && (length == domain || host[length - domain - 1] == '.'))
            return stores[i].dialect;
    }
    return (struct s3_dialect){0};
}

static bool names(const struct s3_fault *fault, const char *const *words)
{
    for (size_t i = 0; i < 3; i++)
        if (strcasestr(fault->message, words[i]) || strcasestr(fault->argument, words[i]))
            return true;
    return false;
}

unsigned s3_dialect_learn(unsigned sent, int status, const struct s3_fault *fault, bool *guessed)
{
    static const char *const codes[] = {"NotImplemented", "XNotImplemented", "InvalidArgument",
        "InvalidRequest", "ExcessHeaderValues", "UnsupportedHeader", "NotSupported"};
    bool unknown = status == 501;
    *guessed = false;
    for (size_t i = 0; status >= 400 && i < sizeof codes / sizeof codes[0]; i++)
        unknown = unknown || !strcmp(fault->code, codes[i]);
    for (size_t i = 0; unknown && i < PARTS; i++)
        if ((sent & parts[i].part) && names(fault, parts[i].words))
            return parts[i].part;
    bool other = *fault->argument || strcasestr(fault->message, "x-amz-");
    for (size_t i = 0; status == 501 && !other && i < PARTS; i++) {
        *guessed = (sent & parts[i].part) != 0;
        if (*guessed)
            return parts[i].part;
    }
    return 0;
}

unsigned s3_dialect_settle(
    struct s3_dialect *dialect, unsigned sent, unsigned left_out, unsigned guessed)
{
    unsigned sure = left_out & (~guessed | dialect->suspected) & ~dialect->missing;
    dialect->suspected = ((dialect->suspected & ~sent) | (left_out & guessed)) & ~sure;
    dialect->missing |= sure;
    return sure;
}

const char *s3_dialect_name(unsigned part)
{
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].part == part)
            return parts[i].name;
    return "";
}
