#include "agent/statements/remedies.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/xml.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PRELOAD                                                                                    \
    "shared_preload_libraries = 'pg_stat_statements' in the server's configuration, and a restart"
#define CREATE    "CREATE EXTENSION pg_stat_statements in this database"
#define PASSWORD  "the URL, or PGPASSWORD, has another password"
#define ENTRY     "pg_hba.conf of the server needs an entry for this address, user and database"
#define WITH_TLS  "the server wants TLS: ?sslmode=require at the URL's end"
#define AUTHORITY "?sslrootcert=FILE at the URL's end names the authority to trust"
#define CONNECTIONS                                                                                \
    "max_connections of the server is used up: raise it, or put a pooler before the clients"
#define WAY         "is the host reachable from here (routes, security groups, firewalls)?"
#define NO_POSTGRES "is it PostgreSQL that listens on this port, and does it run well?"
#define UPSTREAM    "the pooler is not let into the database: its own log says why"
#define AGAIN       "it is tried again by itself"

/* The first that is met. Words that are more special come first. */
static const struct {
    const char *state, *words, *remedy;
} remedies[] = {
    /* libpq, before the server says a word */
    {NULL, "could not translate host name",
        "is the host's name right, and does this machine's name server know it?"},
    {NULL, "Connection refused",
        "does it run, is it the right port, and does it listen on this address "
        "(listen_addresses)?"},
    {NULL, "No route to host", WAY},
    {NULL, "Network is unreachable", WAY},
    {NULL, "timed out", WAY},
    {NULL, "timeout expired", WAY},
    {NULL, "No such file or directory",
        "the URL names no host, so that a socket on this machine is looked for: "
        "postgres://USER:PASSWORD@HOST:5432/DATABASE"},
    {NULL, "no password supplied", "put it into the URL, as ${NAME}, or into PGPASSWORD"},
    {NULL, "does not support SSL", "the server has no TLS: leave sslmode out of the URL"},
    {NULL, "certificate verify failed", AUTHORITY},
    {NULL, "root certificate file", AUTHORITY},
    {NULL, "does not match host name",
        "the URL's host must be the name in the certificate; ?sslmode=verify-ca does not look "
        "at it"},
    {NULL, "invalid response to SSL negotiation", NO_POSTGRES},
    {NULL, "expected authentication request", NO_POSTGRES},
    {NULL, "server closed the connection unexpectedly", NO_POSTGRES},
    /* poolers and proxies, most of which call everything a protocol violation */
    {NULL, "unsupported startup parameter",
        "the pooler refuses an option of the URL: leave it out, or name it in the pooler's "
        "ignore_startup_parameters"},
    {NULL, "command-line options", "the proxy refuses ?options=... of the URL: leave it out"},
    {NULL, "no such database", "the pooler's [databases] has no such name"},
    {NULL, "bouncer config error",
        "is the database among the pooler's [databases]? Its own log says more"},
    {NULL, "no such user", "the pooler's auth_file, or auth_query, has no such role"},
    {NULL, "no more connections allowed", "max_client_conn of the pooler is used up"},
    {NULL, "query_wait_timeout",
        "all connections of the pool are busy: a larger pool_size, or the database's own address"},
    {NULL, "server login has been failing", UPSTREAM},
    {NULL, "server login failed", UPSTREAM},
    {NULL, "cannot connect to server", UPSTREAM},
    {NULL, "proxy has no credentials",
        "RDS Proxy needs a secret with this role's password, or use the instance's own address"},
    {NULL, "SSL required", WITH_TLS},
    {NULL, "SSL connection is required", WITH_TLS},
    /* the server, which says more than the code does */
    {NULL, "PAM authentication failed",
        "the role logs in with IAM tokens (rds_iam), which stakeout has none of: use a role "
        "with a password"},
    {NULL, "no encryption", ENTRY ", or " WITH_TLS},
    {NULL, "SSL off", ENTRY ", or " WITH_TLS},
    {NULL, "no pg_hba.conf entry", ENTRY},
    {NULL, "pg_hba.conf rejects", ENTRY},
    {NULL, "not permitted to log in", "ALTER ROLE ... LOGIN"},
    {NULL, "too many connections for role",
        "each copy of stakeout has one connection: a larger ALTER ROLE ... CONNECTION LIMIT"},
    {NULL, "too many connections for database", "a larger ALTER DATABASE ... CONNECTION LIMIT"},
    {NULL, "permission denied for database", "GRANT CONNECT ON DATABASE ... TO the role"},
    {NULL, "not currently accepting connections",
        "the URL's path names a template: name the app's database"},
    {NULL, "must be loaded via", PRELOAD},
    {NULL, "insufficient privilege", "GRANT pg_monitor TO the role"},
    /* in any language: https://www.postgresql.org/docs/current/errcodes-appendix.html */
    {"28P01", NULL, PASSWORD},
    {NULL, "password authentication failed", PASSWORD},
    {"28000", NULL,
        "is there such a role (CREATE ROLE ... LOGIN), and does pg_hba.conf let it in from here?"},
    {"3D000", NULL, "the URL's path names the database: is it the right one, on the right server?"},
    {"53300", NULL, CONNECTIONS},
    {NULL, "sorry, too many clients", CONNECTIONS},
    {NULL, "remaining connection slots", CONNECTIONS},
    {"53100", NULL, "the server's disk is full"},
    {"53200", NULL, "the server is out of memory"},
    {"57P01", NULL, AGAIN},
    {"57P02", NULL, AGAIN},
    {"57P03", NULL, "the server starts, stops or recovers; " AGAIN},
    {"42P01", NULL, CREATE},
    {"42883", NULL, CREATE},
    {"42703", NULL,
        "the extension is older than the server: ALTER EXTENSION pg_stat_statements UPDATE in "
        "this database"},
    {"42501", NULL, "GRANT pg_monitor TO the role"},
    {"55000", NULL, PRELOAD},
    {"55P03", NULL, "another session holds a lock on what is asked for; " AGAIN},
    {"57014", NULL,
        "it took longer than 5 s: the server is busy, or pg_stat_statements.max is very large"},
};

const char *remedies_find(const char *state, const char *message)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        bool is_state = state && remedies[i].state && !strcmp(state, remedies[i].state);
        bool has_words = message && remedies[i].words && strstr(message, remedies[i].words);
        if (is_state || has_words)
            return remedies[i].remedy;
    }
    return NULL;
}

int remedies_explain(struct error *err, const char *state, const char *message)
{
    const char *remedy = remedies_find(state, message);
    char *line = xstrndup(message, strcspn(message, "\r\n")), words[300];
    xml_copy_text(words, sizeof words, line);
    free(line);
    return error_set(err, "%s%s%s", words, remedy ? ": " : "", remedy ? remedy : "");
}

/* Five digits and capitals, and a digit or not: PANIC is none. */
static bool is_state(const char *text)
{
    bool digits = false;
    for (size_t i = 0; i + 1 < SQLSTATE_SIZE; i++) {
        bool digit = isdigit((unsigned char)text[i]);
        if (!digit && !(text[i] >= 'A' && text[i] <= 'Z'))
            return false;
        digits = digits || digit;
    }
    return digits;
}

/* Behind "FATAL:  ", in whatever language that is; a host's port or a time has no such colons. */
const char *remedies_state_of(const char *message, char state[SQLSTATE_SIZE])
{
    const size_t length = SQLSTATE_SIZE - 1;
    for (const char *at = message; (at = strstr(at, ":  ")); at++) {
        const char *code = at + strlen(":  ");
        if (!is_state(code) || strncmp(code + length, ": ", 2) != 0)
            continue;
        memcpy(state, code, length);
        state[length] = '\0';
        return state;
    }
    return NULL;
}

char *remedies_telling_line(const char *message)
{
    char state[SQLSTATE_SIZE];
    size_t first = strcspn(message, "\r\n");
    for (const char *line = message; *line; line += strspn(line, "\r\n")) {
        size_t length = strcspn(line, "\r\n");
        char *copy = xstrndup(line, length);
        if (remedies_state_of(copy, state))
            return copy;
        free(copy);
        line += length;
    }
    return xstrndup(message, first);
}
