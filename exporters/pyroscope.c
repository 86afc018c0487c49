/* Pushes the profiles of incidents to a Pyroscope server, so that spikes show beside what is
 * profiled all the time. Pyroscope stores whatever it is sent: a profile that is sent again, as the
 * answer was lost, counts twice until its compaction drops the second of the same labels and time.
 * Each is sent until an answer says that it is there, which a mark beside it remembers; the label
 * `incident` keeps what counts twice to that incident, and the UUID, which stays the same, tells
 * what is one. */
#include "exporters/pyroscope.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/incident.h"
#include "core/offload.h"
#include "core/sha256.h"
#include "exporters/exporter.h"
#include "exporters/pyroscope_answer.h"
#include "exporters/pyroscope_push.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t timeout_ms = 60000, stall_ms = 20000;
/* A profile that is larger than what the server takes at once is throttled for ever. With the
 * delivery's backoff this many tries take ten minutes. */
enum { THROTTLED_MAX = 15 };
/* A file of the spool that cannot be read (incident.json is damaged, the disk fails) may be mended,
 * but holds the incident back only so long: with the delivery's backoff for about five minutes. */
enum { UNREADABLE_MAX = 6 };
/* What is older is worth no place in the spool: servers take nothing older than an hour, unless
 * they are told to. */
static const int64_t patience_ms = INT64_C(24) * 3600 * 1000;
static const char probe_key[] = "_stakeout/probe";

/* What the last send failed at, and how often in a row. */
struct in_a_row {
    char *what; /* NULL: it did not fail so */
    int count;
};

struct pyroscope {
    struct exporter_names names;
    struct loop *loop;
    struct offload *disk;
    char *url, *ca_file;
    bool with_tenant;
    char **headers; /* NULL-terminated */
    struct pushing *running;
    struct in_a_row throttled, unreadable;
};

/* One send: prepared on the disk's thread, then pushed from the loop. While it is being prepared it
 * belongs to the thread's job and outlives a close. */
struct pushing {
    struct pyroscope *pyroscope; /* NULL: nobody waits any more */
    char *path, *key, *manifest;
    char *mark;         /* a file beside it: the server has it; NULL: there is no place for one */
    bool wanted, empty; /* there is something to push; a request without a profile */
    int fd;
    uint64_t bytes;
    int64_t finished_ms; /* wall: of the incident; 0: unknown */
    struct buf head;
    const char
        *unreadable; /* path: the manifest, for all of its profiles, or this one; NULL: none */
    struct error err;
    struct http_request *request;
    struct send_result result;
    void (*done)(void *arg, const struct send_result *result);
    void *arg;
};

static void add_header(struct pyroscope *pyroscope, size_t *count, char *header)
{
    pyroscope->headers = xrealloc(pyroscope->headers, *count + 2, sizeof *pyroscope->headers);
    pyroscope->headers[(*count)++] = header;
    pyroscope->headers[*count] = NULL;
}

static char *basic_auth(const struct pyroscope_options *options)
{
    char *text = xasprintf(
        "%s:%s", options->user ? options->user : "", options->password ? options->password : "");
    size_t length = strlen(text);
    char *encoded = xcalloc(length / 3 + 1, 4 + 1);
    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text, (int)length);
    char *header = xasprintf("Authorization: Basic %s", encoded);
    free(encoded);
    free(text);
    return header;
}

static void make_headers(struct pyroscope *pyroscope, const struct pyroscope_options *options)
{
    size_t count = 0;
    add_header(pyroscope, &count, xstrdup("Content-Type: application/proto"));
    add_header(pyroscope, &count, xstrdup("Connect-Protocol-Version: 1"));
    if (options->user || options->password)
        add_header(pyroscope, &count, basic_auth(options));
    if (options->tenant)
        add_header(pyroscope, &count, xasprintf("X-Scope-OrgID: %s", options->tenant));
    for (size_t i = 0; i < options->headers.count; i++)
        add_header(pyroscope, &count,
            xasprintf("%s: %s", options->headers.names[i], options->headers.values[i]));
}

static char *without_slashes(const char *url)
{
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    return xstrndup(url, length);
}

/* The same server for another tenant is another one; who that is, is not shown. */
static char *identity_of(const struct pyroscope_options *options, const char *label)
{
    char hex[SHA256_HEX_SIZE];
    const char *tenant = options->tenant ? options->tenant : options->user;
    if (!tenant)
        return xstrdup(label);
    sha256_hash(tenant, strlen(tenant), hex);
    return xasprintf("%s (tenant %.8s)", label, hex);
}

static void *open_pyroscope(const struct exporter_setup *setup, struct error *err)
{
    (void)err;
    const struct pyroscope_options *options = setup->options;
    struct pyroscope *pyroscope = xcalloc(1, sizeof *pyroscope);
    char *url = without_slashes(options->url), *public_url = http_public_url(url);
    pyroscope->loop = setup->loop;
    pyroscope->disk = setup->disk;
    pyroscope->url = xasprintf("%s/push.v1.PusherService/Push", url);
    pyroscope->names.label = xasprintf("pyroscope at %s", public_url);
    pyroscope->names.identity = identity_of(options, pyroscope->names.label);
    pyroscope->ca_file = xstrdup_or_null(options->ca_file);
    pyroscope->with_tenant = options->tenant != NULL;
    make_headers(pyroscope, options);
    free(public_url);
    free(url);
    return pyroscope;
}

static void free_pushing(struct pushing *pushing)
{
    if (pushing->fd >= 0)
        close(pushing->fd);
    buf_free(&pushing->head);
    free(pushing->path);
    free(pushing->key);
    free(pushing->manifest);
    free(pushing->mark);
    free(pushing);
}

static void finish(struct pushing *pushing, const struct send_result *result)
{
    pushing->pyroscope->running = NULL;
    pushing->done(pushing->arg, result);
    free_pushing(pushing);
}

/* What goes on failing so is given up; `what` NULL: it did not fail so. */
static void count_failure(
    struct in_a_row *row, const char *what, int most, struct send_result *result)
{
    bool same = row->what && what && !strcmp(row->what, what);
    if (!same) {
        free(row->what);
        *row = (struct in_a_row){.what = xstrdup_or_null(what)};
    }
    if (what && ++row->count >= most)
        result->outcome = SEND_REJECTED;
}

/* A server that is away for long must not fill the spool. */
static void give_up_late(const struct pushing *pushing, struct send_result *result)
{
    bool failed = result->outcome == SEND_RETRY || result->outcome == SEND_FAILED;
    if (failed && pushing->finished_ms && clock_wall_ms() - pushing->finished_ms > patience_ms)
        result->outcome = SEND_REJECTED;
}

/* On the disk's thread. Without a mark it is pushed twice only if the agent is killed before all of
 * the incident is, so it need not last. */
static void mark(void *arg)
{
    const struct pushing *pushing = arg;
    int fd = open(pushing->mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
}

static void marked(void *arg)
{
    struct pushing *pushing = arg;
    if (pushing->pyroscope)
        finish(pushing, &pushing->result);
    else
        free_pushing(pushing);
}

static void answered(void *arg, const struct http_result *http)
{
    struct pushing *pushing = arg;
    struct pyroscope *pyroscope = pushing->pyroscope;
    struct send_result result;
    char *host = http_host(pyroscope->url);
    pushing->request = NULL;
    pyroscope_answer_judge(&(struct pyroscope_answer){.outcome = http->outcome,
                               .status = http->status,
                               .error = http->error->text,
                               .body = http->body.data,
                               .size = http->body.size,
                               .host = host,
                               .content_type = http_header(http, "Content-Type"),
                               .retry_after = http_header(http, "Retry-After"),
                               .now_ms = clock_wall_ms(),
                               .with_tenant = pyroscope->with_tenant,
                               .with_ca_file = pyroscope->ca_file != NULL,
                               .empty = pushing->empty},
        &result);
    free(host);
    bool throttled = http->status == 429 && result.outcome == SEND_RETRY;
    count_failure(&pyroscope->throttled, throttled ? pushing->key : NULL, THROTTLED_MAX, &result);
    give_up_late(pushing, &result);
    pushing->result = result;
    if (result.outcome == SEND_STORED && pushing->mark)
        offload_submit(pyroscope->disk, mark, marked, pushing);
    else
        finish(pushing, &result);
}

static void push(struct pushing *pushing)
{
    const struct pyroscope *pyroscope = pushing->pyroscope;
    pushing->request = http_start(
        pyroscope->loop, &(struct http_options){
                             .method = "POST",
                             .url = pyroscope->url,
                             .headers = (const char *const *)pyroscope->headers,
                             .upload = pushing->empty ? "" : NULL,
                             .upload_head = pushing->head.data,
                             .upload_head_bytes = pushing->head.size,
                             .upload_fd = pushing->fd,
                             .upload_bytes = pushing->bytes,
                             .ca_file = pyroscope->ca_file,
                             .proxy = true,
                             .timeout_ms = timeout_ms,
                             .stall_ms = stall_ms,
                             .max_answer_bytes = 64 * 1024,
                             .done = answered,
                             .arg = pushing,
                         });
}

static const struct incident_profile *find_file(const struct incident *incident, const char *key)
{
    const char *slash = strrchr(key, '/');
    const char *file = slash ? slash + 1 : key;
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].file && !strcmp(incident->profiles[i].file, file))
            return &incident->profiles[i];
    return NULL;
}

static void open_profile(struct pushing *pushing, const struct incident *incident,
    const struct incident_profile *profile)
{
    struct stat stat;
    pushing->fd = open(pushing->path, O_RDONLY | O_CLOEXEC);
    if (pushing->fd < 0 || fstat(pushing->fd, &stat) < 0) {
        error_set(&pushing->err, "cannot open %s: %s", pushing->path, strerror(errno));
        pushing->unreadable = pushing->path;
        return;
    }
    pushing->wanted = stat.st_size > 0;
    pushing->bytes = (uint64_t)stat.st_size;
    pushing->finished_ms = incident->finished_ms;
    pyroscope_push_head(incident, profile, pushing->bytes, &pushing->head);
}

/* On the disk's thread. */
static void prepare(void *arg)
{
    struct pushing *pushing = arg;
    struct incident *incident = incident_read(pushing->manifest, &pushing->err);
    if (!incident) {
        pushing->unreadable = pushing->manifest;
        return;
    }
    const struct incident_profile *profile = find_file(incident, pushing->key);
    bool pushed = pushing->mark && fs_exists(pushing->mark);
    if (profile && pyroscope_push_takes(profile) && !pushed)
        open_profile(pushing, incident, profile);
    incident_free(incident);
}

/* What there is nothing to push of counts as stored. */
static void prepared(void *arg)
{
    struct pushing *pushing = arg;
    struct send_result result = {.outcome = SEND_STORED};
    struct pyroscope *pyroscope = pushing->pyroscope;
    if (!pyroscope) {
        free_pushing(pushing);
        return;
    }
    count_failure(&pyroscope->unreadable, pushing->unreadable, UNREADABLE_MAX, &result);
    if (pushing->unreadable) {
        if (result.outcome != SEND_REJECTED)
            result.outcome = SEND_FAILED;
        snprintf(result.reason, sizeof result.reason, "%s", pushing->err.text);
        finish(pushing, &result);
    } else if (pushing->wanted) {
        push(pushing);
    } else {
        finish(pushing, &result);
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && !strcmp(text + length - end_length, end);
}

/* Beside the file, by the exporter that it is for; a file in memory has no folder. */
static char *mark_of(const struct pyroscope *pyroscope, const char *path)
{
    char hex[SHA256_HEX_SIZE];
    const char *slash = strrchr(path, '/');
    if (!slash || !strncmp(path, "/proc/", 6))
        return NULL;
    sha256_hash(pyroscope->names.identity, strlen(pyroscope->names.identity), hex);
    return xasprintf("%.*s/.pushed-%.8s-%s", (int)(slash - path), path, hex, slash + 1);
}

static void send_artifact(void *self, const struct artifact *artifact,
    void (*done)(void *arg, const struct send_result *result), void *arg)
{
    struct pyroscope *pyroscope = self;
    struct pushing *pushing = xcalloc(1, sizeof *pushing);
    bool may_be_profile = artifact->manifest && ends_in(artifact->key, ".pb.gz");
    *pushing = (struct pushing){.pyroscope = pyroscope,
        .path = xstrdup(artifact->path),
        .key = xstrdup(artifact->key),
        .manifest = artifact->manifest ? xstrdup(artifact->manifest) : NULL,
        .fd = -1,
        .done = done,
        .arg = arg};
    pushing->mark = may_be_profile ? mark_of(pyroscope, pushing->path) : NULL;
    pushing->empty = pushing->wanted = ends_in(artifact->key, probe_key);
    pyroscope->running = pushing;
    offload_submit(pyroscope->disk, may_be_profile ? prepare : nothing, prepared, pushing);
}

static void close_pyroscope(void *self)
{
    struct pyroscope *pyroscope = self;
    struct pushing *pushing = pyroscope->running;
    if (pushing && pushing->request) {
        http_cancel(pushing->request);
        free_pushing(pushing);
    } else if (pushing) {
        pushing->pyroscope = NULL;
    }
    for (char **header = pyroscope->headers; *header; header++)
        free(*header);
    free(pyroscope->headers);
    free(pyroscope->throttled.what);
    free(pyroscope->unreadable.what);
    free(pyroscope->url);
    exporter_names_free(&pyroscope->names);
    free(pyroscope->ca_file);
    free(pyroscope);
}

/* A query would be sent in the middle of the path. */
static int validate(const void *data, const char **key, struct error *err)
{
    const struct pyroscope_options *options = data;
    if (!*key && options->url && strpbrk(options->url, "?#")) {
        *key = "url";
        return error_set(
            err, "has a query: write the server's address, such as http://pyroscope:4040");
    }
    bool was_told = *key && !strcmp(*key, "password");
    if (!was_told && options->password && !options->user) {
        *key = "password";
        return error_set(err, "goes with user, which is not given");
    }
    return 0;
}

#define AT(member) offsetof(struct pyroscope_options, member)
static const struct field fields[] = {
    {.key = "url",
        .type = FIELD_URL,
        .offset = AT(url),
        .required = 1,
        .help = "the server, 1.0 or later, such as http://pyroscope:4040"},
    {.key = "user", .type = FIELD_STRING, .offset = AT(user), .help = "of basic authentication"},
    {.key = "password",
        .type = FIELD_SECRET,
        .offset = AT(password),
        .help = "of basic authentication"},
    {.key = "tenant",
        .type = FIELD_SECRET,
        .offset = AT(tenant),
        .help = "of a server that has several: X-Scope-OrgID"},
    {.key = "headers",
        .type = FIELD_SECRETS,
        .offset = AT(headers),
        .help = "headers of every request, such as Authorization"},
    FIELDS_CA_FILE(AT(ca_file)),
    {.key = NULL},
};
#undef AT

const struct exporter_kind exporter_pyroscope = {
    .kind = {.name = "pyroscope",
        .help = "pushes the profiles of incidents to a Pyroscope server",
        .fields = fields,
        .options_size = sizeof(struct pyroscope_options),
        .short_key = "url",
        .stores_none = true,
        .validate = validate},
    .open = open_pyroscope,
    .label = exporter_label,
    .identity = exporter_identity,
    .send = send_artifact,
    .close = close_pyroscope,
};
