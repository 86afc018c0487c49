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
    enum profile_form wanted;
    z_stream inflater;
    bool gzip, ended, damaged, not_text;
    uint64_t bytes, inflated;
    struct walk walk;
    /* The first bytes, and those inside gzip. */
    unsigned char head[16], inner[16];
    unsigned char block[16384]; /* inflated */
    char why[160];
};

static const char *const form_ends[] = {
    [PROFILE_FORM_ANY] = ".part",
    [PROFILE_FORM_PPROF] = ".pb.gz",
    [PROFILE_FORM_TRACE] = ".trace",
    [PROFILE_FORM_TEXT] = ".txt",
    [PROFILE_FORM_GZIP] = ".gz", /* after .pb.gz, which ends so as well */
    [PROFILE_FORM_OTHER] = ".bin",
};

enum profile_form profile_form_of(const char *profile)
{
    return strcmp(profile, "trace") ? PROFILE_FORM_PPROF : PROFILE_FORM_TRACE;
}

char *profile_file_name(const char *name, enum profile_form form)
{
    return xasprintf("%s%s", name, form_ends[form]);
}

char *profile_file_split(const char *file, enum profile_form *form)
{
    size_t size = strlen(file);
    for (int i = 0; i < PROFILE_FORMS; i++) {
        size_t end = strlen(form_ends[i]);
        if (size <= end || strcmp(file + size - end, form_ends[i]) != 0)
            continue;
        *form = (enum profile_form)i;
        return xstrndup(file, size - end);
    }
    return NULL;
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

struct profile_check *profile_check_open(enum profile_form wanted)
{
    struct profile_check *check = xcalloc(1, sizeof *check);
    check->wanted = wanted;
    return check;
}

/* The first bytes of what comes in blocks. */
static void note_head(
    unsigned char head[16], uint64_t before, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size && before + i < 16; i++)
        head[before + i] = data[i];
}

/* Inflates one block of output. NULL, or why this is nothing to keep. */
static const char *inflate_block(struct profile_check *check)
{
    unsigned char *block = check->block;
    check->inflater.next_out = block;
    check->inflater.avail_out = sizeof check->block;
    int code = inflate(&check->inflater, Z_NO_FLUSH);
    size_t got = sizeof check->block - check->inflater.avail_out;
    note_head(check->inner, check->inflated, block, got);
    check->inflated += got;
    walk_bytes(&check->walk, block, got);
    check->ended = code == Z_STREAM_END;
    if (check->inflated > max_inflated)
        return "it inflates to more than 1 GiB";
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return "the gzip data is damaged";
    if (check->ended && check->inflater.avail_in > 0)
        return "there are bytes behind the end of the gzip data";
    return NULL;
}

static void feed_gzip(struct profile_check *check, const unsigned char *data, size_t size)
{
    check->inflater.next_in = (unsigned char *)(uintptr_t)data;
    check->inflater.avail_in = (unsigned)size;
    const char *why = check->ended ? "there are bytes behind the end of the gzip data" : NULL;
    /* A block that came out full means that there may be more inside zlib. */
    while (!why && !check->ended) {
        why = inflate_block(check);
        if (check->inflater.avail_in == 0 && check->inflater.avail_out > 0)
            break;
    }
    check->damaged = why != NULL;
    if (why)
        snprintf(check->why, sizeof check->why, "%s", why);
}

/* Bytes that no text has. */
static bool has_binary(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((data[i] < 0x20 && !(data[i] >= '\t' && data[i] <= '\r')) || data[i] == 0x7f)
            return true;
    return false;
}

void profile_check_feed(struct profile_check *check, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    if (size == 0)
        return;
    /* No text and no protobuf begins with gzip's first byte. 16 + 15: a gzip header and the largest
     * window. */
    if (check->bytes == 0)
        check->gzip = bytes[0] == 0x1f && inflateInit2(&check->inflater, 16 + 15) == Z_OK;
    note_head(check->head, check->bytes, bytes, size);
    check->bytes += size;
    check->not_text = check->not_text || has_binary(bytes, size);
    if (!check->gzip)
        walk_bytes(&check->walk, bytes, size);
    else if (!check->damaged)
        feed_gzip(check, bytes, size);
}

static bool is_page(const unsigned char *head, uint64_t size)
{
    size_t length = size < 16 ? (size_t)size : 16, at = 0;
    if (length >= 3 && !memcmp(head, "\xef\xbb\xbf", 3))
        at = 3;
    while (at < length && strchr(" \t\r\n", head[at]))
        at++;
    return at < length && head[at] == '<';
}

static bool is_trace(const struct profile_check *check)
{
    /* "go 1.19 trace\0\0\0": golang.org/src/internal/trace */
    return check->bytes >= 16 && !memcmp(check->head, "go 1.", 5) &&
           memmem(check->head, sizeof check->head, " trace", 6);
}

static bool is_gzip(const struct profile_check *check)
{
    return check->gzip && (check->bytes < 2 || check->head[1] == 0x8b);
}

static enum profile_form form_within_gzip(
    const struct profile_check *check, enum profile_soundness *soundness)
{
    const struct walk *walk = &check->walk;
    bool complete = walk->state == WALK_TAG && !walk->shift && walk->seen[FIELD_SAMPLE_TYPE] &&
                    walk->seen[FIELD_STRING_TABLE];
    *soundness = check->ended ? PROFILE_WHOLE : PROFILE_CUT;
    return !walk->foreign && (complete || !check->ended) ? PROFILE_FORM_PPROF : PROFILE_FORM_GZIP;
}

static enum profile_form form_of(
    const struct profile_check *check, enum profile_soundness *soundness)
{
    const struct walk *walk = &check->walk;
    *soundness = PROFILE_WHOLE;
    if (is_trace(check))
        return PROFILE_FORM_TRACE;
    if (!check->not_text)
        return PROFILE_FORM_TEXT;
    if (is_gzip(check))
        return form_within_gzip(check, soundness);
    if (check->gzip || walk->foreign || !walk->seen[FIELD_SAMPLE_TYPE])
        return PROFILE_FORM_OTHER;
    if (walk->state != WALK_TAG || walk->shift || !walk->seen[FIELD_STRING_TABLE])
        *soundness = PROFILE_CUT;
    return PROFILE_FORM_PPROF;
}

/* Why this is not the form that was wanted; NULL: it is. */
static const char *mismatch(enum profile_form wanted, enum profile_form form)
{
    if (wanted == PROFILE_FORM_TRACE)
        return form == wanted ? NULL : "it is not a Go execution trace";
    if (wanted != PROFILE_FORM_PPROF || form == wanted)
        return NULL;
    if (form == PROFILE_FORM_GZIP)
        return "it is gzip, but not a pprof profile inside";
    if (form == PROFILE_FORM_TEXT)
        return "it is text, not a gzip-compressed pprof profile (an entry with `path` keeps text)";
    return "it is not a gzip-compressed pprof profile";
}

/* Fills `why` and the form as well. */
static enum profile_soundness judge(const struct profile_check *check, struct profile_facts *facts)
{
    enum profile_soundness soundness = PROFILE_FOREIGN;
    const char *why = NULL;
    if (check->bytes == 0)
        why = "the answer is empty";
    else if (is_page(check->head, check->bytes) || is_page(check->inner, check->inflated))
        why = "it is a web page, not a profile";
    else if (is_gzip(check) && check->damaged)
        why = check->why;
    else
        facts->form = form_of(check, &soundness);
    if (!why)
        why = mismatch(check->wanted, facts->form);
    if (why)
        soundness = PROFILE_FOREIGN;
    else if (soundness == PROFILE_CUT)
        why = "it ends in the middle";
    snprintf(facts->why, sizeof facts->why, "%s", why ? why : "");
    facts->plain = !check->gzip && facts->form == PROFILE_FORM_PPROF;
    return soundness;
}

void profile_check_close(struct profile_check *check, struct profile_facts *facts)
{
    *facts = (struct profile_facts){.bytes = check->bytes};
    facts->soundness = judge(check, facts);
    if (check->walk.duration_ns > 0 && facts->form == PROFILE_FORM_PPROF)
        facts->duration_ns = check->walk.duration_ns;
    if (check->gzip)
        inflateEnd(&check->inflater);
    free(check);
}

int profile_check_file(
    const char *path, enum profile_form wanted, struct profile_facts *facts, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    struct profile_check *check = profile_check_open(wanted);
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
