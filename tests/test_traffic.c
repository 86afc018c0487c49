/* Counting, through the tcp source: every way in which a connection begins and ends. */
#include "sources/tcp/traffic.h"

#include "tests/tcp_rig.h"

static void long_connections_count_from_dump_to_dump(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = watch_listener(rig, &port);
    sample(rig);
    assert_true(gap(rig, "db.received"));
    assert_true(gap(rig, "db.connections"));
    struct pair a = connect_pair(listener, AF_INET, port);
    struct pair b = connect_pair(listener, AF_INET, port);
    query(a);
    sample(rig);
    assert_int_equal(totals(rig, 0).received, ANSWER);
    assert_int_equal(totals(rig, 0).sent, QUERY);
    assert_true(latest(rig, "db.received") > 0 && latest(rig, "db.sent") > 0);
    assert_true(latest(rig, "db.connections") == 2);
    assert_true(latest(rig, "db.rtt") > 0 && latest(rig, "db.rtt") < 10);
    query(a);
    carry(b.server, b.client, 3000000);
    sample(rig);
    assert_int_equal(totals(rig, 0).received, 2 * ANSWER + 3000000);
    sample(rig);
    assert_true(latest(rig, "db.received") == 0);
    close_pair(a);
    close_pair(b);
    expect_totals(rig, 0, 2 * ANSWER + 3000000, 2 * QUERY, true);
    assert_true(latest(rig, "db.connections") == 0);
    assert_true(latest(rig, "db.received") == 0);
    assert_true(gap(rig, "db.rtt"));
    close(listener);
}

/* A connection that is still being made when it is first seen: its server has no room for it. */
static void a_slow_connection_counts_once_it_is_there(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    listen(listener, 0);
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, AF_INET, port);
    watch(rig, "127.0.0.1", port);
    int first = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(first, (struct sockaddr *)&address, size), 0);
    struct pair slow = {.client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    assert_int_equal(connect(slow.client, (struct sockaddr *)&address, size), -1);
    sample(rig);
    assert_true(latest(rig, "db.connections") == 1);
    struct pair pair = {.client = first, .server = accept(listener, NULL, NULL)};
    struct pollfd connected = {.fd = slow.client, .events = POLLOUT};
    assert_int_equal(poll(&connected, 1, PATIENCE_MS), 1);
    slow.server = accept(listener, NULL, NULL);
    query(slow);
    sample(rig); /* nothing was opened since the last: sockets are asked for one by one */
    assert_true(latest(rig, "db.connections") == 2);
    assert_int_equal(totals(rig, 0).received, ANSWER);
    close_pair(slow);
    close_pair(pair);
    expect_totals(rig, 0, ANSWER, QUERY, true);
    close(listener);
}

static void hundreds_of_connections_count(void **state)
{
    struct rig *rig = *state;
    enum { CONNECTIONS = 400 };
    struct pair pairs[CONNECTIONS];
    uint16_t port;
    int listener = watch_listener(rig, &port);
    for (int i = 0; i < CONNECTIONS; i++) {
        pairs[i] = connect_pair(listener, AF_INET, port);
        query(pairs[i]);
    }
    for (uint64_t round = 1; round <= 3; round++) {
        sample(rig);
        assert_true(latest(rig, "db.connections") == CONNECTIONS);
        assert_int_equal(totals(rig, 0).received, round * CONNECTIONS * ANSWER);
        for (int i = 0; i < CONNECTIONS; i++)
            query(pairs[i]);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        close_pair(pairs[i]);
    expect_totals(rig, 0, 4 * CONNECTIONS * ANSWER, 4 * CONNECTIONS * QUERY, true);
    close(listener);
}

static void what_is_open_at_the_start_is_a_baseline(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    struct pair open_pair = connect_pair(listener, AF_INET, port);
    struct pair ending = connect_pair(listener, AF_INET, port);
    query(open_pair);
    query(ending);
    watch(rig, "127.0.0.1", port);
    sample(rig);
    assert_int_equal(totals(rig, 0).received, 0);
    assert_true(latest(rig, "db.connections") == 2);
    query(ending);
    close_pair(ending);
    query(open_pair);
    expect_totals(rig, 0, 2 * ANSWER, 2 * QUERY, true);
    close_pair(open_pair);
    close(listener);
}

/* Ways in which a connection ends; each is made both before any dump has seen it and after. */
static void server_first(struct pair pair)
{
    close(pair.server);
    expect_end(pair.client);
    close(pair.client);
}

static void server_first_unread(struct pair pair)
{
    close(pair.server);
    close(pair.client);
}

static void client_first(struct pair pair)
{
    close_pair(pair);
}

static void server_reset(struct pair pair)
{
    reset(pair.server);
    close(pair.client);
}

static void every_end_counts_exactly(void **state)
{
    struct rig *rig = *state;
    static void (*const ends[])(struct pair pair) = {
        server_first, server_first_unread, client_first, server_reset};
    uint16_t port;
    int listener = watch_listener(rig, &port);
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (int seen = 0; seen < 2; seen++) {
            struct pair pair = connect_pair(listener, AF_INET, port);
            query(pair);
            if (seen)
                sample(rig);
            query(pair);
            ends[i](pair);
            count += 2;
            expect_totals(rig, 0, count * ANSWER, count * QUERY, true);
        }
    }
    close(listener);
}

/* The answer to our FIN and the server's own come apart: the full socket never sees the latter. */
static void a_fin_that_comes_late_is_no_byte(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = watch_listener(rig, &port);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    close(pair.client);
    expect_totals(rig, 0, ANSWER, QUERY, true);
    close(pair.server);
    expect_totals(rig, 0, ANSWER, QUERY, true);
    close(listener);
}

static void a_half_closed_connection_has_no_byte_too_many(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = watch_listener(rig, &port);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    close(pair.server);
    expect_end(pair.client);
    sample(rig); /* CLOSE_WAIT */
    assert_int_equal(totals(rig, 0).received, ANSWER);
    assert_true(latest(rig, "db.connections") == 0);
    close(pair.client);
    expect_totals(rig, 0, ANSWER, QUERY, true);
    close(listener);
}

static void closes_are_read_between_samples(void **state)
{
    struct rig *rig = *state;
    enum { CONNECTIONS = 50 };
    uint16_t port;
    int listener = watch_listener(rig, &port);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct pair pair = connect_pair(listener, AF_INET, port);
        query(pair);
        close_pair(pair);
    }
    expect_totals(rig, 0, CONNECTIONS * ANSWER, CONNECTIONS * QUERY, false);
    sample(rig);
    assert_int_equal(totals(rig, 0).received, CONNECTIONS * ANSWER);
    close(listener);
}

static void a_client_abort_loses_only_what_came_since_the_last_sample(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = watch_listener(rig, &port);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    sample(rig);
    reset(pair.client);
    close(pair.server);
    pair = connect_pair(listener, AF_INET, port);
    query(pair);
    close_pair(pair);
    expect_totals(rig, 0, 2 * ANSWER, 2 * QUERY, true);
    close(listener);
}

static void a_socket_that_died_before_the_start_does_not_count(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = listen_on(AF_INET, &port);
    struct pair dead = connect_pair(listener, AF_INET, port);
    query(dead);
    reset(dead.server); /* the client does not know yet, as in a pool of connections */
    usleep(50 * 1000);  /* the kernel tells ages in ticks: there must be some between */
    watch(rig, "127.0.0.1", port);
    sample(rig);
    close(dead.client);
    struct pair pair = connect_pair(listener, AF_INET, port);
    query(pair);
    close_pair(pair);
    expect_totals(rig, 0, ANSWER, QUERY, true);
    close(listener);
}

static bool socket_is_ours(unsigned long inode)
{
    char wanted[64], path[64], link[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    for (int fd = 3; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, link, sizeof link - 1);
        if (length > 0 && (link[length] = '\0', !strcmp(link, wanted)))
            return true;
    }
    return false;
}

/* Whether the kernel has dropped messages to a netlink socket of ours. */
static bool dropped(void)
{
    char line[256];
    bool any = false;
    FILE *file = fopen("/proc/net/netlink", "r");
    assert_non_null(file);
    while (!any && fgets(line, sizeof line, file)) {
        unsigned long drops, inode;
        if (sscanf(line, "%*s %*d %*d %*x %*d %*d %*d %*d %lu %lu", &drops, &inode) == 2)
            any = drops > 0 && socket_is_ours(inode);
    }
    fclose(file);
    return any;
}

/* More closes than the buffer holds, while the loop does not get to run. The kernel tells of them
 * later, from a worker of its own. */
static int overflow(int listener, uint16_t port)
{
    enum { CONNECTIONS = 20000 };
    for (int i = 0; i < CONNECTIONS; i++) {
        struct pair pair = connect_pair(listener, AF_INET, port);
        carry(pair.server, pair.client, 1);
        server_reset(pair); /* leaves nothing in TIME_WAIT */
    }
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (!dropped() && clock_mono_ms() < deadline_ms)
        usleep(1000);
    assert_true(dropped());
    return CONNECTIONS;
}

/* Until no more events come. */
static void settle(struct rig *rig)
{
    uint64_t before = 0;
    for (int quiet = 0; quiet < 5; quiet++) {
        serve(rig, 100);
        sample(rig);
        if (totals(rig, 0).received != before || gap(rig, "db.received"))
            quiet = -1;
        before = totals(rig, 0).received;
    }
}

static void an_overflow_is_a_gap_and_then_it_goes_on(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listener = watch_listener(rig, &port);
    struct pair held = connect_pair(listener, AF_INET, port);
    query(held);
    sample(rig);
    sample(rig);
    assert_false(gap(rig, "db.received"));
    query(held);
    int connections = overflow(listener, port);
    sample(rig);
    assert_true(gap(rig, "db.received") && gap(rig, "db.sent"));
    assert_true(latest(rig, "db.connections") == 1);
    settle(rig);
    uint64_t counted = totals(rig, 0).received;
    assert_in_range(counted, 2 * ANSWER, 2 * ANSWER + connections - 1);
    query(held);
    sample(rig);
    assert_false(gap(rig, "db.received"));
    assert_int_equal(totals(rig, 0).received, counted + ANSWER);
    close_pair(held);
    close(listener);
}

static int parse(const char *text, uint64_t *opens)
{
    return traffic_parse_opens(text, strlen(text), opens);
}

static void opened_connections_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t opens;
    } cases[] = {
        {"Tcp: RtoAlgorithm ActiveOpens PassiveOpens\nTcp: 1 195662 7\n", 195662},
        {"Ip: Forwarding\nIp: 1\nTcp: MaxConn ActiveOpens\nTcp: -1 3\nUdp: X\nUdp: 1\n", 3},
        {"Tcp: ActiveOpens\nTcp: 0", 0},
        {"Tcp: ActiveOpens\nTcp: 18446744073709551615\n", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t opens = 1;
        assert_int_equal(parse(cases[i].text, &opens), 0);
        assert_true(opens == cases[i].opens);
    }
}

static void what_does_not_say_it_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "Tcp:", "Tcp: ActiveOpens", "Tcp: ActiveOpens\n",
        "Tcp: ActiveOpens\nTcp:", "Tcp: ActiveOpens\nUdp: 1\n", "Tcp: ActiveOpens\nTcp: x\n",
        "Tcp: ActiveOpens\nTcp: -1\n", "Tcp: ActiveOpens\nTcp: 1x\n", "Tcp: A B\nTcp: 1 2\n",
        "Tcp: A ActiveOpens\nTcp: 1\nUdp: 2\n", "Tcp: A B ActiveOpens\nTcp: 1\nUdp: 2\n",
        "ActiveOpens\n1\n"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t opens;
        assert_int_equal(parse(cases[i], &opens), -1);
    }
}

static void this_kernel_says_it(void **state)
{
    (void)state;
    char text[16384];
    uint64_t opens;
    FILE *file = fopen("/proc/net/snmp", "r");
    if (!file)
        skip();
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_int_equal(traffic_parse_opens(text, size, &opens), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_connections_are_read),
        cmocka_unit_test(what_does_not_say_it_is_refused),
        cmocka_unit_test(this_kernel_says_it),
        LIVE(long_connections_count_from_dump_to_dump),
        LIVE(a_slow_connection_counts_once_it_is_there),
        LIVE(hundreds_of_connections_count),
        LIVE(what_is_open_at_the_start_is_a_baseline),
        LIVE(every_end_counts_exactly),
        LIVE(a_fin_that_comes_late_is_no_byte),
        LIVE(a_half_closed_connection_has_no_byte_too_many),
        LIVE(closes_are_read_between_samples),
        LIVE(a_client_abort_loses_only_what_came_since_the_last_sample),
        LIVE(a_socket_that_died_before_the_start_does_not_count),
        LIVE(an_overflow_is_a_gap_and_then_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
