/* What becomes of incidents that wait for metrics, in a real spool, with a folder to store in and a
 * stub that is asked. */
#include "agent/incidents/reports.h"
#include "agent/late/late_parts.h"
#include "agent/late/late_schedule.h"
#include "config/config.h"
#include "core/buf.h"
#include "core/incident.h"
#include "delivery_rig.h"

enum { MANY = 20 };
static const int64_t hour_ms = 3600000;

static char cpu_name[] = "CPUUtilization";
static char *metrics_wanted[] = {cpu_name};

/* A world, and what late adds to it. */
static struct database_config database;
static struct stub_server stub;
static struct stub_answer answers[1];
static struct reports *reports;
static struct late *late;
static char *ids[MANY];
static char body[1000];

static void put_text(const struct world *world, const char *id, const char *file, const char *text)
{
    char *path = xasprintf("%s/state/spool/%s/%s", world->path, id, file);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
}

/* An incident of an hour ago, so that it is asked for at once. */
static void spool_old(const struct world *world, size_t index)
{
    struct incident *incident = incident_new();
    incident->fired_ms = clock_wall_ms() - hour_ms - (int64_t)index * 1000;
    incident->id = incident_new_id(incident->fired_ms, "cpu-high");
    incident->service = xstrdup("woogles");
    incident->kind = xstrdup("spike");
    char *text = incident_to_text(incident);
    char *csv = xasprintf("time,cpu\n%lld.000,5\n", (long long)incident->fired_ms / 1000);
    put_in_spool(world, incident->id, "cpu.pb.gz");
    put_text(world, incident->id, "metrics.csv", csv);
    put_text(world, incident->id, "incident.json", text);
    ids[index] = xstrdup(incident->id);
    free(text);
    free(csv);
    incident_free(incident);
}

/* The last minute of the first incident, as CloudWatch has it. */
static void answer_with_data(void)
{
    char time[RFC3339_SIZE];
    int64_t fired_ms;
    incident_id_time(ids[0], &fired_ms);
    rfc3339_format(late_last_minute_ms(fired_ms) - 60000, time);
    snprintf(body, sizeof body,
        "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>m1</Id>"
        "<Timestamps><member>%s</member></Timestamps><Values><member>42.5</member></Values>"
        "</member></MetricDataResults></GetMetricDataResult></GetMetricDataResponse>",
        time);
    answers[0] = (struct stub_answer){.status = 200, .body = body};
}

static void open_late(struct world *world)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    stub_start(&stub, answers, 1);
    static char instance[] = "games", region[] = "eu-west-1", endpoint[] = "127.0.0.1:1";
    database = (struct database_config){.endpoint = endpoint,
        .cloudwatch = {.instance = instance,
            .region = region,
            .endpoint = stub.url,
            .metrics = {metrics_wanted, 1}}};
    world->config.databases = &database;
    world->config.database_count = 1;
    world->config.limits.analyse = ANALYSE_READER;
    world->config.state = in_world(world, "state");
    reports = reports_open(&(struct reports_setup){
        .loop = world->loop, .spool = world->spool, .config = &world->config, .disk = world->disk});
    late = late_open(&(struct late_setup){.loop = world->loop,
        .disk = world->disk,
        .spool = world->spool,
        .delivery = world->delivery,
        .reports = reports,
        .config = &world->config});
}

static void close_late(struct world *world)
{
    late_stop(late);
    delivery_close(world->delivery);
    offload_close(world->disk); /* what it has finished is told late still */
    late_close(late);
    reports_close(reports);
    spool_close(world->spool);
    loop_timer_free(world->look);
    loop_close(world->loop);
    world->loop = NULL;
    stub_stop(&stub);
    stub_free(&stub);
    free(world->config.state);
    for (size_t i = 0; i < MANY; i++) {
        free(ids[i]);
        ids[i] = NULL;
    }
}

static void take(const struct world *world, size_t index)
{
    late_take(late, ids[index]);
    delivery_add(world->delivery, ids[index]);
}

static bool nothing_is_late(const struct world *world)
{
    char *folder = xasprintf("state/late/%s", ids[0]);
    bool there = is_there(world, folder);
    free(folder);
    return late_waiting(late) == 0 && !there;
}

static char *stored_text(const struct world *world, const char *file)
{
    char *folder = incident_folder("woogles", ids[0]);
    char *path = xasprintf("%s/a/%s/%s", world->path, folder, file);
    struct buf text;
    assert_int_equal(fs_read(path, 10000, &text, NULL), 0);
    char *copy = xstrdup(text.data);
    buf_free(&text);
    free(path);
    free(folder);
    return copy;
}

static void what_comes_is_added_to_what_is_stored(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    spool_old(world, 0);
    answer_with_data();
    open_late(world);
    take(world, 0);
    assert_int_equal(late_waiting(late), 1);
    wait_until(world, nothing_is_late);
    char *csv = stored_text(world, "metrics.csv"), *json = stored_text(world, "incident.json");
    assert_non_null(strstr(csv, "time,cpu,rds.CPUUtilization\n"));
    assert_non_null(strstr(csv, ",42.5\n"));
    assert_non_null(strstr(json, "\"late_added\""));
    assert_non_null(strstr(json, "\"rds.CPUUtilization\""));
    assert_int_equal(stub.count, 1);
    assert_string_equal(stub.requests[0].method, "POST");
    assert_non_null(strstr(stub.requests[0].authorization, "/eu-west-1/monitoring/aws4_request"));
    free(csv);
    free(json);
    close_late(world);
}

static bool first_waits(const struct world *world)
{
    (void)world;
    return late->all[0]->state == LATE_WAITING;
}

static void what_does_not_come_is_given_up_after_the_last_try(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    spool_old(world, 0);
    answers[0] = (struct stub_answer){.status = 400, .body = "<x/>"};
    open_late(world);
    take(world, 0);
    wait_until(world, first_waits);
    late->all[0]->tries = LATE_TRIES - 1;
    late->all[0]->began_ms -= hour_ms;
    late_look(late);
    wait_until(world, nothing_is_late);
    wait_until(world, nothing_waits);
    assert_non_null(strstr(late_error(late), "HTTP 400"));
    char *csv = stored_text(world, "metrics.csv");
    assert_null(strstr(csv, "rds."));
    free(csv);
    close_late(world);
}

/* As those that are left to other copies of the service. */
static void what_nobody_stores_gets_nothing(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    spool_old(world, 0);
    answer_with_data();
    open_late(world);
    late_take(late, ids[0]);
    wait_until(world, nothing_is_late);
    assert_int_equal(stub.count, 0);
    assert_false(is_there(world, "a"));
    close_late(world);
}

static void baselines_and_databases_without_it_get_nothing(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    open_late(world);
    late_take(late, "20261123T150401Z-baseline-000001");
    assert_int_equal(late_waiting(late), 0);
    database.cloudwatch.instance = NULL;
    late_reload(late, &world->config);
    late_take(late, first);
    assert_int_equal(late_waiting(late), 0);
    close_late(world);
}

static bool nothing_is_waited_for(const struct world *world)
{
    (void)world;
    return late_waiting(late) == 0;
}

/* Killed while it linked the files of one, and started again without any cloudwatch. */
static void what_an_earlier_run_left_goes(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    put(world, "state/late/.20260101T000000Z-cpu-high-0a0b0c/cpu.pb.gz");
    open_world(world);
    spool_old(world, 0);
    open_late(world);
    assert_false(is_there(world, "state/late/.20260101T000000Z-cpu-high-0a0b0c"));
    late_take(late, ids[0]);
    late->databases[0].wanted = false;
    wait_until(world, nothing_is_waited_for);
    close_late(world);
}

static bool sixteen_wait(const struct world *world)
{
    return first_waits(world) && late_waiting(late) == 16;
}

/* The store is down meanwhile, so that none of them is done. */
static void the_oldest_of_too_many_goes(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    put(world, "a/service=woogles"); /* a file in the way */
    open_world(world);
    answers[0] = (struct stub_answer){.status = 503};
    for (size_t i = 0; i < MANY; i++)
        spool_old(world, i);
    open_late(world);
    for (size_t i = 0; i < MANY; i++)
        take(world, i);
    wait_until(world, first_failed);
    wait_until(world, sixteen_wait);
    assert_string_equal(late->all[0]->id, ids[MANY - 16]);
    world->config.limits.spool_bytes = 1;
    late_give_way(late); /* what is not stored has its files in the spool anyway */
    assert_int_equal(late_waiting(late), 16);
    close_late(world);
}

static bool only_late_has_it(const struct world *world)
{
    char *folder = xasprintf("%s/state/late/%s", world->path, ids[0]);
    uint64_t bytes = fs_size(folder);
    free(folder);
    return nothing_waits(world) && bytes > 0 && spool_bytes(world->spool) == bytes;
}

static bool nothing_is_kept(const struct world *world)
{
    return nothing_is_late(world) && spool_bytes(world->spool) == 0;
}

static void what_is_stored_gives_way_in_a_full_spool(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    answers[0] = (struct stub_answer){.status = 503};
    spool_old(world, 0);
    open_late(world);
    take(world, 0);
    wait_until(world, only_late_has_it);
    late_give_way(late);
    assert_int_equal(late_waiting(late), 1);
    world->config.limits.spool_bytes = 1;
    late_give_way(late);
    assert_int_equal(late_waiting(late), 0);
    wait_until(world, nothing_is_kept);
    close_late(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_comes_is_added_to_what_is_stored),
        IN_A_WORLD(what_does_not_come_is_given_up_after_the_last_try),
        IN_A_WORLD(what_nobody_stores_gets_nothing),
        IN_A_WORLD(baselines_and_databases_without_it_get_nothing),
        IN_A_WORLD(what_an_earlier_run_left_goes),
        IN_A_WORLD(the_oldest_of_too_many_goes),
        IN_A_WORLD(what_is_stored_gives_way_in_a_full_spool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
