/* An incident's folder as anybody may have left it, to the page: incident.json, metrics.csv and a
 * profile, with a line "--" between them; the profile is each profile that the incident lists and
 * that of the baseline. The page must be whole and have no element that is not ours, and the
 * analysis must be read back. */
#include "core/incident.h"
#include "review/analysis/analysis.h"
#include "review/evidence/evidence.h"
#include "review/page/report.h"

#include "core/buf.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
    const char *data;
    size_t size;
};

struct folder {
    struct part incident, metrics, profile;
};

static struct part take(struct part *rest)
{
    static const char line[] = "\n--\n";
    char *end = memmem(rest->data, rest->size, line, sizeof line - 1);
    struct part part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = end ? part.size + sizeof line - 1 : part.size;
    rest->data += used;
    rest->size -= used;
    return part;
}

static int read_file(void *arg, const char *name, size_t max, struct buf *buf, struct error *err)
{
    const struct folder *folder = arg;
    const struct part *part = !strcmp(name, "incident.json") ? &folder->incident
                              : !strcmp(name, "metrics.csv") ? &folder->metrics
                                                             : &folder->profile;
    buf_init(buf, max);
    return buf_append(buf, part->data, part->size) < 0 ? error_set(err, "too large") : 0;
}

static void must_be_whole(const struct buf *page)
{
    static const char end[] = "</html>\n";
    if (page->size < sizeof end || strcmp(page->data + page->size - (sizeof end - 1), end) != 0)
        abort();
    size_t scripts = 0;
    for (const char *at = strstr(page->data, "<script"); at; at = strstr(at + 1, "<script"))
        scripts++;
    /* Ours: two, and what the flame graphs bring as data. */
    if (scripts < 2 || scripts > 10 || strstr(page->data, "<img") || strstr(page->data, "<iframe"))
        abort();
}

static void must_be_read_back(const struct folder *folder, const struct evidence *evidence)
{
    struct buf text;
    struct error err;
    buf_init(&text, folder->incident.size + 1);
    buf_append(&text, folder->incident.data, folder->incident.size);
    char *rewritten = analysis_rewrite(&text, evidence, &err);
    if (!rewritten)
        abort();
    struct incident *again = incident_from_text(rewritten, strlen(rewritten), &err);
    if (!again)
        abort();
    incident_free(again);
    free(rewritten);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part rest = {(const char *)data, size};
    struct folder folder = {.incident = take(&rest)};
    folder.metrics = take(&rest);
    folder.profile = rest;
    const struct evidence_place place = {read_file, &folder};
    const struct evidence_limits limits = {.inflated_bytes = 1 << 18};
    struct error err;
    struct evidence *evidence = evidence_read(&place, &place, &limits, &err);
    if (!evidence)
        return 0;
    struct buf page;
    buf_init(&page, REPORT_MAX);
    analysis_run(evidence);
    report_write(&page, evidence, NULL);
    must_be_whole(&page);
    must_be_read_back(&folder, evidence);
    buf_free(&page);
    evidence_free(evidence);
    return 0;
}
