#include "sources/tcp/tcp.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/own_ports.h"
#include "core/series.h"
#include "sources/source.h"
#include "sources/tcp/resolver.h"
#include "sources/tcp/traffic.h"

#include <stdlib.h>
#include <time.h>

enum { UNSEEN_MS = 15 * 1000 }; /* without any connection: time to say so */

struct database {
    char *endpoint;
    struct resolver *resolver;
    struct series *received_series, *sent_series, *connections_series, *rtt_series;
    struct tcp_totals sampled; /* at the last sample */
    bool complains;            /* its problem has been logged */
};

struct tcp {
    struct database *databases;
    size_t count;
    struct own_ports *own;
    struct traffic *traffic; /* its owners are the databases */
    bool said_lost;
    int64_t opened_ms;
    int64_t sampled_ns; /* 0: there is no sample that a rate could begin at */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Somebody connects to a database's port elsewhere: perhaps its name has moved there. */
static void hurry_resolvers(struct tcp *tcp, uint16_t port)
{
    for (size_t i = 0; i < tcp->count; i++)
        if (resolver_port(tcp->databases[i].resolver) == port)
            resolver_hurry(tcp->databases[i].resolver);
}

/* Sockets are observed by port, and whose they are is decided here: so a name can move without the
 * kernel's filters being changed. */
static uint32_t owners(void *arg, const struct sock_name *name, bool fresh)
{
    struct tcp *tcp = arg;
    uint32_t found = 0;
    if (own_ports_has(tcp->own, name->local_port))
        return 0;
    for (size_t i = 0; i < tcp->count; i++) {
        struct resolver *resolver = tcp->databases[i].resolver;
        if (resolver_port(resolver) == name->remote_port && resolver_has(resolver, name->remote))
            found |= UINT32_C(1) << i;
    }
    if (fresh && !found)
        hurry_resolvers(tcp, name->remote_port);
    return found;
}

static int open_database(struct database *database, const struct tcp_database *options,
    const struct source_setup *setup, struct error *err)
{
    database->resolver = resolver_open(setup->loop, setup->names, options->endpoint, err);
    if (!database->resolver)
        return -1;
    database->endpoint = xstrdup(options->endpoint);
    const struct {
        struct series **series;
        const char *metric;
    } all[] = {{&database->received_series, "received"}, {&database->sent_series, "sent"},
        {&database->connections_series, "connections"}, {&database->rtt_series, "rtt"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *name = options->name ? xasprintf("db.%s.%s", options->name, all[i].metric)
                                   : xasprintf("db.%s", all[i].metric);
        *all[i].series = series_set_add(setup->series, name);
        free(name);
    }
    return 0;
}

static void tcp_close(void *self)
{
    struct tcp *tcp = self;
    traffic_close(tcp->traffic);
    for (size_t i = 0; i < tcp->count; i++) {
        resolver_close(tcp->databases[i].resolver);
        free(tcp->databases[i].endpoint);
    }
    free(tcp->databases);
    free(tcp);
}

static struct traffic *open_traffic(struct tcp *tcp, const struct source_setup *setup)
{
    uint16_t ports[TCP_MAX_DATABASES];
    size_t count = 0;
    for (size_t i = 0; i < tcp->count; i++) {
        uint16_t port = resolver_port(tcp->databases[i].resolver);
        size_t at = 0;
        while (at < count && ports[at] != port)
            at++;
        ports[at] = port;
        if (at == count)
            count++;
    }
    return traffic_open(&(struct traffic_setup){.loop = setup->loop,
        .root = setup->root,
        .ports = ports,
        .port_count = count,
        .owners = owners,
        .arg = tcp});
}

static void *tcp_open(const struct source_setup *setup, struct error *err)
{
    const struct tcp_options *options = setup->options;
    if (options->count < 1 || options->count > TCP_MAX_DATABASES) {
        error_set(
            err, "there can be 1 to %d databases, not %zu", TCP_MAX_DATABASES, options->count);
        return NULL;
    }
    struct tcp *tcp = xcalloc(1, sizeof *tcp);
    tcp->opened_ms = clock_mono_ms();
    tcp->own = options->own;
    tcp->databases = xcalloc(options->count, sizeof *tcp->databases);
    for (size_t i = 0; i < options->count; i++) {
        if (open_database(&tcp->databases[i], &options->databases[i], setup, err)) {
            tcp_close(tcp);
            return NULL;
        }
        tcp->count++;
    }
    tcp->traffic = open_traffic(tcp, setup);
    return tcp;
}

void tcp_totals(const void *self, size_t database, struct tcp_totals *totals)
{
    const struct tcp *tcp = self;
    const struct traffic_flow *flow = traffic_of(tcp->traffic, database);
    *totals = (struct tcp_totals){.received = flow->received.shown, .sent = flow->sent.shown};
}

/* Whether the database can be measured: 1 yes, 0 not yet, -1 no, with err. */
static int usable(const struct tcp *tcp, size_t index, int64_t now_ms, struct error *err)
{
    const struct database *database = &tcp->databases[index];
    enum resolver_state state = resolver_state(database->resolver, err);
    if (state != RESOLVER_READY)
        return state == RESOLVER_FAILED ? -1 : 0;
    if (traffic_of(tcp->traffic, index)->seen)
        return 1;
    if (now_ms - tcp->opened_ms < UNSEEN_MS)
        return 0;
    return error_set(err,
        "no connection to the database at %s has been seen yet: if the app has one, its sockets "
        "are in another network namespace, as with bridge networking; share the app's (awsvpc, or "
        "the app's container as network), or give the endpoint that the app connects to",
        database->endpoint);
}

/* `seconds`: since the last sample; 0: there is none, or not all is known of the time between. */
static void push(struct tcp *tcp, size_t index, int64_t now_ms, double seconds, bool measured)
{
    struct database *database = &tcp->databases[index];
    const struct traffic_flow *flow = traffic_of(tcp->traffic, index);
    struct tcp_totals now, before = database->sampled;
    tcp_totals(tcp, index, &now);
    database->sampled = now;
    if (!measured)
        return;
    if (seconds > 0) {
        series_push(
            database->received_series, now_ms, (double)(now.received - before.received) / seconds);
        series_push(database->sent_series, now_ms, (double)(now.sent - before.sent) / seconds);
    }
    series_push(database->connections_series, now_ms, (double)flow->connections);
    if (flow->connections)
        series_push(database->rtt_series, now_ms,
            (double)flow->rtt_sum_us / (double)flow->connections / 1e6);
}

static void say_lost(struct tcp *tcp)
{
    if (!tcp->said_lost)
        log_warn("connections to the database are closed faster than the kernel's buffer allows: "
                 "such intervals of db.received and db.sent are gaps; a larger net.core.rmem_max "
                 "on the host helps (said once)");
    tcp->said_lost = true;
}

/* With several databases, one that cannot be measured is logged here, once a spell. */
static void complain(struct tcp *tcp, struct database *database, int state, const struct error *err)
{
    if (state < 0 && !database->complains && tcp->count > 1)
        log_warn("%s", err->text);
    database->complains = state < 0;
}

static int tcp_sample(void *self, int64_t now_ms, struct error *err)
{
    struct tcp *tcp = self;
    bool lost;
    if (traffic_survey(tcp->traffic, &lost, err))
        return -1;
    int64_t at_ns = now_ns();
    double seconds = tcp->sampled_ns && !lost ? (double)(at_ns - tcp->sampled_ns) / 1e9 : 0;
    tcp->sampled_ns = at_ns;
    if (lost)
        say_lost(tcp);
    size_t failed = 0;
    for (size_t i = 0; i < tcp->count; i++) {
        struct error reason;
        int state = usable(tcp, i, now_ms, &reason);
        complain(tcp, &tcp->databases[i], state, &reason);
        if (state < 0 && failed++ == 0)
            error_set(err, "%s", reason.text);
        push(tcp, i, now_ms, seconds, state > 0);
    }
    return failed == tcp->count ? -1 : 0;
}

static void tcp_describe(void *self, void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct tcp *tcp = self;
    for (size_t i = 0; i < tcp->count; i++) {
        char *sentence = xasprintf(
            "database traffic counts every TCP connection from this network namespace to %s; with "
            "host networking that includes other programs on the host",
            tcp->databases[i].endpoint);
        say(arg, sentence);
        free(sentence);
    }
}

const struct source_kind source_tcp = {
    .kind = {.name = "tcp",
        .help = "TCP payload between this network namespace and the database, from the kernel"},
    .open = tcp_open,
    .sample = tcp_sample,
    .describe = tcp_describe,
    .close = tcp_close,
};
