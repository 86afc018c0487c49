#include "agent/statements/postgres.h"

#include "agent/statements/remedies.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/own_ports.h"

#include <stdlib.h>
#include <string.h>

#ifdef STAKEOUT_WITH_LIBPQ

#include <dlfcn.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { COLUMNS_MAX = 16, PARAMETERS_MAX = 4 };

struct postgres {
    PGconn *connection;
    struct own_ports *own;
    uint16_t port; /* local; 0: none of TCP, or nobody asks */
};

/* The name has not changed since PostgreSQL 8.2. What it needs is found out here, as a function of
 * it that is called and cannot be loaded ends the process. */
int postgres_present(struct error *err)
{
#ifdef STAKEOUT_STATIC
    (void)err;
    return 0;
#else
    static const char soname[] = "libpq.so.5";
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (library)
        return 0; /* it stays loaded */
    return error_set(
        err, "%s cannot be loaded: install the package that has it, libpq5 in Debian", soname);
#endif
}

static int fail_connecting(const PGconn *connection, struct error *err)
{
    char state[SQLSTATE_SIZE];
    const char *message = PQerrorMessage(connection);
    char *line = remedies_telling_line(*message ? message : "cannot connect");
    int status = remedies_explain(err, remedies_state_of(line, state), line);
    free(line);
    return status;
}

static void say_nothing(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* False: the time is over. */
static bool wait_for(const PGconn *connection, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        struct pollfd polled = {.fd = PQsocket(connection), .events = events};
        int count = left_ms > 0 && polled.fd >= 0 ? poll(&polled, 1, (int)left_ms) : 0;
        if (count >= 0 || errno != EINTR)
            return count > 0;
    }
}

/* The app's are counted by their ports as well, so at once. */
static void note_port(struct postgres *postgres)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    uint16_t port = 0;
    if (!postgres->own ||
        getsockname(PQsocket(postgres->connection), (struct sockaddr *)&address, &size) < 0)
        return;
    if (address.ss_family == AF_INET)
        port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    else if (address.ss_family == AF_INET6)
        port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    if (port == postgres->port)
        return;
    if (postgres->port)
        own_ports_closed(postgres->own, postgres->port);
    postgres->port = port;
    if (port)
        own_ports_add(postgres->own, port);
}

static int finish_connecting(struct postgres *postgres, int64_t deadline_ms, struct error *err)
{
    PGconn *connection = postgres->connection;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        note_port(postgres);
        if (status == PGRES_POLLING_FAILED)
            return fail_connecting(connection, err);
        if (!wait_for(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
            return error_set(err, "the server does not answer: is the host reachable from here?");
        status = PQconnectPoll(connection);
    }
    return 0;
}

static int ignore_row(void *arg, const char *const *values, size_t count)
{
    (void)arg;
    (void)values;
    (void)count;
    return 0;
}

/* For this transaction only: behind a pooler the server's connection is another client's next. And
 * not among the URL's options, which a pooler may refuse. */
int postgres_begin(struct postgres *postgres, int64_t deadline_ms, struct error *err)
{
    if (postgres_query(postgres, "/* stakeout */ BEGIN READ ONLY", NULL, ignore_row, NULL,
            deadline_ms, err) < 0)
        return -1;
    return postgres_query(postgres,
        "/* stakeout */ SELECT set_config('statement_timeout', '5s', true), "
        "set_config('lock_timeout', '1s', true)",
        NULL, ignore_row, NULL, deadline_ms, err);
}

int postgres_end(struct postgres *postgres, int64_t deadline_ms, struct error *err)
{
    return postgres_query(
        postgres, "/* stakeout */ COMMIT", NULL, ignore_row, NULL, deadline_ms, err);
}

/* libpq's own words have the whole URL in them. */
static int check_url(const char *url, struct error *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    PQfreemem(message);
    if (!options)
        return error_set(err, "its URL is not understood by libpq: write it like "
                              "postgres://USER:PASSWORD@HOST:5432/DATABASE, with %%40 for an @ in "
                              "the password");
    PQconninfoFree(options);
    return 0;
}

struct postgres *postgres_connect(
    const char *url, struct own_ports *own, int64_t deadline_ms, struct error *err)
{
    static const char *const keywords[] = {"dbname", "application_name", "client_encoding", NULL};
    const char *values[] = {url, "stakeout", "UTF8", NULL};
    if (postgres_present(err) < 0 || check_url(url, err) < 0)
        return NULL;
    struct postgres *postgres = xcalloc(1, sizeof *postgres);
    postgres->own = own;
    postgres->connection = PQconnectStartParams(keywords, values, 1);
    if (!postgres->connection)
        abort(); /* only for want of memory */
    PQsetNoticeProcessor(postgres->connection, say_nothing, NULL);
    PQsetErrorVerbosity(postgres->connection, PQERRORS_VERBOSE); /* with the SQLSTATE */
    int status = PQstatus(postgres->connection) == CONNECTION_BAD
                     ? fail_connecting(postgres->connection, err)
                     : finish_connecting(postgres, deadline_ms, err);
    if (status == 0)
        return postgres;
    postgres_close(postgres);
    return NULL;
}

void postgres_close(struct postgres *postgres)
{
    if (!postgres)
        return;
    if (postgres->port)
        own_ports_closed(postgres->own, postgres->port);
    PQfinish(postgres->connection);
    free(postgres);
}

const char *postgres_database(const struct postgres *postgres)
{
    return PQdb(postgres->connection);
}

const char *postgres_user(const struct postgres *postgres)
{
    return PQuser(postgres->connection);
}

int postgres_version(const struct postgres *postgres)
{
    return PQserverVersion(postgres->connection);
}

/* -1 and err: it failed, or `row` wants no more. */
static int take_result(const PGresult *result, postgres_row *row, void *arg, struct error *err)
{
    const char *values[COLUMNS_MAX];
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        return remedies_explain(err, state, message ? message : "the query failed");
    }
    int columns = PQnfields(result) < COLUMNS_MAX ? PQnfields(result) : COLUMNS_MAX;
    for (int i = 0; i < PQntuples(result); i++) {
        for (int j = 0; j < columns; j++)
            values[j] = PQgetisnull(result, i, j) ? NULL : PQgetvalue(result, i, j);
        if (row(arg, values, (size_t)columns) != 0)
            return error_set(err, "it answers more than is taken");
    }
    return 0;
}

int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters,
    postgres_row *row, void *arg, int64_t deadline_ms, struct error *err)
{
    PGconn *connection = postgres->connection;
    int count = 0, status = 0;
    while (parameters && parameters[count])
        count++;
    if (!PQsendQueryParams(connection, sql, count, NULL, parameters, NULL, NULL, 0))
        return remedies_explain(err, NULL, PQerrorMessage(connection));
    PQsetSingleRowMode(connection);
    for (;;) {
        while (PQisBusy(connection)) {
            if (!wait_for(connection, POLLIN, deadline_ms))
                return error_set(err, "the server does not answer a query: it is overloaded, or "
                                      "not reachable from here any more");
            if (!PQconsumeInput(connection))
                return remedies_explain(err, NULL, PQerrorMessage(connection));
        }
        PGresult *result = PQgetResult(connection);
        if (!result)
            return status;
        status = take_result(result, row, arg, err);
        PQclear(result);
        if (status < 0)
            return -1;
    }
}

#else

int postgres_present(struct error *err)
{
    return error_set(err, "this stakeout was built without libpq");
}

struct postgres *postgres_connect(
    const char *url, struct own_ports *own, int64_t deadline_ms, struct error *err)
{
    (void)url;
    (void)own;
    (void)deadline_ms;
    postgres_present(err);
    return NULL;
}

void postgres_close(struct postgres *postgres)
{
    (void)postgres;
}

const char *postgres_database(const struct postgres *postgres)
{
    (void)postgres;
    return "";
}

const char *postgres_user(const struct postgres *postgres)
{
    (void)postgres;
    return "";
}

int postgres_version(const struct postgres *postgres)
{
    (void)postgres;
    return 0;
}

int postgres_begin(struct postgres *postgres, int64_t deadline_ms, struct error *err)
{
    (void)postgres;
    (void)deadline_ms;
    return postgres_present(err);
}

int postgres_end(struct postgres *postgres, int64_t deadline_ms, struct error *err)
{
    (void)postgres;
    (void)deadline_ms;
    return postgres_present(err);
}

int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters,
    postgres_row *row, void *arg, int64_t deadline_ms, struct error *err)
{
    (void)postgres;
    (void)sql;
    (void)parameters;
    (void)row;
    (void)arg;
    (void)deadline_ms;
    return postgres_present(err);
}

#endif
