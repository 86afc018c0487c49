/* Without an argument: unit tests. With a folder of AWS's test vectors (a folder a case, with
 * context.json, request.txt and {header,query}-*.txt): every one of them, both ways; exit status 77
 * when the folder is not there. */
#include "core/alloc.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/sha256.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

enum { MAX_HEADERS = 32, MAX_FILE = 65536, EXIT_SKIPPED = 77 };

/* A raw HTTP request, cut into pieces that point into `text`. */
struct parsed {
    char *text;
    const char *method, *path, *query, *body;
    struct sigv4_header headers[MAX_HEADERS];
    size_t header_count;
};

static int parse_request(struct parsed *parsed, char *text)
{
    *parsed = (struct parsed){.text = text, .query = "", .body = ""};
    char *line_end = strchr(text, '\n');
    if (!line_end)
        return -1;
    *line_end = '\0';
    char *target = strchr(text, ' '), *version = strstr(text, " HTTP/1.1");
    if (!target || !version || target == version)
        return -1;
    *target++ = *version = '\0';
    parsed->method = text;
    parsed->path = target;
    char *query = strchr(target, '?');
    if (query) {
        *query = '\0';
        parsed->query = query + 1;
    }
    for (char *line = line_end + 1; *line; line = line_end + 1) {
        line_end = line + strcspn(line, "\n");
        while (line_end[0] == '\n' && (line_end[1] == ' ' || line_end[1] == '\t'))
            line_end += 1 + strcspn(line_end + 1, "\n"); /* a folded value goes on */
        bool last = *line_end == '\0';
        *line_end = '\0';
        if (line == line_end) {
            parsed->body = last ? "" : line_end + 1;
            return 0;
        }
        char *colon = strchr(line, ':');
        if (!colon || parsed->header_count == MAX_HEADERS)
            return -1;
        *colon = '\0';
        parsed->headers[parsed->header_count++] = (struct sigv4_header){line, colon + 1};
        if (last)
            return 0;
    }
    return 0;
}

/* One signing to do, and what its files are called. */
struct vector {
    const char *folder;
    const char *form; /* "header" or "query" */
    json_t *context;
    int failures;
};

static char *read_text(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    struct buf buf;
    struct error err;
    char *text = fs_read(path, MAX_FILE, &buf, &err) == 0 ? buf_take(&buf) : NULL;
    buf_free(&buf);
    free(path);
    return text;
}

static void expect(struct vector *vector, const char *what, const char *got)
{
    char *name = xasprintf("%s-%s.txt", vector->form, what);
    char *wanted = read_text(vector->folder, name);
    size_t length = wanted ? strlen(wanted) : 0;
    while (length > 0 && wanted[length - 1] == '\n')
        wanted[--length] = '\0';
    if (!wanted || strcmp(wanted, got) != 0) {
        printf("not ok %s/%s\n--- wanted\n%s\n--- got\n%s\n", vector->folder, name,
            wanted ? wanted : "(no such file)", got);
        vector->failures++;
    }
    free(wanted);
    free(name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The pieces of a request in one order, as neither that of headers nor that of parameters means
 * anything. */
static char *in_order(const struct parsed *parsed)
{
    char *pieces[2 * MAX_HEADERS + 100];
    size_t count = 0;
    for (size_t i = 0; i < parsed->header_count; i++) {
        const struct sigv4_header *header = &parsed->headers[i];
        const char *value = header->value + strspn(header->value, " ");
        char *piece = pieces[count++] = xasprintf("%s:%s", header->name, value);
        for (; *piece != ':'; piece++)
            *piece = (char)tolower((unsigned char)*piece);
    }
    for (const char *at = parsed->query; *at && count < sizeof pieces / sizeof pieces[0];) {
        size_t length = strcspn(at, "&");
        pieces[count++] = xasprintf("?%.*s", (int)length, at);
        at += length + (at[length] == '&');
    }
    qsort(pieces, count, sizeof pieces[0], by_text);
    struct buf out;
    buf_init(&out, MAX_FILE);
    buf_printf(&out, "%s %s\n", parsed->method, parsed->path);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&out, "%s\n", pieces[i]);
        free(pieces[i]);
    }
    buf_printf(&out, "\n%s", parsed->body);
    return buf_take(&out);
}

static void expect_request(
    struct vector *vector, const struct parsed *request, const struct sigv4_signature *signature)
{
    struct parsed sent = *request, wanted;
    sent.query = signature->query.data;
    char *added[8] = {0};
    for (size_t i = 0; signature->headers[i] && sent.header_count < MAX_HEADERS; i++) {
        added[i] = xstrdup(signature->headers[i]);
        char *colon = strchr(added[i], ':');
        *colon = '\0';
        sent.headers[sent.header_count++] = (struct sigv4_header){added[i], colon + 1};
    }
    char *name = xasprintf("%s-signed-request.txt", vector->form);
    char *text = read_text(vector->folder, name);
    char *got = in_order(&sent), *want = NULL;
    if (text && parse_request(&wanted, text) == 0)
        want = in_order(&wanted);
    if (!want || strcmp(want, got) != 0) {
        printf("not ok %s/%s\n--- wanted\n%s\n--- got\n%s\n", vector->folder, name,
            want ? want : "(no such request)", got);
        vector->failures++;
    }
    for (size_t i = 0; i < 8; i++)
        free(added[i]);
    free(name);
    free(text);
    free(got);
    free(want);
}

static const char *text_of(const json_t *context, const char *key)
{
    return json_string_value(json_object_get(context, key));
}

static struct sigv4_scope scope_of(const json_t *context, bool in_headers)
{
    const json_t *credentials = json_object_get(context, "credentials");
    struct sigv4_scope scope = {
        .credentials = {text_of(credentials, "access_key_id"),
            text_of(credentials, "secret_access_key"), text_of(credentials, "token")},
        .region = text_of(context, "region"),
        .service = text_of(context, "service"),
        .normalize_path = json_is_true(json_object_get(context, "normalize")),
        .hash_header = in_headers && json_is_true(json_object_get(context, "sign_body")),
        .token_unsigned = json_is_true(json_object_get(context, "omit_session_token")),
    };
    const char *time = text_of(context, "timestamp");
    if (!time || rfc3339_parse(time, strlen(time), &scope.time_ms) < 0)
        scope.region = NULL; /* reported as a broken context */
    return scope;
}

static void run_form(struct vector *vector, const struct parsed *parsed)
{
    bool in_headers = strcmp(vector->form, "header") == 0;
    struct sigv4_scope scope = scope_of(vector->context, in_headers);
    if (!scope.region || !scope.service || !scope.credentials.secret_key) {
        printf("not ok %s: context.json is incomplete\n", vector->folder);
        vector->failures++;
        return;
    }
    char hash[SHA256_HEX_SIZE];
    sha256_hash(parsed->body, strlen(parsed->body), hash);
    struct sigv4_request request = {
        parsed->method, parsed->path, parsed->query, parsed->headers, parsed->header_count, hash};
    int64_t expires_s = json_integer_value(
        json_object_get(vector->context, "expiration_in_seconds"));
    struct sigv4_signature signature;
    struct error err;
    int status = in_headers ? sigv4_sign(&scope, &request, &signature, &err)
                            : sigv4_presign(&scope, &request, expires_s, &signature, &err);
    if (status < 0) {
        printf("not ok %s: %s\n", vector->folder, err.text);
        vector->failures++;
    } else {
        expect(vector, "canonical-request", signature.canonical_request.data);
        expect(vector, "string-to-sign", signature.string_to_sign.data);
        expect(vector, "signature", signature.signature);
        expect_request(vector, parsed, &signature);
    }
    sigv4_free(&signature);
}

struct run {
    const char *folder;
    int cases, failed;
};

static int run_case(void *arg, const char *name)
{
    struct run *run = arg;
    char *folder = xasprintf("%s/%s", run->folder, name);
    char *context = read_text(folder, "context.json");
    if (context) {
        char *text = read_text(folder, "request.txt");
        struct parsed parsed;
        struct vector vector = {.folder = folder, .context = json_loads(context, 0, NULL)};
        if (!vector.context || !text || parse_request(&parsed, text) < 0) {
            printf("not ok %s: cannot be read\n", folder);
            vector.failures++;
        } else {
            vector.form = "header";
            run_form(&vector, &parsed);
            vector.form = "query";
            run_form(&vector, &parsed);
        }
        run->cases++;
        run->failed += vector.failures > 0;
        json_decref(vector.context);
        free(text);
    }
    free(context);
    free(folder);
    return 0;
}

static int run_vectors(const char *folder)
{
    if (!fs_exists(folder)) {
        printf("skipped: there is no folder %s with test vectors\n", folder);
        return EXIT_SKIPPED;
    }
    struct run run = {.folder = folder};
    struct error err;
    if (fs_each(folder, run_case, &run, &err) != 0) {
        printf("%s\n", err.text);
        return EXIT_FAILURE;
    }
    printf("%d cases, %d failed\n", run.cases, run.failed);
    return run.cases > 0 && run.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Key, secret and time of the examples in the S3 documentation ("Authenticating Requests"). */
static const struct sigv4_scope example = {
    .credentials = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL},
    .region = "us-east-1",
    .service = "s3",
    .time_ms = 1369353600000, /* 2013-05-24T00:00:00Z */
    .hash_header = true,
};

static const struct sigv4_header example_host = {"Host", "examplebucket.s3.amazonaws.com"};

static void signs_the_documented_s3_examples(void **state)
{
    (void)state;
    static const struct {
        const char *path, *query, *signature;
    } cases[] = {
        {"/", "lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"/", "max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sigv4_request request = {
            "GET", cases[i].path, cases[i].query, &example_host, 1, sha256_of_nothing};
        struct sigv4_signature signature;
        assert_int_equal(sigv4_sign(&example, &request, &signature, NULL), 0);
        assert_string_equal(signature.signature, cases[i].signature);
        sigv4_free(&signature);
    }
}

static void presigns_the_documented_s3_example(void **state)
{
    (void)state;
    struct sigv4_request request = {"GET", "/test.txt", NULL, &example_host, 1, "UNSIGNED-PAYLOAD"};
    struct sigv4_signature signature;
    assert_int_equal(sigv4_presign(&example, &request, 86400, &signature, NULL), 0);
    assert_string_equal(
        signature.signature, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    assert_null(signature.headers[0]);
    sigv4_free(&signature);
}

/* The canonical request's line of the path or of the query. */
static void expect_line(const struct sigv4_scope *scope, const char *path, const char *query,
    size_t line, const char *wanted)
{
    struct sigv4_request request = {"GET", path, query, &example_host, 1, sha256_of_nothing};
    struct sigv4_signature signature;
    assert_int_equal(sigv4_sign(scope, &request, &signature, NULL), 0);
    const char *at = signature.canonical_request.data;
    for (; line > 0; line--)
        at = strchr(at, '\n') + 1;
    char *got = xstrndup(at, strcspn(at, "\n"));
    assert_string_equal(got, wanted);
    free(got);
    sigv4_free(&signature);
}

static void keeps_the_path_as_it_is_for_s3(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/", "/"},
        {"", "/"},
        {"/a//b/./../c/", "/a//b/./../c/"},
        {"/service=x/a b+c%20", "/service%3Dx/a%20b%2Bc%2520"},
        {"/\xe1\x88\xb4", "/%E1%88%B4"},
        {"/-._~", "/-._~"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_line(&example, cases[i][0], NULL, 1, cases[i][1]);
}

static void normalizes_the_path_for_other_services(void **state)
{
    (void)state;
    struct sigv4_scope scope = example;
    scope.normalize_path = true;
    static const char *const cases[][2] = {
        {"/", "/"},
        {"//", "/"},
        {"/./", "/"},
        {"/.", "/"},
        {"/..", "/"},
        {"/../../x", "/x"},
        {"/a/b/../..", "/"},
        {"/a/../b/", "/b/"},
        {"/./a", "/a"},
        {"//a//b//", "/a/b/"},
        {"/...", "/..."},
        {"/.a/..b", "/.a/..b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_line(&scope, cases[i][0], NULL, 1, cases[i][1]);
}

static void sorts_and_encodes_the_query(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"uploads", "uploads="},
        {"b=2&a=1", "a=1&b=2"},
        {"a=2&a=1&a", "a=&a=1&a=2"},
        {"Param-3=c&Param=b&Param3=d", "Param=b&Param-3=c&Param3=d"},
        {"p=1&P=2", "P=2&p=1"},
        {"\xe1\x88\xb4=bar", "%E1%88%B4=bar"},
        {"%e1%88%b4=%2f", "%E1%88%B4=%2F"},
        {"%7Ea=b%2Dc", "~a=b-c"},
        {"a=b=c", "a=b%3Dc"},
        {"a=b+c", "a=b%2Bc"},
        {"a=100%&b=%zz&c=%4", "a=100%25&b=%25zz&c=%254"},
        {"&&a=1&", "a=1"},
        {"=x", "=x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_line(&example, "/", cases[i][0], 2, cases[i][1]);
}

static void canonicalizes_headers(void **state)
{
    (void)state;
    static const struct sigv4_header headers[] = {
        {"x-b", "second"},
        {"HOST", "h"},
        {"X-A", "  one \t two\n   three  "},
        {"X-B", "first"},
        {"x-empty", ""},
        {"x-B", "\"a   b\""},
    };
    struct sigv4_scope scope = example;
    scope.hash_header = false;
    struct sigv4_request request = {"GET", "/", NULL, headers, 6, sha256_of_nothing};
    struct sigv4_signature signature;
    assert_int_equal(sigv4_sign(&scope, &request, &signature, NULL), 0);
    const char *wanted = "GET\n/\n\nhost:h\nx-a:one two three\nx-amz-date:20130524T000000Z\n"
                         "x-b:second,first,\"a b\"\nx-empty:\n\n"
                         "host;x-a;x-amz-date;x-b;x-empty\n";
    assert_memory_equal(signature.canonical_request.data, wanted, strlen(wanted));
    sigv4_free(&signature);
}

static void adds_the_session_token_signed_or_not(void **state)
{
    (void)state;
    struct sigv4_scope scope = example;
    scope.credentials.session_token = "a/b==";
    struct sigv4_request request = {"GET", "/", NULL, &example_host, 1, sha256_of_nothing};
    for (int unsigned_token = 0; unsigned_token <= 1; unsigned_token++) {
        scope.token_unsigned = unsigned_token;
        struct sigv4_signature signature;
        assert_int_equal(sigv4_sign(&scope, &request, &signature, NULL), 0);
        assert_string_equal(signature.headers[0], "X-Amz-Security-Token: a/b==");
        const char *found = strstr(signature.canonical_request.data, "x-amz-security-token");
        assert_true((found == NULL) == unsigned_token);
        sigv4_free(&signature);

        assert_int_equal(sigv4_presign(&scope, &request, 60, &signature, NULL), 0);
        assert_non_null(strstr(signature.query.data, "X-Amz-Security-Token=a%2Fb%3D%3D"));
        found = strstr(signature.canonical_request.data, "X-Amz-Security-Token");
        assert_true((found == NULL) == unsigned_token);
        sigv4_free(&signature);
    }
}

static void refuses_what_it_cannot_sign(void **state)
{
    (void)state;
    struct sigv4_header many[300];
    for (size_t i = 0; i < 300; i++)
        many[i] = (struct sigv4_header){"Host", "h"};
    struct sigv4_request requests[] = {
        {"GET", "/", NULL, NULL, 0, sha256_of_nothing},
        {"GET", "/", NULL, many, 300, sha256_of_nothing},
    };
    for (size_t i = 0; i < 2; i++) {
        struct sigv4_signature signature;
        struct error err;
        assert_int_equal(sigv4_sign(&example, &requests[i], &signature, &err), -1);
        assert_non_null(strstr(err.text, "cannot be signed"));
        sigv4_free(&signature);
    }
}

static void adds_query_parameters(void **state)
{
    (void)state;
    struct buf query;
    buf_init(&query, 20);
    assert_int_equal(sigv4_add_query(&query, "list-type", "2"), 0);
    assert_int_equal(sigv4_add_query(&query, "p", "a/b"), 0);
    assert_string_equal(query.data, "list-type=2&p=a%2Fb");
    assert_int_equal(sigv4_add_query(&query, "more", "x"), -1);
    buf_free(&query);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return run_vectors(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_the_documented_s3_examples),
        cmocka_unit_test(presigns_the_documented_s3_example),
        cmocka_unit_test(keeps_the_path_as_it_is_for_s3),
        cmocka_unit_test(normalizes_the_path_for_other_services),
        cmocka_unit_test(sorts_and_encodes_the_query),
        cmocka_unit_test(canonicalizes_headers),
        cmocka_unit_test(adds_the_session_token_signed_or_not),
        cmocka_unit_test(refuses_what_it_cannot_sign),
        cmocka_unit_test(adds_query_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
