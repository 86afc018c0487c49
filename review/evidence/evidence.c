#include "review/evidence/evidence.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "core/metric.h"
#include "core/sha256.h"
#include "review/evidence/evidence_metrics.h"
#include "review/profile/gzip_size.h"
#include "review/profile/profile.h"

#include <stdlib.h>
#include <string.h>

/* A compressed file of this size is far over what any reader may inflate. */
static const size_t profile_file_max = (size_t)64 << 20;

struct reading {
    struct evidence *evidence;
    const struct evidence_place *place;
    const struct evidence_place *baseline;
    size_t budget; /* inflated bytes that are left */
};

static struct incident *read_incident(const struct evidence_place *place, struct error *err)
{
    struct buf text;
    struct incident *incident = NULL;
    if (place->read(place->arg, "incident.json", INCIDENT_TEXT_MAX, &text, err) == 0)
        incident = incident_from_text(text.data, text.size, err);
    buf_free(&text);
    return incident;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* Whether the file may be a pprof profile; else err says what it is. */
static int check_kind(const struct incident_profile *listed, struct error *err)
{
    if (listed->status == PROFILE_FAILED)
        return error_set(err, "%s",
            listed->error ? listed->error : "it could not be taken, and nothing says why");
    if (listed->status == PROFILE_PENDING || !listed->file)
        return error_set(err, "it was never finished: there is no file");
    if (ends_with(listed->file, ".txt"))
        return error_set(err, "it is text and no pprof profile: it is stored, and not analysed");
    if (ends_with(listed->file, ".trace"))
        return error_set(err,
            "it is an execution trace and no pprof profile: it is stored, and not "
            "analysed; `go tool trace` shows it");
    if (ends_with(listed->file, ".bin") ||
        (ends_with(listed->file, ".gz") && !ends_with(listed->file, ".pb.gz")))
        return error_set(err, "it is no pprof profile: it is stored as it came, and not analysed");
    return 0;
}

static int say_too_large(const char *name, size_t bytes, size_t budget, struct error *err)
{
    char has[VALUE_TEXT_SIZE], may[VALUE_TEXT_SIZE];
    metric_format(UNIT_BYTES, (double)budget, may);
    return error_set(err,
        "the profile %s (%s inflated) is too large to analyse here%s%s; `stakeout report DIR` or "
        "`stakeout review` on a larger machine does it",
        name, metric_format(UNIT_BYTES, (double)bytes, has), budget ? " within " : "",
        budget ? may : "");
}

/* Whether it has more than is left, before memory is taken for it. What the file says of itself is
 * believed only as far as it bears out: a damaged one may say anything. */
static bool is_too_large(
    const struct reading *reading, const struct buf *file, const char *name, struct error *err)
{
    size_t said = gzip_size_said(file->data, file->size);
    if (said <= reading->budget)
        return false;
    size_t found = gzip_size_found(file->data, file->size, reading->budget);
    if (found <= reading->budget)
        return false;
    say_too_large(name, said, reading->budget, err);
    return true;
}

static struct profile *decode(struct reading *reading, const struct buf *file, const char *name,
    bool *too_large, struct error *err)
{
    *too_large = is_too_large(reading, file, name, err);
    if (*too_large)
        return NULL;
    struct profile *profile = profile_decode(file->data, file->size, reading->budget, err);
    if (profile) {
        reading->budget -= profile->inflated_bytes;
        return profile;
    }
    size_t found = gzip_size_found(file->data, file->size, reading->budget);
    *too_large = found > reading->budget;
    if (*too_large)
        say_too_large(name, found, reading->budget, err);
    return NULL;
}

/* Whether it is the file that was captured, as far as incident.json tells. */
static int check_whole(
    const struct incident_profile *listed, const struct buf *file, struct error *err)
{
    char sha256[SHA256_HEX_SIZE];
    if (listed->bytes > 0 && file->size != listed->bytes)
        return error_set(err, "it has %zu bytes, and %llu were stored", file->size,
            (unsigned long long)listed->bytes);
    if (!*listed->sha256)
        return 0;
    sha256_hash(file->data, file->size, sha256);
    return strcmp(sha256, listed->sha256) == 0
               ? 0
               : error_set(err, "it is not what was stored: its SHA-256 is another one");
}

/* A damaged one may tell something yet. */
static void read_own(struct reading *reading, const struct incident_profile *listed,
    struct evidence_profile *profile)
{
    struct buf file;
    if (check_kind(listed, &profile->problem) < 0)
        return;
    profile->state = EVIDENCE_UNREAD;
    if (reading->place->read(
            reading->place->arg, listed->file, profile_file_max, &file, &profile->problem) == 0) {
        int status = check_whole(listed, &file, &profile->damage);
        profile->profile = decode(
            reading, &file, listed->name, &profile->too_large, &profile->problem);
        bool decodes = profile->profile || profile->too_large;
        profile->state = status == 0 && decodes ? EVIDENCE_WHOLE : EVIDENCE_DAMAGED;
    }
    buf_free(&file);
    if (!profile->profile && !profile->too_large && !*profile->damage.text)
        profile->damage = profile->problem;
}

static struct profile *read_base_file(
    struct reading *reading, const struct incident_profile *listed, struct error *err)
{
    bool too_large;
    if (check_kind(listed, err) < 0)
        return NULL;
    struct buf file;
    struct profile *profile = NULL;
    const struct evidence_place *place = reading->baseline;
    if (place->read(place->arg, listed->file, profile_file_max, &file, err) == 0)
        profile = decode(reading, &file, listed->name, &too_large, err);
    buf_free(&file);
    return profile;
}

static void read_base(struct reading *reading, struct evidence_profile *profile)
{
    if (!reading->evidence->baseline || !profile->profile)
        return;
    const struct incident_profile *listed = incident_find_profile(
        reading->evidence->baseline, profile->name);
    if (listed)
        profile->base = read_base_file(reading, listed, &profile->no_base);
    else
        error_set(&profile->no_base, "the baseline has no profile %s", profile->name);
}

static void read_profiles(struct reading *reading)
{
    struct evidence *evidence = reading->evidence;
    const struct incident *incident = evidence->incident;
    if (incident->profile_count > 0)
        evidence->profiles = xcalloc(incident->profile_count, sizeof *evidence->profiles);
    for (size_t i = 0; i < incident->profile_count; i++) {
        struct evidence_profile *profile = &evidence->profiles[evidence->profile_count++];
        profile->name = incident->profiles[i].name;
        profile->listed = i;
        read_own(reading, &incident->profiles[i], profile);
        read_base(reading, profile);
    }
}

static int check_baseline(const struct evidence *evidence, struct error *err)
{
    if (!strcmp(evidence->baseline->service, evidence->incident->service))
        return 0;
    return error_set(err, "the baseline is one of another service");
}

static void read_baseline(struct reading *reading)
{
    struct evidence *evidence = reading->evidence;
    const struct incident *incident = evidence->incident;
    struct error *why = &evidence->no_baseline;
    if (reading->baseline) {
        evidence->baseline = read_incident(reading->baseline, why);
        if (evidence->baseline && check_baseline(evidence, why) < 0) {
            incident_free(evidence->baseline);
            evidence->baseline = NULL;
        } else if (!evidence->baseline) {
            error_prefix(why, "the baseline cannot be read");
        }
    } else if (incident->kind && !strcmp(incident->kind, "baseline")) {
        error_set(why, "this is a baseline itself");
    } else if (incident->baseline) {
        error_set(why, "the baseline %s is not stored beside it", incident->baseline);
    } else {
        error_set(why, "there was no baseline yet when this was captured");
    }
}

static void read_metrics(struct reading *reading)
{
    struct evidence *evidence = reading->evidence;
    const char *name = evidence->incident->metrics_file;
    struct buf file;
    if (!name) {
        error_set(&evidence->no_metrics, "the incident has no metrics");
        series_set_init(&evidence->metrics, 1);
        return;
    }
    int status = reading->place->read(
        reading->place->arg, name, EVIDENCE_METRICS_MAX, &file, &evidence->no_metrics);
    if (status == 0)
        evidence_metrics_read(&evidence->metrics, &file, name, &evidence->no_metrics);
    else
        series_set_init(&evidence->metrics, 1);
    buf_free(&file);
}

struct evidence *evidence_read(const struct evidence_place *place,
    const struct evidence_place *baseline, const struct evidence_limits *limits, struct error *err)
{
    struct incident *incident = read_incident(place, err);
    if (!incident)
        return NULL;
    struct evidence *evidence = xcalloc(1, sizeof *evidence);
    struct reading reading = {
        .evidence = evidence,
        .place = place,
        .baseline = baseline,
        .budget = limits->inflated_bytes,
    };
    evidence->incident = incident;
    read_metrics(&reading);
    read_baseline(&reading);
    read_profiles(&reading);
    evidence->inflated_bytes = limits->inflated_bytes - reading.budget;
    return evidence;
}

void evidence_free(struct evidence *evidence)
{
    if (!evidence)
        return;
    for (size_t i = 0; i < evidence->profile_count; i++) {
        profile_free(evidence->profiles[i].profile);
        profile_free(evidence->profiles[i].base);
    }
    free(evidence->profiles);
    series_set_free(&evidence->metrics);
    incident_free(evidence->baseline);
    incident_free(evidence->incident);
    free(evidence);
}

const struct evidence_profile *evidence_profile(const struct evidence *evidence, const char *name)
{
    for (size_t i = 0; i < evidence->profile_count; i++)
        if (evidence->profiles[i].profile && !strcmp(evidence->profiles[i].name, name))
            return &evidence->profiles[i];
    return NULL;
}
