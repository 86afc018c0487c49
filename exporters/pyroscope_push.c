#include "exporters/pyroscope_push.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "core/sha256.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the fields, and the types before them on the wire: all are of a given length. */
enum {
    REQUEST_SERIES = 1,
    SERIES_LABELS = 1,
    SERIES_SAMPLES = 2,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    SAMPLE_PROFILE = 1,
    SAMPLE_ID = 2,
    WITH_LENGTH = 2
};
enum { LABELS_MAX = 8 * 1024, LABEL_MAX = 1024 }; /* bytes */

/* "heap" and "heap-end" are heaps. */
static bool is_a(const char *profile, const char *kind)
{
    size_t length = strlen(kind);
    return !strncmp(profile, kind, length) && (!profile[length] || profile[length] == '-');
}

void pyroscope_push_name(const char *profile, char name[PYROSCOPE_NAME_SIZE])
{
    static const char *const names[][2] = {{"cpu", "process_cpu"}, {"heap", "memory"},
        {"allocs", "memory"}, {"goroutine", "goroutine"}, {"mutex", "mutex"}, {"block", "block"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_a(profile, names[i][0])) {
            snprintf(name, PYROSCOPE_NAME_SIZE, "%s", names[i][1]);
            return;
        }
    }
    snprintf(
        name, PYROSCOPE_NAME_SIZE, "%s%s", isdigit((unsigned char)*profile) ? "_" : "", profile);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
}

void pyroscope_push_uuid(const char *incident_id, const char *file, char uuid[37])
{
    char hex[SHA256_HEX_SIZE];
    char *text = xasprintf("%s/%s", incident_id, file);
    sha256_hash(text, strlen(text), hex);
    free(text);
    snprintf(uuid, 37, "%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
}

bool pyroscope_push_takes(const struct incident_profile *profile)
{
    static const char end[] = ".pb.gz";
    const char *file = profile->file;
    size_t length = file ? strlen(file) : 0, end_length = sizeof end - 1;
    return profile->status == PROFILE_OK && length > end_length &&
           !strcmp(file + length - end_length, end);
}

static void put_varint(struct buf *buf, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_append(buf, &(char){(char)(value | 0x80)}, 1);
    buf_append(buf, &(char){(char)value}, 1);
}

/* What comes before a field's bytes. */
static void put_tag(struct buf *buf, unsigned field, uint64_t bytes)
{
    put_varint(buf, field << 3 | WITH_LENGTH);
    put_varint(buf, bytes);
}

static void put_text(struct buf *buf, unsigned field, const char *text)
{
    put_tag(buf, field, strlen(text));
    buf_puts(buf, text);
}

static void put_label(struct buf *labels, const char *name, const char *value)
{
    struct buf label;
    if (!value || !*value || strlen(value) > LABEL_MAX / 2)
        return;
    buf_init(&label, LABEL_MAX);
    put_text(&label, LABEL_NAME, name);
    put_text(&label, LABEL_VALUE, value);
    put_tag(labels, SERIES_LABELS, label.size);
    buf_append(labels, label.data, label.size);
    buf_free(&label);
}

/* __delta__ is what /ingest of Pyroscope gives profiles that are none of a sequence. Those of a
 * moment go without: what they say of all time (alloc_space) is left out then by servers that count
 * from one profile of a series to the next (1.x), instead of being shown as of that moment. */
static void put_labels(
    struct buf *labels, const struct incident *incident, const struct incident_profile *profile)
{
    char name[PYROSCOPE_NAME_SIZE];
    pyroscope_push_name(profile->name, name);
    put_label(labels, "__name__", name);
    if (!isnan(profile->seconds))
        put_label(labels, "__delta__", "false");
    put_label(labels, "service_name", incident->service);
    put_label(labels, "trigger", incident->trigger.name ? incident->trigger.name : incident->kind);
    put_label(labels, "incident", incident->id);
    put_label(labels, "container", incident->target.container);
    put_label(labels, "app", incident->app);
}

void pyroscope_push_head(const struct incident *incident, const struct incident_profile *profile,
    uint64_t profile_bytes, struct buf *head)
{
    struct buf labels, sample;
    char uuid[37];
    buf_init(&labels, LABELS_MAX);
    buf_init(&sample, 128);
    put_labels(&labels, incident, profile);
    pyroscope_push_uuid(incident->id, profile->file, uuid);
    put_text(&sample, SAMPLE_ID, uuid);
    put_tag(&sample, SAMPLE_PROFILE, profile_bytes);
    uint64_t sample_bytes = sample.size + profile_bytes;
    put_tag(&labels, SERIES_SAMPLES, sample_bytes);
    buf_init(head, LABELS_MAX + 256);
    put_tag(head, REQUEST_SERIES, labels.size + sample_bytes);
    buf_append(head, labels.data, labels.size);
    buf_append(head, sample.data, sample.size);
    buf_free(&labels);
    buf_free(&sample);
}
