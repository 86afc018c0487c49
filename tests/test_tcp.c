/* The tcp source: which connections are whose, and what is said when nothing can be measured. */
#include "tests/tcp_rig.h"

static void ipv6_and_mapped_sockets_count(void **state)
{
    struct rig *rig = *state;
    uint16_t port, port6;
    int listener = listen_on(AF_INET, &port);
    int listener6 = listen_on(AF_INET6, &port6);
    if (listener6 < 0)
        skip();
    char v4[100], v6[100];
    snprintf(v4, sizeof v4, "127.0.0.1:%u", (unsigned)port);
    snprintf(v6, sizeof v6, "[::1]:%u", (unsigned)port6);
    const struct tcp_database databases[] = {{"four", v4}, {"six", v6}};
    watch_databases(rig, databases, 2);
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    for (int i = 0; i < 3; i++) {
        struct pair pair = connect_address(
            listener, (const struct sockaddr *)&mapped, sizeof mapped);
        query(pair);
        if (i == 1)
            sample(rig);
        close_pair(pair);
        pair = connect_pair(listener6, AF_INET6, port6);
        query(pair);
        query(pair);
        if (i == 2)
            sample(rig);
        close_pair(pair);
    }
    expect_totals(rig, 0, 3 * ANSWER, 3 * QUERY, true);
    expect_totals(rig, 1, 6 * ANSWER, 6 * QUERY, true);
    assert_true(latest(rig, "db.four.connections") == 0);
    assert_true(latest(rig, "db.six.received") == 0);
    close(listener);
    close(listener6);
}

static void only_the_databases_own_port_and_address_count(void **state)
{
    struct rig *rig = *state;
    enum { DATABASES = 5 };
    int listeners[DATABASES + 1];
    uint16_t ports[DATABASES + 1];
    char endpoints[DATABASES][100], names[DATABASES][8];
    struct tcp_database databases[DATABASES];
    for (size_t i = 0; i <= DATABASES; i++)
        listeners[i] = listen_on(AF_INET, &ports[i]);
    for (size_t i = 0; i < DATABASES; i++) {
        /* The last has a port that is used, at an address that is not. */
        bool elsewhere = i == DATABASES - 1;
        snprintf(endpoints[i], sizeof endpoints[i], "127.0.0.%d:%u", elsewhere ? 9 : 1,
            (unsigned)ports[i]);
        snprintf(names[i], sizeof names[i], "d%zu", i);
        databases[i] = (struct tcp_database){names[i], endpoints[i]};
    }
    watch_databases(rig, databases, DATABASES);
    struct pair held[DATABASES + 1];
    for (size_t i = 0; i <= DATABASES; i++) {
        held[i] = connect_pair(listeners[i], AF_INET, ports[i]);
        struct pair brief = connect_pair(listeners[i], AF_INET, ports[i]);
        for (size_t j = 0; j <= i; j++) {
            query(held[i]);
            query(brief);
        }
        close_pair(brief);
    }
    for (size_t i = 0; i < DATABASES - 1; i++)
        expect_totals(rig, i, 2 * (i + 1) * ANSWER, 2 * (i + 1) * QUERY, true);
    expect_totals(rig, DATABASES - 1, 0, 0, true);
    assert_true(latest(rig, "db.d0.connections") == 1);
    assert_true(gap(rig, "db.d4.connections"));
    for (size_t i = 0; i <= DATABASES; i++) {
        close_pair(held[i]);
        close(listeners[i]);
    }
}

static void a_connection_that_is_older_than_its_name_counts_from_then(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    watch(rig, "localhost", port);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    sample(rig); /* the loop has not run: no address is known */
    assert_int_equal(totals(rig, 0).received, 0);
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (gap(rig, "db.connections") && clock_mono_ms() < deadline_ms) {
        serve(rig, 5);
        sample(rig);
    }
    query(pair);
    sample(rig);
    assert_int_equal(totals(rig, 0).received, ANSWER);
    close_pair(pair);
    close(listener);
}

static void a_name_that_cannot_be_looked_up_is_a_gap_with_a_reason(void **state)
{
    struct rig *rig = *state;
    watch(rig, "no-such-name.invalid", 5432);
    struct error err = {""};
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (source_tcp.sample(rig->source, rig->now_ms += 100, &err) == 0) {
        assert_true(clock_mono_ms() < deadline_ms);
        serve(rig, 5);
    }
    assert_non_null(strstr(err.text, "no-such-name.invalid"));
    assert_true(gap(rig, "db.received") && gap(rig, "db.connections"));
}

static void a_database_that_is_never_seen_is_a_gap_with_a_reason(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    watch(rig, "127.0.0.1", port);
    struct error err = {""};
    int64_t opened_ms = clock_mono_ms();
    assert_int_equal(source_tcp.sample(rig->source, opened_ms + 14000, &err), 0);
    assert_int_equal(source_tcp.sample(rig->source, opened_ms + 16000, &err), -1);
    assert_non_null(strstr(err.text, "network namespace"));
    assert_null(series_at(series_set_find(&rig->series, "db.received"), 0));
    /* Once there is a connection, nothing is a true zero, for ever. */
    struct pair pair = connect_pair(listener, AF_INET, port);
    close_pair(pair);
    rig->now_ms = opened_ms + 70000;
    struct series *received = series_set_find(&rig->series, "db.received");
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (!series_at(received, 0) && clock_mono_ms() < deadline_ms) {
        serve(rig, 5);
        source_tcp.sample(rig->source, rig->now_ms += 1000, &err);
    }
    sample(rig);
    assert_true(latest(rig, "db.received") == 0);
    assert_true(latest(rig, "db.connections") == 0);
    close(listener);
}

/* Descriptors run out, as a stand-in for a kernel that refuses. */
static void what_the_kernel_refuses_is_tried_again(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    struct rlimit normal, none;
    getrlimit(RLIMIT_NOFILE, &normal);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = normal.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    watch(rig, "127.0.0.1", port);
    struct error err = {""};
    int result = source_tcp.sample(rig->source, rig->now_ms += 1000, &err);
    setrlimit(RLIMIT_NOFILE, &normal);
    assert_int_equal(result, -1);
    assert_non_null(strstr(err.text, "cannot be measured"));
    sample(rig);
    query(pair);
    sample(rig);
    assert_false(gap(rig, "db.received"));
    assert_int_equal(totals(rig, 0).received, ANSWER);
    close_pair(pair);
    close(listener);
}

static void an_endpoint_that_is_none_cannot_be_opened(void **state)
{
    struct rig *rig = *state;
    const struct tcp_database databases[] = {
        {"good", "localhost:5432"}, {"bad", "10.0.0.1"}, {"never", "localhost:5433"}};
    struct tcp_options options = {.databases = databases, .count = 3};
    struct source_setup setup = {.loop = rig->loop,
        .names = rig->names,
        .series = &rig->series,
        .root = "/",
        .interval_ms = 1000,
        .options = &options};
    struct error err = {""};
    assert_null(source_tcp.open(&setup, &err));
    assert_non_null(strstr(err.text, "10.0.0.1"));
}

static void count_sentence(void *arg, const char *sentence)
{
    assert_non_null(strstr(sentence, "host networking"));
    ++*(int *)arg;
}

static void it_describes_what_it_counts(void **state)
{
    struct rig *rig = *state;
    int sentences = 0;
    watch(rig, "127.0.0.1", 5432);
    source_tcp.describe(rig->source, count_sentence, &sentences);
    assert_int_equal(sentences, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(ipv6_and_mapped_sockets_count),
        LIVE(only_the_databases_own_port_and_address_count),
        LIVE(a_connection_that_is_older_than_its_name_counts_from_then),
        LIVE(a_name_that_cannot_be_looked_up_is_a_gap_with_a_reason),
        LIVE(a_database_that_is_never_seen_is_a_gap_with_a_reason),
        LIVE(what_the_kernel_refuses_is_tried_again),
        LIVE(an_endpoint_that_is_none_cannot_be_opened),
        LIVE(it_describes_what_it_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
