/* Requests of every kind, hostile ones too, to the pages of `stakeout review`. */
#include "web_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static const char id[] = "20261123T150406Z-cpu-000001";
static const char other[] = "20261124T150406Z-cpu-000002";
static const char folder[] = "service=a/date=2026-11-23/20261123T150406Z-cpu-000001";

static int set_up(void **state)
{
    struct web_rig *rig = rig_new();
    rig_put(rig, "secret", "s");
    rig_put_incident(rig, "a", id,
        ", \"suspect\": {\"function\": \"main.<script>alert(1)\", \"profile\": \"cpu\"}");
    rig_put_incident(rig, "a", other, "");
    rig_put(rig, "service=a/date=2026-11-23/20261123T150406Z-cpu-000001/cpu.pb.gz", "profile");
    rig_put(rig, "service=a/date=2026-11-23/20261123T150406Z-cpu-000001/unlisted.txt", "x");
    rig_open(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

/* The reply, to be freed. The query and the form are as they are sent. */
static struct web_reply ask(
    struct web_rig *rig, const char *path, const char *query, const char *form)
{
    struct web_request request = {.post = form != NULL, .path = path};
    struct web_reply reply;
    web_reply_init(&reply);
    query = query ? query : "";
    assert_int_equal(web_form_parse(query, strlen(query), &request.query, NULL), 0);
    if (form)
        assert_int_equal(web_form_parse(form, strlen(form), &request.form, NULL), 0);
    web_route(&rig->site, &request, &reply);
    web_form_free(&request.query);
    web_form_free(&request.form);
    if (reply.file >= 0) {
        char text[4096];
        assert_true(reply.file_size < sizeof text);
        assert_int_equal(read(reply.file, text, sizeof text), reply.file_size);
        buf_append(&reply.body, text, reply.file_size);
    }
    return reply;
}

static void every_address_has_its_answer(void **state)
{
    static const struct {
        const char *path, *query;
        unsigned status;
        const char *says; /* part of the body */
    } cases[] = {
        {"/", NULL, 200, "main.&lt;script&gt;"},
        {"/", "q=nothing", 200, "Clear the filters"},
        {"/", "q=%3Cscript%3E", 200, "value=\"&lt;script&gt;\""},
        {"/", "since=%3Cscript%3E", 400, "since: &quot;&lt;script&gt;"},
        {"/", "page=10000", 200, "Nothing"},
        {"/api/list", NULL, 200, "<section id=\"list\""},
        {"/api/changes", "after=0", 200, "{\"version\": "},
        {"/static/web.css", NULL, 200, ".groups"},
        {"/static/nothing.css", NULL, 404, ""},
        {"/incident/20261123T150406Z-cpu-000001", NULL, 200, "CPU rose"},
        {"/incident/20261123T150406Z-cpu-000001/", NULL, 404, ""},
        {"/incident/20261123T150406Z-cpu-000009", NULL, 404, "there is no incident"},
        {"/incident/", NULL, 404, "not the id"},
        {"/incident/secret", NULL, 404, "not the id"},
        {"/incident/..", NULL, 404, ""},
        {"/incident/20261123T150406Z-cpu-000001/cpu.pb.gz", NULL, 200, "profile"},
        {"/incident/20261123T150406Z-cpu-000001/incident.json", NULL, 200, "\"schema\""},
        {"/incident/20261123T150406Z-cpu-000001/unlisted.txt", NULL, 404, "lists no file"},
        {"/incident/20261123T150406Z-cpu-000001/review.json", NULL, 404, "lists no file"},
        {"/incident/20261123T150406Z-cpu-000001/metrics.csv", NULL, 404, ""},
        {"/incident/20261123T150406Z-cpu-000001/../../../secret", NULL, 404, ""},
        {"/incident/20261123T150406Z-cpu-000001/%2e%2e%2fsecret", NULL, 404, ""},
        {"/compare", "a=20261123T150406Z-cpu-000001&b=20261124T150406Z-cpu-000002", 200, "Before"},
        {"/compare", "id=20261124T150406Z-cpu-000002&id=20261123T150406Z-cpu-000001", 200, "After"},
        {"/compare", "a=20261123T150406Z-cpu-000001&b=20261124T150406Z-cpu-000002", 200,
            "20261124T150406Z-cpu-000002</a>, has none: there is no file"},
        {"/compare", "a=20261123T150406Z-cpu-000001", 400, "two incidents"},
        {"/compare", "a=..%2f..&b=20261124T150406Z-cpu-000002", 400, "two incidents"},
        {"/compare", "a=20261123T150406Z-cpu-000001&b=20261123T150406Z-cpu-000001", 400, ""},
        {"/compare", "a=20261123T150406Z-cpu-000001&b=20261125T150406Z-cpu-000009", 404, ""},
        {"/20261123T150406Z-cpu-000001", NULL, 303, ""},
        {"/secret", NULL, 404, ""},
        {"/../secret", NULL, 404, ""},
        {"//evil.example", NULL, 404, ""},
        {"/static/../incident/", NULL, 404, ""},
        {"/<script>", NULL, 404, ""},
        {"", NULL, 404, ""},
        {"*", NULL, 404, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_reply reply = ask(*state, cases[i].path, cases[i].query, NULL);
        if (reply.status != cases[i].status || !strstr(reply.body.data, cases[i].says))
            fail_msg("%s?%s: %u %s", cases[i].path, cases[i].query ? cases[i].query : "",
                reply.status, reply.body.data);
        assert_true(reply.attachment || !strstr(reply.body.data, "<script>alert"));
        assert_null(strstr(reply.policy, "unsafe-inline"));
        assert_non_null(strstr(reply.policy, "default-src 'none'"));
        web_reply_free(&reply);
    }
}

static void what_is_stored_is_only_ever_saved(void **state)
{
    struct web_rig *rig = *state;
    rig_put(rig, "service=a/date=2026-11-23/20261123T150406Z-cpu-000001/report.html", "<script>");
    struct web_reply reply = ask(
        rig, "/incident/20261123T150406Z-cpu-000001/report.html", NULL, NULL);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, "<script>");
    assert_string_equal(reply.attachment, "report.html");
    assert_string_equal(reply.type, "application/octet-stream");
    web_reply_free(&reply);
}

static char *form_of(const struct web_rig *rig, const char *fields)
{
    return xasprintf("token=%s&%s", rig->site.guard.token, fields);
}

static void forms_note_and_mark(void **state)
{
    struct web_rig *rig = *state;
    static const struct {
        const char *what, *fields;
        unsigned status;
        const char *location;
    } cases[] = {
        {"looked", "looked=yes", 303, "/incident/20261123T150406Z-cpu-000001"},
        {"note", "note=an+empty+id%0d%0a&back=/?q=a%2520b", 303, "/?q=a%20b"},
        {"known", "known=yes&back=//evil.example", 303, "/incident/20261123T150406Z-cpu-000001"},
        {"looked", "looked=yes&back=https://evil.example", 303,
            "/incident/20261123T150406Z-cpu-000001"},
        {"looked", "looked=yes&back=/a%0d%0ax:y", 303, "/incident/20261123T150406Z-cpu-000001"},
        {"looked", "looked=yes&back=/%5cevil.example", 303,
            "/incident/20261123T150406Z-cpu-000001"},
        {"known", "", 500, NULL},
        {"other", "looked=yes", 404, NULL},
        {"", "looked=yes", 404, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = xasprintf("/incident/%s/%s", id, cases[i].what);
        char *form = form_of(rig, cases[i].fields);
        struct web_reply reply = ask(rig, path, NULL, form);
        if (reply.status != cases[i].status)
            fail_msg("%s %s: %u %s", path, cases[i].fields, reply.status, reply.body.data);
        if (cases[i].location)
            assert_string_equal(reply.location, cases[i].location);
        web_reply_free(&reply);
        free(form);
        free(path);
    }
    struct buf text;
    char *path = xasprintf("%s/%s/review.json", rig->path, folder);
    assert_int_equal(fs_read(path, 1000, &text, NULL), 0);
    assert_non_null(strstr(text.data, "\"note\": \"an empty id\""));
    assert_non_null(strstr(text.data, "\"looked\""));
    buf_free(&text);
    free(path);
    path = xasprintf("%s/service=a/_state/known.json", rig->path);
    assert_true(fs_exists(path));
    free(path);
    struct web_reply reply = ask(rig, "/", "q=empty", NULL);
    assert_non_null(strstr(reply.body.data, "an empty id"));
    web_reply_free(&reply);
}

static void a_form_needs_the_token(void **state)
{
    struct web_rig *rig = *state;
    static const char *const forms[] = {
        "looked=yes", "token=&looked=yes", "token=00000000000000000000000000000000&looked=yes"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct web_reply reply = ask(
            rig, "/incident/20261123T150406Z-cpu-000001/looked", NULL, forms[i]);
        assert_int_equal(reply.status, 403);
        web_reply_free(&reply);
    }
    struct web_reply reply = ask(rig, "/", NULL, "a=b"); /* which takes none at all */
    assert_int_equal(reply.status, 405);
    web_reply_free(&reply);
    char *path = xasprintf("%s/%s/review.json", rig->path, folder);
    assert_false(fs_exists(path));
    free(path);
}

#define ON_A_SITE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_SITE(every_address_has_its_answer),
        ON_A_SITE(what_is_stored_is_only_ever_saved),
        ON_A_SITE(forms_note_and_mark),
        ON_A_SITE(a_form_needs_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
