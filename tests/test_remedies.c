/* Every refusal has a remedy, and the right one. */
#include "agent/statements/remedies.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define TO "connection to server at \"db.internal\" (10.0.0.7), port 5432 failed: "

static const struct {
    const char *state; /* of a query; NULL: a connection's, which is in the message */
    const char *message, *remedy;
} cases[] = {
    {NULL, "could not translate host name \"db\" to address: Name or service not known",
        "is the host's name right"},
    {NULL, TO "Connection refused\n\tIs the server running on that host?", "listen_addresses"},
    {NULL, TO "No route to host", "security groups"},
    {NULL, TO "Network is unreachable", "security groups"},
    {NULL, TO "Connection timed out", "security groups"},
    {NULL, TO "timeout expired", "security groups"},
    {NULL,
        "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such "
        "file or directory",
        "the URL names no host"},
    {NULL, TO "fe_sendauth: no password supplied", "PGPASSWORD"},
    {NULL, TO "server does not support SSL, but SSL was required", "leave sslmode out"},
    {NULL, TO "SSL error: certificate verify failed", "sslrootcert=FILE"},
    {NULL, TO "root certificate file \"/x/root.crt\" does not exist", "sslrootcert=FILE"},
    {NULL, TO "server certificate for \"a\" does not match host name \"b\"", "verify-ca"},
    {NULL, TO "received invalid response to SSL negotiation: H", "is it PostgreSQL"},
    {NULL, TO "expected authentication request from server, but received H", "is it PostgreSQL"},
    {NULL, "server closed the connection unexpectedly", "is it PostgreSQL"},
    /* poolers */
    {NULL, TO "FATAL:  08P01: unsupported startup parameter: options", "ignore_startup_parameters"},
    {NULL,
        TO "FATAL:  0A000: Feature not supported: RDS Proxy currently doesn't support "
           "command-line options.",
        "leave it out"},
    {NULL, TO "FATAL:  08P01: no such database: games", "[databases]"},
    {NULL, TO "FATAL:  08P01: bouncer config error", "[databases]"},
    {NULL, TO "FATAL:  08P01: no such user: stakeout", "auth_file"},
    {NULL, TO "FATAL:  08P01: no more connections allowed (max_client_conn)", "max_client_conn"},
    {"08P01", "query_wait_timeout", "pool_size"},
    {NULL, TO "FATAL:  08P01: server login has been failing, try again later (server_login_retry)",
        "its own log says why"},
    {NULL, TO "FATAL:  08P01: server login failed: wrong password type", "its own log says why"},
    {NULL, TO "FATAL:  08P01: pgbouncer cannot connect to server", "its own log says why"},
    {NULL, TO "FATAL:  28000: This RDS proxy has no credentials for the role x.", "a secret"},
    {NULL, TO "FATAL:  08P01: SSL required", "sslmode=require"},
    {NULL, TO "FATAL:  28000: SSL connection is required. Please specify SSL options and retry.",
        "sslmode=require"},
    /* the server itself */
    {NULL, TO "FATAL:  28000: PAM authentication failed for user \"x\"", "IAM tokens"},
    {NULL,
        TO "FATAL:  28000: no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", no "
           "encryption",
        "sslmode=require"},
    {NULL,
        TO "FATAL:  28000: no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", SSL "
           "off",
        "sslmode=require"},
    {NULL,
        TO "FATAL:  28000: no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", SSL "
           "encryption",
        "needs an entry"},
    {NULL, TO "FATAL:  28000: pg_hba.conf rejects connection for host \"h\", SSL on",
        "needs an entry"},
    {NULL, TO "FATAL:  28000: role \"x\" is not permitted to log in", "ALTER ROLE ... LOGIN"},
    {NULL, TO "FATAL:  53300: too many connections for role \"x\"", "ALTER ROLE"},
    {NULL, TO "FATAL:  53300: too many connections for database \"x\"", "ALTER DATABASE"},
    {NULL, TO "FATAL:  42501: permission denied for database \"x\"", "GRANT CONNECT"},
    {NULL, TO "FATAL:  55000: database \"template0\" is not currently accepting connections",
        "template"},
    {"55000", "pg_stat_statements must be loaded via shared_preload_libraries",
        "shared_preload_libraries = "},
    {"55000", "pg_stat_statements must be loaded via \"shared_preload_libraries\"",
        "shared_preload_libraries = "},
    {NULL, "the texts are <insufficient privilege>", "GRANT pg_monitor"},
    {NULL, TO "FATAL:  28P01: password authentication failed for user \"x\"", "another password"},
    {NULL, TO "FATAL:  password authentication failed for user \"x\"", "another password"},
    {NULL, TO "FATAL:  28000: role \"x\" does not exist", "CREATE ROLE"},
    {NULL, TO "FATAL:  3D000: database \"x\" does not exist", "the URL's path"},
    {NULL, TO "FATAL:  53300: sorry, too many clients already", "max_connections"},
    {NULL, TO "FATAL:  sorry, too many clients already", "max_connections"},
    {NULL, TO "FATAL:  remaining connection slots are reserved", "max_connections"},
    {"53100", "could not extend file", "disk is full"},
    {"53200", "out of memory", "out of memory"},
    {"57P01", "terminating connection due to administrator command", "tried again"},
    {"57P02", "terminating connection because of crash of another server process", "tried again"},
    {NULL, TO "FATAL:  57P03: the database system is starting up", "tried again"},
    {"42P01", "relation \"pg_stat_statements\" does not exist", "CREATE EXTENSION"},
    {"42883", "function public.pg_stat_statements(boolean) does not exist", "CREATE EXTENSION"},
    {"42703", "column \"total_exec_time\" does not exist", "ALTER EXTENSION"},
    {"42501", "permission denied for function pg_stat_statements", "GRANT pg_monitor"},
    {"55P03", "canceling statement due to lock timeout", "lock"},
    {"57014", "canceling statement due to statement timeout", "longer than 5 s"},
    /* a server that speaks German */
    {NULL, TO "FATAL:  28P01: Passwort-Authentifizierung f\xc3\xbcr Benutzer \xc2\xbbx\xc2\xab",
        "another password"},
    {NULL, TO "SCHWERWIEGEND:  3D000: Datenbank \xc2\xbbx\xc2\xab existiert nicht",
        "the URL's path"},
};

static void every_refusal_has_its_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char code[SQLSTATE_SIZE];
        const char *known = cases[i].state;
        char *line = remedies_telling_line(cases[i].message);
        const char *remedy = remedies_find(known ? known : remedies_state_of(line, code), line);
        if (!remedy || !strstr(remedy, cases[i].remedy))
            fail_msg("%s: %s", cases[i].message, remedy ? remedy : "(nothing)");
        free(line);
    }
}

static void what_is_not_known_has_none(void **state)
{
    (void)state;
    assert_null(remedies_find(NULL, NULL));
    assert_null(remedies_find("XX000", "a tuple concurrently updated"));
}

static void a_state_stands_between_colons(void **state)
{
    (void)state;
    static const struct {
        const char *message, *state;
    } messages[] = {
        {"", NULL},
        {":  ", NULL},
        {"FATAL:  28P0", NULL},
        {"FATAL:  28P01", NULL},
        {"FATAL:  28P01:", NULL},
        {"FATAL:  28p01: no", NULL},
        {"FATAL:  PANIC: no", NULL},
        {"FATAL:  28P01: yes", "28P01"},
        {"a:  b:  28P01: yes", "28P01"},
        {"at \"::1\", port 15432: no", NULL},
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        char code[SQLSTATE_SIZE];
        const char *found = remedies_state_of(messages[i].message, code);
        if (messages[i].state)
            assert_string_equal(found, messages[i].state);
        else
            assert_null(found);
    }
}

static void the_line_in_which_a_server_speaks_tells(void **state)
{
    (void)state;
    static const struct {
        const char *message, *line;
    } messages[] = {
        {"", ""},
        {"one\r\n\ttwo\n", "one"},
        /* localhost, of which only IPv4 is listened on */
        {"at \"::1\": Connection refused\n\tIs it up?\nat \"127.0.0.1\": FATAL:  28P01: no\n"
         "LOCATION:  auth_failed, auth.c:334\n",
            "at \"127.0.0.1\": FATAL:  28P01: no"},
        /* with TLS first, then without, which rds.force_ssl refuses */
        {"FATAL:  28P01: wrong\nFATAL:  28000: no encryption\n", "FATAL:  28P01: wrong"},
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        char *line = remedies_telling_line(messages[i].message);
        assert_string_equal(line, messages[i].line);
        free(line);
    }
}

static void what_a_server_says_steers_no_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *state, *message, *text;
    } messages[] = {
        {NULL, "", ""},
        {NULL, "one\r\ntwo", "one"},
        {"57P01", "a\tb\x1b[2Jc\x7f", "a b [2Jc : it is tried again by itself"},
        {NULL, "\xc2\x9b[2J \xc2\xa0\xc3\xa4", "  [2J \xc2\xa0\xc3\xa4"},
    };
    struct error err;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        assert_int_equal(remedies_explain(&err, messages[i].state, messages[i].message), -1);
        assert_string_equal(err.text, messages[i].text);
    }
    char many[600] = "";
    for (size_t i = 0; i + 2 < sizeof many; i += 2)
        memcpy(many + i, "\xc3\xa4", 3);
    remedies_explain(&err, NULL, many);
    assert_int_equal(strlen(err.text), 298); /* no half of a character */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_has_its_remedy),
        cmocka_unit_test(what_is_not_known_has_none),
        cmocka_unit_test(a_state_stands_between_colons),
        cmocka_unit_test(the_line_in_which_a_server_speaks_tells),
        cmocka_unit_test(what_a_server_says_steers_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
