/* The Pyroscope exporter through the exporters' interface, with a stub for the server. */
#include "exporters/pyroscope.h"

#include "core/buf.h"
#include "core/incident.h"
#include "exporters_rig.h"
#include "stub_server.h"

#include <unistd.h>

#define FOLDER "service=woogles/date=2026-11-23/20261123T150406Z-cpu-000001/"

static const struct exporter_kind *const kind = &exporter_pyroscope;
static struct stub_server server;
static void *self;
static int64_t finished_ms;

static void put(const char *name, const char *text, size_t size)
{
    char *path = xasprintf("%s/%s", folder, name);
    assert_int_equal(fs_write(path, text, size, NULL), 0);
    free(path);
}

static void put_incident(void)
{
    static const char *const files[] = {"cpu.pb.gz", "heap.pb.gz", "empty.pb.gz"};
    struct incident *incident = incident_new();
    incident->id = xstrdup("20261123T150406Z-cpu-000001");
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu");
    incident->fired_ms = 1795446246000;
    incident->finished_ms = finished_ms;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *name = xstrndup(files[i], strcspn(files[i], "."));
        struct incident_profile *profile = incident_add_profile(incident, name);
        profile->file = xstrdup(files[i]);
        profile->status = i == 1 ? PROFILE_TRUNCATED : PROFILE_OK;
        free(name);
        put(files[i], "PROFILE", i == 2 ? 0 : 7);
    }
    assert_int_equal(incident_save_in(incident, folder, NULL), 0);
    incident_free(incident);
}

static int set_up(void **state)
{
    int status = setup(state);
    finished_ms = 0;
    put_incident();
    return status;
}

static void start(const struct stub_answer *answers, size_t count)
{
    stub_start(&server, answers, count);
    self = open_exporter(kind, &(struct pyroscope_options){.url = server.url});
}

static void stop(void)
{
    kind->close(self);
    stub_stop(&server);
}

static void begin(const char *file, const char *key, bool of_incident, struct sent *sent)
{
    char *path = xasprintf("%s/%s", folder, file);
    char *manifest = xasprintf("%s/incident.json", folder);
    const struct artifact artifact = {
        path, key, "application/octet-stream", !of_incident, of_incident ? manifest : NULL};
    kind->send(self, &artifact, note_sent, sent);
    free(path);
    free(manifest);
}

static struct send_result send_file(const char *file)
{
    struct sent sent = {0};
    char *key = xasprintf(FOLDER "%s", file);
    begin(file, key, true, &sent);
    assert_false(sent.done);
    wait_sent(&sent);
    free(key);
    return sent.result;
}

static void a_profile_is_pushed_and_the_rest_is_not(void **state)
{
    (void)state;
    static const struct stub_answer taken = {.status = 200};
    stub_start(&server, &taken, 1);
    static char user[] = "user", password[] = "pass", tenant[] = "games";
    static char header[] = "X-Route", value[] = "here";
    char *name = header, *text = value;
    char *url = xasprintf("%s/below//", server.url);
    struct pyroscope_options options = {
        .url = url, .user = user, .password = password, .tenant = tenant};
    options.headers = (struct string_map){&name, &text, 1};
    self = open_exporter(kind, &options);
    static const char *const others[] = {
        "heap.pb.gz", "empty.pb.gz", "metrics.csv", "incident.json", "unknown.pb.gz"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(send_file(others[i]).outcome, SEND_STORED);
    struct sent kept = {0};
    begin("cpu.pb.gz", "service=woogles/_state/x.pb.gz", false, &kept);
    assert_true(loop_run_until(loop, &kept.done, clock_mono_ms() + 20000));
    assert_int_equal(kept.result.outcome, SEND_STORED);
    assert_int_equal(server.count, 0);
    for (int i = 0; i < 2; i++) /* the next run of an agent that was killed knows of the first */
        assert_int_equal(send_file("cpu.pb.gz").outcome, SEND_STORED);
    stop();
    assert_int_equal(server.count, 1);
    const struct stub_request *request = &server.requests[0];
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->path, "/below/push.v1.PusherService/Push");
    assert_string_equal(request->authorization, "Basic dXNlcjpwYXNz");
    assert_string_equal(request->tenant, "games");
    assert_string_equal(request->content_type, "application/proto");
    assert_true(request->body.size > 7);
    assert_memory_equal(request->body.data + request->body.size - 7, "PROFILE", 7);
    stub_free(&server);
    free(url);
}

static void what_goes_on_being_throttled_is_given_up(void **state)
{
    (void)state;
    static const struct stub_answer throttled = {.status = 429, .headers = {"Retry-After", "2"}};
    start(&throttled, 1);
    int tries = 0;
    struct send_result result;
    do {
        result = send_file("cpu.pb.gz");
        assert_int_equal(result.retry_after_ms, 2000);
        tries++;
    } while (result.outcome == SEND_RETRY && tries < 100);
    assert_int_equal(result.outcome, SEND_REJECTED);
    assert_int_equal(tries, 15);
    stop();
    stub_free(&server);
}

static void after_a_day_it_is_given_up(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 503}, {.status = 404}, {.status = 503}, {.status = 404}, {.status = 200}};
    start(answers, 5);
    for (int days = 0; days < 2; days++) {
        finished_ms = clock_wall_ms() - days * INT64_C(25) * 3600000;
        put_incident();
        assert_int_equal(send_file("cpu.pb.gz").outcome, days ? SEND_REJECTED : SEND_RETRY);
        assert_int_equal(send_file("cpu.pb.gz").outcome, days ? SEND_REJECTED : SEND_FAILED);
    }
    assert_int_equal(send_file("cpu.pb.gz").outcome, SEND_STORED); /* if the server takes it */
    stop();
    stub_free(&server);
}

static void without_its_incident_a_profile_waits(void **state)
{
    (void)state;
    static const struct stub_answer taken = {.status = 200};
    start(&taken, 1);
    put("incident.json", "{}", 2);
    struct send_result result = send_file("cpu.pb.gz");
    assert_int_equal(result.outcome, SEND_FAILED);
    assert_true(result.reason[0] != '\0');
    put_incident();
    char *path = xasprintf("%s/cpu.pb.gz", folder);
    assert_int_equal(unlink(path), 0);
    free(path);
    result = send_file("cpu.pb.gz");
    assert_int_equal(result.outcome, SEND_FAILED);
    assert_non_null(strstr(result.reason, "/cpu.pb.gz"));
    assert_int_equal(server.count, 0);
    stop();
    stub_free(&server);
}

/* The other profiles of the incident do not wait again; what can be read is pushed as ever. */
static void an_incident_that_cannot_be_read_is_given_up(void **state)
{
    (void)state;
    static const struct stub_answer taken = {.status = 200};
    start(&taken, 1);
    put("incident.json", "{", 1);
    int tries = 1;
    while (send_file("cpu.pb.gz").outcome == SEND_FAILED && tries < 100)
        tries++;
    assert_int_equal(tries, 6);
    assert_int_equal(send_file("heap.pb.gz").outcome, SEND_REJECTED);
    put_incident();
    assert_int_equal(send_file("cpu.pb.gz").outcome, SEND_STORED);
    put("incident.json", "{", 1);
    assert_int_equal(send_file("heap.pb.gz").outcome, SEND_FAILED);
    stop();
    assert_int_equal(server.count, 1);
    stub_free(&server);
}

static void check_asks_without_a_profile(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 400, .body = "{\"message\":\"no profiles received\"}"}, {.status = 404}};
    start(answers, 2);
    for (int i = 0; i < 2; i++) {
        struct sent sent = {0};
        begin("cpu.pb.gz", "_stakeout/probe", false, &sent);
        wait_sent(&sent);
        assert_int_equal(sent.result.outcome, i ? SEND_FAILED : SEND_STORED);
    }
    stop();
    assert_int_equal(server.requests[0].body.size, 0);
    stub_free(&server);
}

static void it_can_be_closed_at_any_moment(void **state)
{
    (void)state;
    static char url[] = "http://127.0.0.1:1";
    const bool never = false;
    for (int wait_ms = 0; wait_ms < 4; wait_ms++) {
        struct sent sent = {0};
        self = open_exporter(kind, &(struct pyroscope_options){.url = url});
        begin("cpu.pb.gz", FOLDER "cpu.pb.gz", true, &sent);
        if (wait_ms > 0)
            loop_run_until(loop, &never, clock_mono_ms() + wait_ms);
        kind->close(self);
        if (wait_ms == 0)
            assert_false(sent.done);
    }
}

static void two_tenants_are_told_apart(void **state)
{
    (void)state;
    static char url[] = "http://u:p@h:4040", one[] = "one", two[] = "two";
    char *tenants[] = {NULL, one, two};
    char *identities[3];
    for (size_t i = 0; i < 3; i++) {
        void *opened = open_exporter(
            kind, &(struct pyroscope_options){.url = url, .tenant = tenants[i]});
        assert_string_equal(kind->label(opened), "pyroscope at http://h:4040");
        identities[i] = xstrdup(kind->identity(opened));
        assert_null(strstr(identities[i], tenants[i] ? tenants[i] : "u:p"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(identities[i], identities[j]);
        kind->close(opened);
    }
    for (size_t i = 0; i < 3; i++)
        free(identities[i]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_profile_is_pushed_and_the_rest_is_not),
        IN_FOLDER(what_goes_on_being_throttled_is_given_up),
        IN_FOLDER(after_a_day_it_is_given_up),
        IN_FOLDER(without_its_incident_a_profile_waits),
        IN_FOLDER(an_incident_that_cannot_be_read_is_given_up),
        IN_FOLDER(check_asks_without_a_profile),
        IN_FOLDER(it_can_be_closed_at_any_moment),
        IN_FOLDER(two_tenants_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
