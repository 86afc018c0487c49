#include "exporters/s3.h"

#include "core/alloc.h"
#include "core/aws/aws_plan.h"
#include "core/error.h"
#include "core/log.h"
#include "core/offload.h"
#include "core/s3/s3_presign.h"
#include "core/s3/s3_record.h"
#include "core/s3/s3_upload.h"
#include "core/s3/s3_who.h"
#include "core/sha256.h"
#include "exporters/exporter.h"
#include "exporters/s3_claims.h"
#include "exporters/s3_leftovers.h"
#include "exporters/s3_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct linking {
    struct s3_exporter *exporter;
    struct s3_presigning *presigning;
    void (*done)(void *arg, const struct link_result *result);
    void *arg;
};

struct s3_exporter {
    struct exporter_names names;
    struct s3 *s3;
    struct offload *disk;
    char *prefix;
    struct sending *running;
    struct recalling *recalling;
    struct s3_leftovers *leftovers;
    struct linking *linking;
    struct identifying *identifying;
    struct s3_claims *claims;
};

/* One send: hashed on the disk's thread, then put from the loop. While it is being hashed it
 * belongs to the thread's job and outlives a close. */
struct sending {
    struct s3_exporter *exporter; /* NULL: nobody waits any more */
    char *path, *key, *content_type;
    bool only_new;
    int fd;
    uint64_t size;
    char sha256[SHA256_HEX_SIZE];
    struct error err;
    struct s3_request *put;   /* whole */
    struct s3_upload *upload; /* or in parts; it has the file then */
    void (*done)(void *arg, const struct send_result *result);
    void *arg;
};

/* One recall. */
struct recalling {
    struct s3_exporter *exporter;
    struct s3_request *get;
    void (*done)(void *arg, const struct recall_result *result);
    void *arg;
};

char *s3_exporter_prefix(const struct s3_exporter_options *options)
{
    const char *prefix = options->prefix ? options->prefix : "";
    prefix += strspn(prefix, "/");
    size_t length = strlen(prefix);
    while (length > 0 && prefix[length - 1] == '/')
        length--;
    return xstrndup(prefix, length);
}

struct s3_settings s3_exporter_settings(
    const struct s3_exporter_options *options, const char *prefix)
{
    bool otherwise = options->endpoint != NULL;
    return (struct s3_settings){
        .bucket = options->bucket,
        .region = options->region,
        .endpoint = options->endpoint,
        .path_style = options->path_style == S3_PATH_STYLE_AUTO
                          ? otherwise
                          : options->path_style == S3_PATH_STYLE_ON,
        .ca_file = options->ca_file,
        .insecure = !options->verify,
        .prefix = prefix,
        .role = options->role,
        .external_id = options->external_id,
        .dualstack = options->dualstack,
        .fips = options->fips,
        .expected_bucket_owner = options->expected_bucket_owner,
        .encryption = options->encryption.algorithm,
        .kms_key = options->encryption.kms_key,
        .storage_class = options->storage_class,
        .tags = s3_options_texts(&options->tags),
        .metadata = s3_options_texts(&options->metadata),
    };
}

/* The same bucket name at another store is another bucket. */
static char *identity_of(const struct s3_exporter_options *options, const char *label)
{
    if (options->endpoint)
        return xasprintf("%s at %s", label, options->endpoint);
    return xasprintf(
        "%s at AWS%s%s", label, options->region ? " " : "", options->region ? options->region : "");
}

static void *open_s3(const struct exporter_setup *setup, struct error *err)
{
    const struct s3_exporter_options *options = setup->options;
    char *prefix = s3_exporter_prefix(options);
    struct s3_settings settings = s3_exporter_settings(options, prefix);
    char *session_name = xasprintf("stakeout-%s", setup->service);
    settings.session_name = session_name;
    settings.announce = !setup->quiet;
    struct s3 *s3 = s3_open(setup->loop, &settings, err);
    free(session_name);
    if (!s3) {
        free(prefix);
        return NULL;
    }
    struct s3_exporter *exporter = xcalloc(1, sizeof *exporter);
    exporter->s3 = s3;
    exporter->disk = setup->disk;
    exporter->prefix = prefix;
    exporter->claims = s3_claims_open(s3);
    exporter->names.label = xasprintf("s3://%s%s%s", options->bucket, *prefix ? "/" : "", prefix);
    exporter->names.identity = identity_of(options, exporter->names.label);
    exporter->leftovers = s3_leftovers_open(s3, setup->loop, exporter->names.identity);
    if (!options->verify)
        log_warn("%s: verify is off, so anybody on the way can read and change what is sent; "
                 "ca_file trusts a store's own authority instead",
            exporter->names.label);
    if (options->encryption.kms_key && aws_plan_is_example(options->encryption.kms_key))
        log_warn("%s: %s is an example and no KMS key, so nothing can be stored: write the key's "
                 "ARN into encryption",
            exporter->names.label, options->encryption.kms_key);
    return exporter;
}

static void free_sending(struct sending *sending)
{
    if (sending->fd >= 0)
        close(sending->fd);
    free(sending->path);
    free(sending->key);
    free(sending->content_type);
    free(sending);
}

static void finish(struct sending *sending, const struct send_result *result)
{
    sending->exporter->running = NULL;
    sending->done(sending->arg, result);
    free_sending(sending);
}

static void put_done(void *arg, const struct s3_result *s3_result)
{
    static const enum send_outcome outcomes[] = {
        [S3_OK] = SEND_STORED, [S3_RETRY] = SEND_RETRY, [S3_REFUSED] = SEND_FAILED};
    struct send_result result = {
        .outcome = outcomes[s3_result->outcome], .retry_after_ms = s3_result->retry_after_ms};
    /* An earlier try stored it, whose answer was lost: nobody else has this incident's id. */
    if (s3_result->exists)
        result.outcome = SEND_STORED;
    else
        snprintf(result.reason, sizeof result.reason, "%s", s3_result->reason);
    finish(arg, &result);
}

/* On the disk's thread. */
static void hash(void *arg)
{
    struct sending *sending = arg;
    struct stat status;
    sending->fd = open(sending->path, O_RDONLY | O_CLOEXEC);
    if (sending->fd < 0 || fstat(sending->fd, &status) < 0) {
        error_set(&sending->err, "cannot open %s: %s", sending->path, strerror(errno));
        return;
    }
    sending->size = (uint64_t)status.st_size;
    if (sending->size > S3_PART_BYTES)
        return; /* part by part, later */
    if (sha256_file(sending->fd, sending->sha256, &sending->size, &sending->err) < 0)
        error_prefix(&sending->err, "%s", sending->path);
}

static void put(struct sending *sending)
{
    sending->put = s3_put(sending->exporter->s3,
        &(struct s3_object){.key = sending->key,
            .fd = sending->fd,
            .size = sending->size,
            .sha256 = sending->sha256,
            .content_type = sending->content_type,
            .only_new = sending->only_new},
        put_done, sending);
}

/* What is replaced has no folder of its own for a record, and a newer version soon. */
static void upload(struct sending *sending)
{
    struct s3_exporter *exporter = sending->exporter;
    char *record = sending->only_new ? s3_leftovers_record(exporter->names.identity, sending->path)
                                     : NULL;
    sending->upload = s3_upload_start(&(struct s3_upload_setup){.s3 = exporter->s3,
        .disk = exporter->disk,
        .key = sending->key,
        .content_type = sending->content_type,
        .fd = sending->fd,
        .size = sending->size,
        .only_new = sending->only_new,
        .record = record,
        .done = put_done,
        .arg = sending});
    sending->fd = -1;
    free(record);
}

static void hashed(void *arg)
{
    struct sending *sending = arg;
    if (!sending->exporter) {
        free_sending(sending);
    } else if (sending->err.text[0]) {
        struct send_result result = {.outcome = SEND_FAILED};
        snprintf(result.reason, sizeof result.reason, "%s", sending->err.text);
        finish(sending, &result);
    } else if (sending->size > S3_PART_BYTES) {
        upload(sending);
    } else {
        put(sending);
    }
}

static char *full_key(const struct s3_exporter *exporter, const char *key)
{
    const char *prefix = exporter->prefix;
    return xasprintf("%s%s%s", prefix, *prefix ? "/" : "", key);
}

static void send_artifact(void *self, const struct artifact *artifact,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct s3_exporter *exporter = self;
    struct sending *sending = xcalloc(1, sizeof *sending);
    sending->exporter = exporter;
    sending->path = xstrdup(artifact->path);
    sending->key = full_key(exporter, artifact->key);
    sending->content_type = xstrdup(artifact->content_type);
    sending->only_new = !artifact->replaces;
    sending->fd = -1;
    sending->done = done;
    sending->arg = arg;
    exporter->running = sending;
    offload_submit(exporter->disk, hash, hashed, sending);
}

static enum recall_outcome recalled(const struct s3_result *result)
{
    if (result->outcome == S3_OK)
        return RECALL_FOUND;
    if (result->missing)
        return RECALL_NONE;
    return result->denied ? RECALL_FORBIDDEN : RECALL_FAILED;
}

static void get_done(void *arg, const struct s3_result *s3_result)
{
    struct recalling *recalling = arg;
    struct recall_result result = {.outcome = recalled(s3_result),
        .data = s3_result->body->data,
        .size = s3_result->body->size};
    if (result.outcome != RECALL_NONE)
        snprintf(result.reason, sizeof result.reason, "%s", s3_result->reason);
    recalling->exporter->recalling = NULL;
    recalling->done(recalling->arg, &result);
    free(recalling);
}

static void recall(void *self, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    struct s3_exporter *exporter = self;
    struct recalling *recalling = xcalloc(1, sizeof *recalling);
    char *full = full_key(exporter, key);
    *recalling = (struct recalling){.exporter = exporter, .done = done, .arg = arg};
    exporter->recalling = recalling;
    recalling->get = s3_get(exporter->s3, full, max_bytes, get_done, recalling);
    free(full);
}

static void give_up(void *self, const char *folder)
{
    struct s3_exporter *exporter = self;
    s3_leftovers_end(exporter->leftovers, folder);
}

static void presigned(void *arg, const struct s3_link *link)
{
    struct linking *linking = arg;
    struct link_result result = {.url = link->url, .expires_ms = link->expires_ms};
    if (!link->url)
        snprintf(result.reason, sizeof result.reason, "%s", link->reason);
    linking->exporter->linking = NULL;
    linking->done(linking->arg, &result);
    free(linking);
}

static void make_link(void *self, const char *key, int64_t seconds,
    void (*done)(void *arg, const struct link_result *result), void *arg)
{
    struct s3_exporter *exporter = self;
    struct linking *linking = xcalloc(1, sizeof *linking);
    char *full = full_key(exporter, key);
    *linking = (struct linking){.exporter = exporter, .done = done, .arg = arg};
    exporter->linking = linking;
    linking->presigning = s3_presign(exporter->s3, full, seconds, presigned, linking);
    free(full);
}

/* One question who we are. */
struct identifying {
    struct s3_exporter *exporter;
    struct aws_who *who;
    void (*done)(void *arg, const char *who);
    void *arg;
};

static void identified(void *arg, const char *who)
{
    struct identifying *identifying = arg;
    identifying->exporter->identifying = NULL;
    identifying->done(identifying->arg, who);
    free(identifying);
}

static void identify(void *self, void (*done)(void *arg, const char *who), void *arg)
{
    struct s3_exporter *exporter = self;
    struct identifying *identifying = xcalloc(1, sizeof *identifying);
    *identifying = (struct identifying){.exporter = exporter, .done = done, .arg = arg};
    exporter->identifying = identifying;
    identifying->who = s3_who(exporter->s3, identified, identifying);
}

static bool credentials(const void *self, struct exporter_credentials *found)
{
    const struct s3_exporter *exporter = self;
    struct aws_state state;
    if (!s3_credentials(exporter->s3, &state))
        return false;
    *found = (struct exporter_credentials){state.origin, state.expires_ms};
    return true;
}

static void claim(void *self, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct s3_exporter *exporter = self;
    char *full = full_key(exporter, key);
    s3_claims_claim(exporter->claims, full, text, done, arg);
    free(full);
}

static void count(void *self, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    struct s3_exporter *exporter = self;
    char *full = full_key(exporter, key);
    s3_claims_count(exporter->claims, full, done, arg);
    free(full);
}

static void close_s3(void *self)
{
    struct s3_exporter *exporter = self;
    struct sending *sending = exporter->running;
    if (sending && (sending->put || sending->upload)) {
        s3_cancel(sending->put);
        s3_upload_cancel(sending->upload);
        free_sending(sending);
    } else if (sending) {
        sending->exporter = NULL;
    }
    if (exporter->recalling) {
        s3_cancel(exporter->recalling->get);
        free(exporter->recalling);
    }
    if (exporter->linking) {
        s3_presign_cancel(exporter->linking->presigning);
        free(exporter->linking);
    }
    if (exporter->identifying) {
        aws_who_cancel(exporter->identifying->who);
        free(exporter->identifying);
    }
    s3_claims_close(exporter->claims);
    s3_leftovers_leave(exporter->leftovers); /* with the s3 */
    free(exporter->prefix);
    exporter_names_free(&exporter->names);
    free(exporter);
}

const struct exporter_kind exporter_s3 = {
    .kind = {.name = "s3",
        .help = "stores incidents in a bucket of S3 or of a store that speaks like it",
        .fields = s3_options_fields,
        .options_size = sizeof(struct s3_exporter_options),
        .links = true,
        .claims = true,
        .validate = s3_options_validate,
        .complete = s3_options_complete},
    .open = open_s3,
    .label = exporter_label,
    .identity = exporter_identity,
    .send = send_artifact,
    .recall = recall,
    .give_up = give_up,
    .link = make_link,
    .identify = identify,
    .credentials = credentials,
    .claim = claim,
    .count = count,
    .close = close_s3,
};
