#include "core/s3/s3_upload.h"

#include "core/alloc.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/s3/s3_headers.h"
#include "core/s3/s3_record.h"
#include "core/s3/s3_request.h"
#include "core/s3/s3_xml.h"
#include "core/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A step that may work later is tried so often before the whole waits for its next turn. */
enum { ATTEMPTS = 4, FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 10000 };
enum { MAX_QUERY = 16384, MAX_COMPLETE = 4 << 20, MAX_UPLOADS = 65536 };

/* What it is at. A step that fails in a way that passes is repeated. */
enum step { LOOKING, BEGINNING, SENDING, ENDING, ABORTING };

struct s3_upload {
    struct s3_upload_setup setup; /* its texts are owned */
    struct s3_record record;
    enum step step;
    size_t part;  /* that is at work, or the next */
    bool started; /* the record's file was looked at */
    bool anew;    /* it was begun anew: once */
    int attempt;
    struct loop_timer *pause;
    struct s3_request *request;
    struct buf body;        /* of the end */
    bool working;           /* a job has it */
    bool cancelled;         /* nobody waits any more */
    struct s3_result *held; /* told once it is aborted; its reason is owned */
    /* Of the job. */
    struct buf note; /* what is to be added to the file */
    bool renew;      /* to an empty one */
    char sha256[SHA256_HEX_SIZE];
    struct error err;
};

static void release(struct s3_upload *upload)
{
    close(upload->setup.fd);
    free((char *)upload->setup.key);
    free((char *)upload->setup.content_type);
    free((char *)upload->setup.record);
    s3_record_free(&upload->record);
    loop_timer_free(upload->pause);
    buf_free(&upload->body);
    buf_free(&upload->note);
    if (upload->held)
        free((char *)upload->held->reason);
    free(upload->held);
    free(upload);
}

void s3_upload_cancel(struct s3_upload *upload)
{
    if (!upload)
        return;
    s3_cancel(upload->request);
    upload->request = NULL;
    loop_timer_unset(upload->pause);
    if (upload->working)
        upload->cancelled = true;
    else
        release(upload);
}

static void finish(struct s3_upload *upload, const struct s3_result *result)
{
    upload->setup.done(upload->setup.arg, result);
    release(upload);
}

/* Adds to the record, which is no more than a help: what cannot be noted is sent again. */
static void write_note(struct s3_upload *upload)
{
    const char *path = upload->setup.record;
    if (path && (upload->renew || upload->note.size > 0)) {
        int how = O_WRONLY | O_CLOEXEC | O_CREAT | (upload->renew ? O_TRUNC : O_APPEND);
        int fd = open(path, how, 0644);
        if (fd >= 0) {
            fs_write_all(fd, upload->note.data, upload->note.size);
            close(fd);
        }
    }
    buf_clear(&upload->note);
    upload->renew = false;
}

static void read_record(struct s3_upload *upload)
{
    struct buf text;
    upload->started = true;
    if (!upload->setup.record)
        return;
    if (fs_read(upload->setup.record, S3_RECORD_MAX, &text, NULL) == 0)
        s3_record_read(&upload->record, text.data, text.size);
    buf_free(&text);
}

static uint64_t part_bytes(const struct s3_upload *upload, size_t part)
{
    uint64_t begin = (uint64_t)part * S3_PART_BYTES, left = upload->record.size - begin;
    return left < S3_PART_BYTES ? left : S3_PART_BYTES;
}

static int hash_part(struct s3_upload *upload)
{
    enum { PIECE = 65536 };
    struct sha256 *sha256 = sha256_new();
    char *piece = xcalloc(1, PIECE);
    uint64_t at = (uint64_t)upload->part * S3_PART_BYTES;
    int status = 0;
    for (uint64_t left = part_bytes(upload, upload->part); left > 0 && status == 0;) {
        ssize_t got = pread(upload->setup.fd, piece, left < PIECE ? left : PIECE, (off_t)at);
        if (got <= 0) {
            status = error_set(&upload->err, "a file cannot be read for its upload: %s",
                got < 0 ? strerror(errno) : "it is shorter than it was");
            break;
        }
        sha256_add(sha256, piece, (size_t)got);
        at += (uint64_t)got;
        left -= (uint64_t)got;
    }
    sha256_finish(sha256, upload->sha256);
    free(piece);
    return status;
}

/* On the disk's thread: notes what was sent and hashes what is next, past what is known to be
 * there. */
static void work(void *arg)
{
    struct s3_upload *upload = arg;
    struct s3_record *record = &upload->record;
    write_note(upload);
    if (!upload->started)
        read_record(upload);
    for (; upload->part < record->count; upload->part++) {
        if (hash_part(upload) < 0)
            return;
        if (!record->id || strcmp(record->parts[upload->part].sha256, upload->sha256) != 0)
            return;
    }
}

static void worked(void *arg);

static void start_work(struct s3_upload *upload)
{
    upload->working = true;
    offload_submit(upload->setup.disk, work, worked, upload);
}

static void answered(void *arg, const struct s3_result *result);

static void send_call(struct s3_upload *upload, struct s3_call *call, const char *query)
{
    call->key = upload->record.key;
    call->query = query;
    upload->request = s3_request_start(upload->setup.s3, call, answered, upload);
}

/* "partNumber=3&uploadId=..." or without the number when that is 0. The caller frees. */
static char *query_of(const char *id, size_t number)
{
    struct buf query;
    char digits[24];
    buf_init(&query, MAX_QUERY);
    snprintf(digits, sizeof digits, "%zu", number);
    if (number)
        sigv4_add_query(&query, "partNumber", digits);
    sigv4_add_query(&query, "uploadId", id);
    return buf_take(&query);
}

static void send_part(struct s3_upload *upload)
{
    char *query = query_of(upload->record.id, upload->part + 1);
    struct s3_call call = {.action = S3_UPLOAD_PART,
        .fd = upload->setup.fd,
        .offset = (uint64_t)upload->part * S3_PART_BYTES,
        .size = part_bytes(upload, upload->part),
        .sha256 = upload->sha256,
        .checked = upload->record.checked};
    send_call(upload, &call, query);
    free(query);
}

static void print_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&')
            buf_printf(out, "&#%d;", *text);
        else
            buf_append(out, text, 1);
    }
}

static void send_end(struct s3_upload *upload)
{
    const struct s3_record *record = &upload->record;
    struct buf *body = &upload->body;
    char sha256[SHA256_HEX_SIZE], checksum[45];
    bool checked = record->checked && !(upload->setup.s3->dialect.missing & S3_CHECKSUM);
    buf_clear(body);
    buf_puts(body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < record->count; i++) {
        buf_puts(body, "<Part>");
        if (checked)
            buf_printf(body, "<ChecksumSHA256>%s</ChecksumSHA256>",
                s3_headers_checksum(record->parts[i].sha256, checksum));
        buf_puts(body, "<ETag>");
        print_escaped(body, record->parts[i].etag);
        buf_printf(body, "</ETag><PartNumber>%zu</PartNumber></Part>", i + 1);
    }
    buf_puts(body, "</CompleteMultipartUpload>");
    sha256_hash(body->data, body->size, sha256);
    char *query = query_of(record->id, 0);
    struct s3_call call = {.action = S3_COMPLETE_UPLOAD,
        .data = body->data,
        .size = body->size,
        .sha256 = sha256,
        .content_type = "application/xml",
        .only_new = upload->setup.only_new};
    send_call(upload, &call, query);
    free(query);
}

static void send_abort(struct s3_upload *upload)
{
    char *query = query_of(upload->record.id, 0);
    struct s3_call call = {.action = S3_ABORT_UPLOAD};
    send_call(upload, &call, query);
    free(query);
}

/* The answer to who began it was lost, so the store may have an upload that nobody knows of, whose
 * parts would be paid for until somebody looks. */
static void send_look(struct s3_upload *upload)
{
    struct buf query;
    buf_init(&query, MAX_QUERY);
    sigv4_add_query(&query, "uploads", "");
    sigv4_add_query(&query, "prefix", upload->record.key);
    struct s3_call call = {
        .action = S3_LIST_UPLOADS, .key = "", .query = query.data, .max_object = MAX_UPLOADS};
    upload->request = s3_request_start(upload->setup.s3, &call, answered, upload);
    buf_free(&query);
}

static void send_step(void *arg)
{
    struct s3_upload *upload = arg;
    struct s3_call begin = {.action = S3_CREATE_UPLOAD, .content_type = upload->setup.content_type};
    switch (upload->step) {
    case LOOKING:
        send_look(upload);
        break;
    case BEGINNING:
        send_call(upload, &begin, "uploads=");
        break;
    case SENDING:
        send_part(upload);
        break;
    case ENDING:
        send_end(upload);
        break;
    case ABORTING:
        send_abort(upload);
        break;
    }
}

static void take_step(struct s3_upload *upload, enum step step)
{
    upload->step = step;
    upload->attempt = 0;
    send_step(upload);
}

/* The disk has done its part. */
static void worked(void *arg)
{
    struct s3_upload *upload = arg;
    struct buf nothing;
    upload->working = false;
    if (upload->cancelled) {
        release(upload);
    } else if (upload->err.text[0]) {
        buf_init(&nothing, 0);
        finish(upload, &(struct s3_result){
                           .outcome = S3_REFUSED, .reason = upload->err.text, .body = &nothing});
    } else {
        take_step(upload, !upload->record.id                    ? BEGINNING
                          : upload->part < upload->record.count ? SENDING
                                                                : ENDING);
    }
}

/* Told once the store has let go of the parts, or not. */
static void hold(struct s3_upload *upload, const struct s3_result *result)
{
    upload->held = xcalloc(1, sizeof *upload->held);
    *upload->held = *result;
    upload->held->reason = xstrdup(result->reason);
    upload->held->body = &upload->note; /* which is empty */
    upload->held->etag = NULL;
    take_step(upload, ABORTING);
}

static void unlink_record(void *path)
{
    unlink(path);
}

static void forget(struct s3_upload *upload)
{
    free(upload->record.id);
    upload->record.id = NULL;
    memset(upload->record.parts, 0, upload->record.count * sizeof *upload->record.parts);
    if (upload->setup.record)
        offload_submit(upload->setup.disk, unlink_record, free, xstrdup(upload->setup.record));
}

static void begin_anew(struct s3_upload *upload)
{
    log_info("the upload of %s begins anew", upload->record.key);
    upload->anew = true;
    upload->part = 0;
    forget(upload);
    start_work(upload);
}

static void refuse_answer(struct s3_upload *upload, const struct s3_result *result, const char *why)
{
    struct s3_result refused = *result;
    refused.outcome = S3_REFUSED;
    refused.reason = why;
    finish(upload, &refused);
}

static void go_on_with(struct s3_upload *upload, char *id)
{
    upload->record.id = id;
    upload->renew = true;
    s3_record_print_head(&upload->record, &upload->note);
    start_work(upload); /* a kill from here on must not leave it unknown */
}

static void begun(struct s3_upload *upload, const struct s3_result *result)
{
    char *id = s3_xml_text(result->body->data, result->body->size, "UploadId");
    if (id && s3_record_takes(id)) {
        upload->record.checked = result->checked;
        go_on_with(upload, id);
        return;
    }
    free(id);
    refuse_answer(upload, result,
        "the store begins an upload in parts without an id: does the endpoint speak S3?");
}

/* Whoever may not look begins another one. */
static void looked(struct s3_upload *upload, const struct s3_result *result)
{
    char *id = NULL;
    if (result->outcome == S3_OK)
        id = s3_xml_upload(result->body->data, result->body->size, upload->record.key);
    if (id && s3_record_takes(id)) {
        go_on_with(upload, id);
        return;
    }
    free(id);
    upload->step = BEGINNING;
    send_step(upload);
}

static void part_sent(struct s3_upload *upload, const struct s3_result *result)
{
    struct s3_part *part = &upload->record.parts[upload->part];
    if (!s3_record_takes(result->etag) || strlen(result->etag) >= sizeof part->etag) {
        refuse_answer(upload, result,
            "the store's answer to a part has an ETag that is none: does the endpoint speak S3?");
        return;
    }
    strcpy(part->etag, result->etag);
    memcpy(part->sha256, upload->sha256, sizeof part->sha256);
    s3_record_print_part(&upload->record, upload->part++, &upload->note);
    start_work(upload);
}

static void step_done(struct s3_upload *upload, const struct s3_result *result)
{
    struct s3_result held;
    switch (upload->step) {
    case LOOKING:
        looked(upload, result);
        break;
    case BEGINNING:
        begun(upload, result);
        break;
    case SENDING:
        part_sent(upload, result);
        break;
    case ENDING:
        forget(upload);
        finish(upload, result);
        break;
    case ABORTING:
        forget(upload);
        held = *upload->held;
        finish(upload, &held);
        break;
    }
}

/* A step that cannot be done as things are. */
static void step_failed(struct s3_upload *upload, const struct s3_result *result)
{
    bool for_good = result->exists || result->spoilt || !upload->setup.record;
    if (upload->step == ABORTING) {
        step_done(upload, result); /* the store's own rules have to end it */
    } else if (result->gone && !upload->anew) {
        begin_anew(upload);
    } else if (for_good && upload->record.id) {
        hold(upload, result);
    } else {
        finish(upload, result);
    }
}

static void answered(void *arg, const struct s3_result *result)
{
    struct s3_upload *upload = arg;
    upload->request = NULL;
    if (result->outcome == S3_OK || (result->outcome != S3_RETRY && upload->step == LOOKING)) {
        step_done(upload, result);
        return;
    }
    if (upload->step == BEGINNING && result->outcome == S3_RETRY && result->status < 300) {
        upload->step = LOOKING; /* next time */
        upload->record.checked = result->checked;
    }
    if (result->outcome != S3_RETRY || result->spoilt || ++upload->attempt >= ATTEMPTS) {
        step_failed(upload, result);
        return;
    }
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS << (2 * (upload->attempt - 1));
    if (pause_ms < result->retry_after_ms)
        pause_ms = result->retry_after_ms;
    if (pause_ms > LONGEST_PAUSE_MS)
        pause_ms = LONGEST_PAUSE_MS;
    loop_timer_set(upload->pause, clock_mono_ms() + pause_ms);
}

struct s3_upload *s3_upload_start(const struct s3_upload_setup *setup)
{
    struct s3_upload *upload = xcalloc(1, sizeof *upload);
    upload->setup = *setup;
    upload->setup.key = NULL;
    upload->setup.content_type = setup->content_type ? xstrdup(setup->content_type) : NULL;
    upload->setup.record = setup->record ? xstrdup(setup->record) : NULL;
    s3_record_init(&upload->record, setup->key, setup->size);
    upload->pause = loop_timer_new(setup->s3->loop, send_step, upload);
    buf_init(&upload->body, MAX_COMPLETE);
    buf_init(&upload->note, S3_RECORD_MAX);
    start_work(upload);
    return upload;
}

struct s3_request *s3_upload_abort(struct s3 *s3, const char *text, size_t size,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_record record = {0};
    if (!s3_record_read(&record, text, size))
        return NULL;
    char *query = query_of(record.id, 0);
    const struct s3_call call = {.action = S3_ABORT_UPLOAD, .key = record.key, .query = query};
    struct s3_request *request = s3_request_start(s3, &call, done, arg);
    free(query);
    s3_record_free(&record);
    return request;
}
