#include "sources/tcp/traffic.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "sources/tcp/diag_socket.h"
#include "sources/tcp/sock_table.h"

#include <stdlib.h>
#include <string.h>

enum {
    EVENTS_A_ROUND = 512, /* read between two looks at the rest of the loop */
    EVENTS_A_SURVEY = 64 * 1024,
    TICK_MS = 20,        /* the kernel's ages are this coarse, and some more */
    FINDS_MAX = 256,     /* as many sockets are asked for one by one instead of by a dump */
    DUMP_MS = 10 * 1000, /* at least every */
    SNMP_MAX = 64 * 1024
};

struct traffic {
    struct traffic_setup setup;
    char *snmp_path;
    uint16_t ports[SOCK_DIAG_PORTS_MAX];
    struct traffic_flow flows[TRAFFIC_OWNERS_MAX];
    struct diag_socket diag;
    struct loop_watch *watch;
    bool open;               /* diag and watch are */
    struct sock_table table; /* every socket to one of the ports, whoever owns it */
    uint32_t survey;         /* number of the last one */
    uint64_t opens;          /* connections ever opened from here, at the last dump */
    int64_t dumped_ms;
    bool baseline; /* what is seen now is no traffic */
    bool lost;
    bool said_full;
    int64_t blind_until_ms; /* sockets that are silent since may have been counted before */
};

static void tally_add(struct tally *tally, int64_t bytes)
{
    tally->sum += bytes;
    if (tally->sum > 0 && (uint64_t)tally->sum > tally->shown)
        tally->shown = (uint64_t)tally->sum;
}

/* Adds what the socket has carried since the last look to its owners. */
static void account(
    struct traffic *traffic, struct sock_entry *entry, const struct sock_diag_record *record)
{
    uint64_t received = record->received;
    if (entry->fin && received > 0)
        received--;
    /* A socket can be disconnected and connected anew: its counters then begin again. */
    if (received + 1 < entry->received)
        entry->received = entry->sent = 0;
    for (size_t i = 0; i < TRAFFIC_OWNERS_MAX; i++) {
        if (!(entry->owners >> i & 1))
            continue;
        tally_add(&traffic->flows[i].received, (int64_t)(received - entry->received));
        tally_add(&traffic->flows[i].sent, (int64_t)(record->sent - entry->sent));
        traffic->flows[i].seen = true;
    }
    entry->received = received;
    entry->sent = record->sent;
}

/* When the table is full, sockets that are gone without an event having told so make room. */
static struct sock_entry *add_entry(struct traffic *traffic, uint64_t cookie)
{
    struct sock_entry *entry = sock_table_add(&traffic->table, cookie);
    if (entry || !cookie)
        return entry;
    sock_table_forget(&traffic->table, traffic->survey - 1);
    traffic->blind_until_ms = clock_mono_ms();
    entry = sock_table_add(&traffic->table, cookie);
    if (!entry && !traffic->said_full)
        log_warn("there are more than %d connections to the database's port: those beyond are "
                 "counted only when they are closed",
            SOCK_TABLE_MAX);
    traffic->said_full = traffic->said_full || !entry;
    return entry;
}

static void count_connection(struct traffic *traffic, uint32_t owners, uint32_t rtt_us)
{
    for (size_t i = 0; i < TRAFFIC_OWNERS_MAX; i++) {
        if (!(owners >> i & 1))
            continue;
        traffic->flows[i].seen = true;
        traffic->flows[i].connections++;
        traffic->flows[i].rtt_sum_us += rtt_us;
    }
}

/* A socket that is new since the last survey counts with all that it carried; one that was there
 * before we began, or before it had this owner, counts from now. */
static void on_socket(void *arg, const struct sock_diag_record *record)
{
    struct traffic *traffic = arg;
    if (!record->counted)
        return;
    struct sock_entry *entry = sock_table_find(&traffic->table, record->cookie);
    bool fresh = !entry;
    uint32_t owners = traffic->setup.owners(traffic->setup.arg, &record->name, fresh);
    if (fresh)
        entry = add_entry(traffic, record->cookie);
    if (!entry)
        return;
    entry->name = record->name;
    entry->fin = sock_diag_fin(record) == SOCK_FIN_COUNTED;
    if (fresh && !traffic->baseline)
        entry->owners = owners;
    account(traffic, entry, record);
    entry->owners |= owners;
    bool twice = entry->survey == traffic->survey; /* a dump can have a socket two times */
    entry->survey = traffic->survey;
    if (record->state == SOCK_ESTABLISHED && !twice)
        count_connection(traffic, entry->owners, record->rtt_us);
}

/* A socket that was dead when we began can be closed hours later: its bytes are not of our time. */
static bool before_our_time(const struct traffic *traffic, const struct sock_diag_record *record)
{
    int64_t silent_ms = record->data_sent_ms < record->data_received_ms ? record->data_sent_ms
                                                                        : record->data_received_ms;
    return silent_ms > clock_mono_ms() - traffic->blind_until_ms + TICK_MS;
}

static void on_close(void *arg, const struct sock_diag_record *record)
{
    struct traffic *traffic = arg;
    struct sock_entry *known = sock_table_find(&traffic->table, record->cookie);
    struct sock_entry entry = known ? *known : (struct sock_entry){.cookie = record->cookie};
    if (known)
        sock_table_remove(&traffic->table, known);
    bool aborted = record->name.remote_port == 0; /* the kernel has cleared the counters as well */
    if (aborted || !record->counted || (!known && before_our_time(traffic, record)))
        return;
    if (!known)
        entry.owners = traffic->setup.owners(traffic->setup.arg, &record->name, true);
    if (!entry.owners)
        return;
    entry.fin = entry.fin || diag_socket_counted_fin(&traffic->diag, record);
    account(traffic, &entry, record);
}

static void stop(struct traffic *traffic)
{
    if (!traffic->open)
        return;
    loop_unwatch(traffic->watch);
    diag_socket_close(&traffic->diag);
    traffic->open = false;
    traffic->lost = true;
}

/* Between two surveys, so that the kernel's buffer does not fill up. */
static void on_readable(void *arg)
{
    struct traffic *traffic = arg;
    if (traffic->open &&
        diag_socket_events(&traffic->diag, EVENTS_A_ROUND, on_close, traffic, &traffic->lost, NULL))
        stop(traffic);
}

/* The number in column ActiveOpens of the two lines that begin with "Tcp:", names and values. */
int traffic_parse_opens(const char *text, size_t size, uint64_t *opens)
{
    static const char start[] = "Tcp:", column[] = "ActiveOpens";
    char copy[1024];
    const char *names = memmem(text, size, start, sizeof start - 1);
    if (!names)
        return -1;
    size_t left = size - (size_t)(names - text);
    size_t length = left < sizeof copy - 1 ? left : sizeof copy - 1;
    memcpy(copy, names, length);
    copy[length] = '\0';
    char *values = strchr(copy, '\n');
    if (!values || strncmp(values + 1, start, sizeof start - 1) != 0)
        return -1;
    *values++ = '\0';
    values[strcspn(values, "\n")] = '\0';
    char *name_rest, *value_rest;
    char *name = strtok_r(copy, " ", &name_rest), *value = strtok_r(values, " ", &value_rest);
    while (name && value && strcmp(name, column) != 0) {
        name = strtok_r(NULL, " ", &name_rest);
        value = strtok_r(NULL, " ", &value_rest);
    }
    if (!name || !value || *value < '0' || *value > '9')
        return -1;
    char *end;
    *opens = strtoull(value, &end, 10);
    return *end ? -1 : 0;
}

/* The kernel counts every connection that is opened: as long as it has not moved since before the
 * last dump, there is no socket that the dump did not show. */
static bool nothing_opened(struct traffic *traffic, int64_t now_ms)
{
    struct buf text;
    uint64_t opens;
    bool known = fs_read(traffic->snmp_path, SNMP_MAX, &text, NULL) == 0 &&
                 traffic_parse_opens(text.data, text.size, &opens) == 0;
    buf_free(&text);
    bool same = known && opens == traffic->opens && now_ms - traffic->dumped_ms < DUMP_MS;
    if (!same) {
        traffic->opens = known ? opens : UINT64_MAX;
        traffic->dumped_ms = now_ms;
    }
    return same;
}

/* Asks for the sockets of the last survey one by one. */
static void find_each(struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->table.capacity; i++) {
        const struct sock_entry *entry = &traffic->table.slots[i];
        struct sock_diag_record record;
        if (entry->cookie && entry->survey == traffic->survey - 1 &&
            diag_socket_find(&traffic->diag, &entry->name, entry->cookie, &record) == 1)
            on_socket(traffic, &record);
    }
}

/* A dump walks through the kernel's whole table of sockets, which takes a millisecond or two on a
 * large machine however few sockets there are: it is avoided where that is sound. */
static int look(struct traffic *traffic, struct error *err)
{
    traffic->survey++;
    for (size_t i = 0; i < TRAFFIC_OWNERS_MAX; i++)
        traffic->flows[i].connections = traffic->flows[i].rtt_sum_us = 0;
    if (nothing_opened(traffic, clock_mono_ms()) && traffic->table.count <= FINDS_MAX) {
        find_each(traffic);
        return 0;
    }
    return diag_socket_dump(&traffic->diag, on_socket, traffic, err);
}

/* The first dump of all is the baseline. It is made twice: a dump can miss a socket when others
 * come and go, and one that is missed here would count with all that it ever carried. */
static int take_baseline(struct traffic *traffic, struct error *err)
{
    for (int i = 0; i < 2; i++) {
        traffic->dumped_ms = INT64_MIN / 2;
        if (look(traffic, err))
            return -1;
    }
    traffic->baseline = false;
    traffic->lost = false;
    traffic->blind_until_ms = clock_mono_ms();
    return 0;
}

static int start(struct traffic *traffic, struct error *err)
{
    if (diag_socket_open(&traffic->diag, traffic->ports, traffic->setup.port_count, err))
        return -1;
    traffic->open = true;
    traffic->dumped_ms = INT64_MIN / 2;
    traffic->watch = loop_watch_readable(
        traffic->setup.loop, traffic->diag.event_fd, on_readable, traffic);
    if (traffic->baseline && take_baseline(traffic, err)) {
        stop(traffic);
        return -1;
    }
    return 0;
}

struct traffic *traffic_open(const struct traffic_setup *setup)
{
    struct traffic *traffic = xcalloc(1, sizeof *traffic);
    traffic->setup = *setup;
    traffic->baseline = true;
    traffic->snmp_path = xasprintf("%s/proc/net/snmp", strcmp(setup->root, "/") ? setup->root : "");
    memcpy(traffic->ports, setup->ports, setup->port_count * sizeof *setup->ports);
    sock_table_init(&traffic->table);
    start(traffic, NULL);
    return traffic;
}

void traffic_close(struct traffic *traffic)
{
    if (!traffic)
        return;
    stop(traffic);
    sock_table_free(&traffic->table);
    free(traffic->snmp_path);
    free(traffic);
}

int traffic_survey(struct traffic *traffic, bool *lost, struct error *err)
{
    if (!traffic->open && start(traffic, err))
        return -1;
    if (diag_socket_events(
            &traffic->diag, EVENTS_A_SURVEY, on_close, traffic, &traffic->lost, err) ||
        look(traffic, err)) {
        stop(traffic);
        return -1;
    }
    *lost = traffic->lost;
    traffic->lost = false;
    return 0;
}

const struct traffic_flow *traffic_of(const struct traffic *traffic, size_t owner)
{
    return &traffic->flows[owner];
}
