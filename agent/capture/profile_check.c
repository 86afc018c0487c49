#include "agent/capture/profile_check.h"

#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* A profile that inflates to more than this is a gzip bomb: Go's are a few MB at the most. */
static const uint64_t max_inflated = UINT64_C(1) << 30;

/* Field numbers of profile.proto: github.com/google/pprof/blob/main/proto/profile.proto */
enum { FIELD_SAMPLE_TYPE = 1, FIELD_STRING_TABLE = 6, FIELD_DURATION_NANOS = 10, FIELD_LAST = 15 };
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* Walks the outermost protobuf fields of a stream. */
struct walk {
    enum { WALK_TAG, WALK_VARINT, WALK_LENGTH, WALK_SKIP } state;
    uint64_t number; /* the varint that is being read */
    unsigned shift;
    unsigned field;
    uint64_t skip; /* bytes left of a length-delimited field */
    bool foreign;
    bool seen[FIELD_LAST + 1];
    int64_t duration_ns;
};

struct profile_check {
    enum profile_form form;
    z_stream inflater;
    bool inflating, ended, foreign;
    uint64_t bytes, inflated;
    struct walk walk;
    unsigned char head[16]; /* the file's first bytes */
    char why[160];
};

enum profile_form profile_form_of(const char *profile)
{
    return strcmp(profile, "trace") ? PROFILE_FORM_PPROF : PROFILE_FORM_TRACE;
}

char *profile_file_name(const char *profile)
{
    bool trace = profile_form_of(profile) == PROFILE_FORM_TRACE;
    return xasprintf("%s%s", profile, trace ? ".trace" : ".pb.gz");
}

static void walk_tag(struct walk *walk)
{
    unsigned wire = walk->number & 7;
    uint64_t field = walk->number >> 3;
    if (field < 1 || field > FIELD_LAST || (wire != WIRE_VARINT && wire != WIRE_BYTES)) {
        walk->foreign = true;
        return;
    }
    walk->field = (unsigned)field;
    walk->seen[field] = true;
    walk->state = wire == WIRE_VARINT ? WALK_VARINT : WALK_LENGTH;
}

static void walk_number(struct walk *walk)
{
    switch (walk->state) {
    case WALK_TAG:
        walk_tag(walk);
        break;
    case WALK_VARINT:
        if (walk->field == FIELD_DURATION_NANOS)
            walk->duration_ns = (int64_t)walk->number;
        walk->state = WALK_TAG;
        break;
    default:
        walk->skip = walk->number;
        walk->state = walk->skip ? WALK_SKIP : WALK_TAG;
    }
    walk->number = 0;
    walk->shift = 0;
}

static void walk_bytes(struct walk *walk, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size && !walk->foreign;) {
        if (walk->state == WALK_SKIP) {
            size_t step = walk->skip < size - i ? (size_t)walk->skip : size - i;
            i += step;
            walk->skip -= step;
            if (walk->skip == 0)
                walk->state = WALK_TAG;
            continue;
        }
        if (walk->shift > 63) {
            walk->foreign = true;
            return;
        }
        walk->number |= (uint64_t)(data[i] & 0x7f) << walk->shift;
        walk->shift += 7;
        if (!(data[i++] & 0x80))
            walk_number(walk);
    }
}

struct profile_check *profile_check_open(enum profile_form form)
{
    struct profile_check *check = xcalloc(1, sizeof *check);
    check->form = form;
    /* 16 + 15: a gzip header and the largest window */
    check->inflating = form == PROFILE_FORM_PPROF &&
                       inflateInit2(&check->inflater, 16 + 15) == Z_OK;
    return check;
}

/* Inflates one block of output. NULL, or why this is no profile. */
static const char *inflate_block(struct profile_check *check)
{
    unsigned char block[16384];
    if (check->ended)
        return "there are bytes behind the end of the gzip data";
    check->inflater.next_out = block;
    check->inflater.avail_out = sizeof block;
    int code = inflate(&check->inflater, Z_NO_FLUSH);
    size_t got = sizeof block - check->inflater.avail_out;
    check->inflated += got;
    walk_bytes(&check->walk, block, got);
    check->ended = code == Z_STREAM_END;
    if (check->walk.foreign)
        return "it is gzip, but not a pprof profile inside";
    if (check->inflated > max_inflated)
        return "it inflates to more than 1 GiB";
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return "the gzip data is damaged";
    return NULL;
}

static void feed_gzip(struct profile_check *check, const unsigned char *data, size_t size)
{
    check->inflater.next_in = (unsigned char *)(uintptr_t)data;
    check->inflater.avail_in = (unsigned)size;
    /* A block that came out full means that there may be more inside zlib. */
    do {
        const char *why = inflate_block(check);
        if (!why)
            continue;
        check->foreign = true;
        snprintf(check->why, sizeof check->why, "%s", why);
        return;
    } while (check->inflater.avail_in > 0 || (!check->ended && check->inflater.avail_out == 0));
}

void profile_check_feed(struct profile_check *check, const void *data, size_t size)
{
    if (check->bytes < sizeof check->head) {
        size_t room = sizeof check->head - (size_t)check->bytes;
        memcpy(check->head + check->bytes, data, size < room ? size : room);
    }
    check->bytes += size;
    if (check->inflating && !check->foreign && size > 0)
        feed_gzip(check, data, size);
}

/* Names what people meet most: a page instead of a profile. */
static void describe_foreign(struct profile_check *check)
{
    const unsigned char *head = check->head;
    if (check->bytes >= 2 && head[0] == 0x1f && head[1] == 0x8b)
        return;
    if (head[0] == '<')
        snprintf(check->why, sizeof check->why, "it is a web page, not a profile");
    else
        snprintf(check->why, sizeof check->why, "it is not a gzip-compressed pprof profile");
}

static enum profile_soundness judge_trace(struct profile_check *check)
{
    /* "go 1.19 trace\0\0\0": golang.org/src/internal/trace */
    if (check->bytes >= 16 && !memcmp(check->head, "go 1.", 5) &&
        memmem(check->head, sizeof check->head, " trace", 6))
        return PROFILE_WHOLE;
    snprintf(check->why, sizeof check->why, "it is not a Go execution trace");
    return PROFILE_FOREIGN;
}

static enum profile_soundness judge_pprof(struct profile_check *check)
{
    if (check->bytes == 0) {
        snprintf(check->why, sizeof check->why, "the answer is empty");
        return PROFILE_FOREIGN;
    }
    if (check->foreign) {
        describe_foreign(check);
        return PROFILE_FOREIGN;
    }
    const struct walk *walk = &check->walk;
    if (!check->ended) {
        snprintf(check->why, sizeof check->why, "it ends in the middle");
        return PROFILE_CUT;
    }
    if (walk->state != WALK_TAG || walk->shift || !walk->seen[FIELD_SAMPLE_TYPE] ||
        !walk->seen[FIELD_STRING_TABLE]) {
        snprintf(check->why, sizeof check->why, "it is gzip, but not a pprof profile inside");
        return PROFILE_FOREIGN;
    }
    return PROFILE_WHOLE;
}

void profile_check_close(struct profile_check *check, struct profile_facts *facts)
{
    *facts = (struct profile_facts){.bytes = check->bytes};
    facts->soundness = check->form == PROFILE_FORM_TRACE ? judge_trace(check) : judge_pprof(check);
    if (check->walk.duration_ns > 0)
        facts->duration_ns = check->walk.duration_ns;
    if (facts->soundness != PROFILE_WHOLE)
        snprintf(facts->why, sizeof facts->why, "%s", check->why);
    if (check->inflating)
        inflateEnd(&check->inflater);
    free(check);
}

int profile_check_file(
    const char *path, enum profile_form form, struct profile_facts *facts, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    struct profile_check *check = profile_check_open(form);
    char block[65536];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0) {
        EVP_DigestUpdate(digest, block, (size_t)got);
        profile_check_feed(check, block, (size_t)got);
    }
    int code = errno;
    unsigned char hash[32];
    EVP_DigestFinal_ex(digest, hash, NULL);
    EVP_MD_CTX_free(digest);
    close(fd);
    profile_check_close(check, facts);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(facts->sha256 + 2 * i, 3, "%02x", hash[i]);
    return got < 0 ? error_set(err, "cannot read %s: %s", path, strerror(code)) : 0;
}
