#include "config/config_parts.h"
#include "config/fields_text.h"
#include "config/suggestion.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { APPS_MAX = 16, DATABASES_MAX = 16, APP_NAME_MAX = 29 };

/* A name that has its place between the dots of a series' name. */
static bool is_undotted(const char *name, size_t max)
{
    return fields_is_name(name, max) && !strchr(name, '.');
}

static void check_debug_url(
    struct config_reader *reader, struct app_config *app, const struct node *node)
{
    const struct node *debug = node->type == NODE_MAPPING ? node_get(node, "debug") : NULL;
    if (!app->debug || !debug)
        return;
    if (strpbrk(app->debug, "?#"))
        node_problem(reader->problems, debug,
            "must be the folder of the profiles, without ? and #, such as "
            "http://localhost:8001/debug/pprof");
    size_t length = strlen(app->debug);
    while (length && app->debug[length - 1] == '/')
        app->debug[--length] = '\0';
}

static void read_app(struct config_reader *reader, const char *name, const struct node *node)
{
    struct config *config = reader->config;
    config->apps = xrealloc(config->apps, config->app_count + 1, sizeof *config->apps);
    struct app_config *app = &config->apps[config->app_count++];
    *app = (struct app_config){
        .name = xstrdup(name), .line = node->key_line, .column = node->key_column};
    struct binding binding = {config_app_fields, app};
    fields_bind(&binding, 1, node, reader->problems);
    check_debug_url(reader, app, node);
}

static void check_app_name(struct config_reader *reader, const struct node *node)
{
    const char *name = node->key;
    if (!is_undotted(name, APP_NAME_MAX))
        node_key_problem(reader->problems, node, "an app's name is letters, digits, _ - (1 to 29)");
    if (!strcmp(name, "db") || !strcmp(name, "rds"))
        node_key_problem(reader->problems, node,
            "an app may not be called %s: %s.* are the database's metrics", name, name);
    for (size_t i = 0; i < reader->config->app_count; i++)
        if (!strcasecmp(reader->config->apps[i].name, name))
            node_key_problem(reader->problems, node, "differs from %s only in capitals",
                reader->config->apps[i].name);
}

static void read_named_apps(struct config_reader *reader, const struct node *apps)
{
    if (!config_is_mapping(reader, apps, "a mapping of names to apps"))
        return;
    if (apps->count == 0 || apps->count > APPS_MAX) {
        node_problem(
            reader->problems, apps, "holds %zu apps; 1 to %d are allowed", apps->count, APPS_MAX);
        return;
    }
    for (size_t i = 0; i < apps->count; i++) {
        check_app_name(reader, apps->children[i]);
        read_app(reader, apps->children[i]->key, apps->children[i]);
    }
}

void config_read_apps(struct config_reader *reader, const struct node *root)
{
    const struct node *app = node_get(root, "app"), *apps = node_get(root, "apps");
    reader->config->single_app = !apps;
    if (app && apps)
        node_key_problem(reader->problems, apps, "cannot stand beside app; give one of them");
    else if (apps)
        read_named_apps(reader, apps);
    else if (app)
        read_app(reader, "app", app);
    else
        node_missing(reader->problems, root, "app",
            "is missing (what to watch, such as app: {debug: http://localhost:8001/debug/pprof})");
}

/* An app that has no mapping, or a container that is no text, has its problem already. */
static void check_container(
    struct config_reader *reader, const struct app_config *app, const struct node *node)
{
    const struct kind *kind = reader->kinds->sources[reader->config->source - 1];
    const struct node *given = node->type == NODE_MAPPING ? node_get(node, "container") : NULL;
    struct error err;
    if (!kind->check_container || node->type != NODE_MAPPING || (given && !app->container) ||
        kind->check_container(app->container, &err) == 0)
        return;
    if (given)
        node_problem(reader->problems, given, "%s", err.text);
    else
        node_missing(reader->problems, node, "container", "%s", err.text);
}

/* Whether the source that the file names can watch what its apps name. */
static void check_containers(struct config_reader *reader, const struct node *root)
{
    const struct config *config = reader->config;
    const struct node *apps = node_get(root, config->single_app ? "app" : "apps");
    for (size_t i = 0; i < config->app_count; i++)
        check_container(reader, &config->apps[i], config->single_app ? apps : apps->children[i]);
}

void config_read_source(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "source");
    struct suggestion suggestion;
    char likely[SUGGESTION_TEXT_SIZE];
    if (!node || node->wrong || node_not_given(node))
        return;
    if (node->type != NODE_SCALAR || node_is_null(node)) {
        node_key_problem(reader->problems, node, "must be auto or the name of one source");
        return;
    }
    if (!*node->text)
        node_problem(reader->problems, node, "must not be empty");
    if (!*node->text || !strcmp(node->text, "auto"))
        return;
    suggestion_init(&suggestion, node->text);
    suggestion_offer(&suggestion, "auto");
    struct buf list;
    buf_init(&list, 300);
    buf_puts(&list, "auto");
    for (int i = 0; reader->kinds->sources[i]; i++) {
        if (!strcmp(reader->kinds->sources[i]->name, node->text))
            reader->config->source = i + 1;
        suggestion_offer(&suggestion, reader->kinds->sources[i]->name);
        buf_printf(&list, ", %s", reader->kinds->sources[i]->name);
    }
    if (!reader->config->source)
        node_problem(reader->problems, node, "\"%.60s\" is none of %s%s", node->text, list.data,
            suggestion_format(&suggestion, likely));
    else
        check_containers(reader, root);
    buf_free(&list);
}

static void check_endpoint(struct config_reader *reader, const struct node *node)
{
    const struct node *endpoint = node->type == NODE_MAPPING ? node_get(node, "endpoint") : NULL;
    struct host_port parts;
    if (!endpoint || endpoint->wrong || endpoint->type != NODE_SCALAR || !*endpoint->text)
        return;
    /* Never quoted: what people paste here has passwords in it. */
    if (strstr(endpoint->text, "://") || strchr(endpoint->text, '@'))
        node_problem(reader->problems, endpoint,
            "is a URL; write only its host and port, such as db.internal:5432");
    else if (strpbrk(endpoint->text, "/ ") ||
             fields_split_host_port(endpoint->text, strlen(endpoint->text), &parts) < 0)
        node_problem(
            reader->problems, endpoint, "is not HOST:PORT; write it like db.internal:5432");
    else if (!parts.port)
        node_problem(
            reader->problems, endpoint, "has no port; write it like %.200s:5432", endpoint->text);
}

/* libpq takes what follows the first @, or what comes before a /, for the host, and says so when it
 * cannot be reached, with a part of the password then. */
static bool is_unambiguous(const char *url)
{
    const char *start = strstr(url, "://") + 3, *at = strchr(start, '@');
    return !at || (!strchr(at + 1, '@') && !memchr(start, '/', (size_t)(at - start)));
}

/* Whether only numbers stand where libpq takes ports from: without USER:PASSWORD@HOST a password
 * stands there, which it quotes as no number. The host may be a list, and in brackets. */
static bool has_ports(const char *url)
{
    const char *start = strstr(url, "://") + 3, *at = strchr(start, '@');
    const char *host = at ? at + 1 : start, *end = host + strcspn(host, "/?");
    while (host < end) {
        host += *host == '[' ? strcspn(host, "]") : 0;
        host += strcspn(host, ":,/?");
        if (*host == ':')
            host += 1 + strspn(host + 1, "0123456789");
        if (host < end && *host != ',')
            return false;
        host++;
    }
    return true;
}

/* Never quoted: it has a password in it. */
static void check_statements(
    struct config_reader *reader, const struct database_config *database, const struct node *node)
{
    const char *url = database->statements;
    const struct node *statements = url ? node_get(node, "statements") : NULL;
    if (!statements)
        return;
#ifndef STAKEOUT_WITH_LIBPQ
    node_problem(reader->problems, statements,
        "needs libpq, which this stakeout was built without: leave it out, or build it with "
        "libpq-dev installed");
#endif
    if (strncmp(url, "postgres://", 11) != 0 && strncmp(url, "postgresql://", 13) != 0)
        node_problem(reader->problems, statements,
            "is no URL of PostgreSQL; write it like postgres://USER:PASSWORD@HOST:5432/DATABASE");
    else if (!is_unambiguous(url))
        node_problem(reader->problems, statements,
            "has a / before an @, or two of these: write %%2F for a / and %%40 for an @ in the "
            "password");
    else if (!has_ports(url))
        node_problem(reader->problems, statements,
            "has a port that is no number; write it like "
            "postgres://USER:PASSWORD@HOST:5432/DATABASE");
}

static void read_database(
    struct config_reader *reader, const struct field *fields, const struct node *node)
{
    struct config *config = reader->config;
    config->databases = xrealloc(
        config->databases, config->database_count + 1, sizeof *config->databases);
    struct database_config *database = &config->databases[config->database_count++];
    *database = (struct database_config){.line = node->line, .column = node->column};
    struct binding binding = {fields, database};
    fields_bind(&binding, 1, node, reader->problems);
    check_endpoint(reader, node);
    config_check_cloudwatch(reader, node);
    check_statements(reader, database, node);
    const struct node *name = database->name ? node_get(node, "name") : NULL;
    if (!name)
        return;
    if (!is_undotted(database->name, 64))
        node_problem(reader->problems, name, "may hold letters, digits, _ - but no dot");
    for (size_t i = 0; i + 1 < config->database_count; i++)
        if (config->databases[i].name && !strcasecmp(config->databases[i].name, database->name))
            node_problem(
                reader->problems, name, "\"%s\" is the name of two databases", database->name);
}

void config_read_databases(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "database");
    if (!node || node->wrong)
        return;
    if (node->type != NODE_SEQUENCE) {
        read_database(reader, config_database_fields, node);
        return;
    }
    if (node->count == 0 || node->count > DATABASES_MAX) {
        node_problem(reader->problems, node, "holds %zu databases; 1 to %d are allowed",
            node->count, DATABASES_MAX);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        read_database(reader, config_named_database_fields, node->children[i]);
}

/* 127.0.0.1:9797 or [::1]:9797: addresses only, so that binding never waits for a name server. */
static const char *listen_problem(const char *text)
{
    struct host_port parts;
    unsigned char address[16];
    char host[64];
    if (fields_split_host_port(text, strlen(text), &parts) < 0 || !parts.port)
        return "is not ADDRESS:PORT; write it like 127.0.0.1:9797, \"[::1]:9797\" or off";
    snprintf(host, sizeof host, "%.*s", (int)parts.host_length, parts.host);
    if (parts.host_length < sizeof host &&
        inet_pton(parts.bracketed ? AF_INET6 : AF_INET, host, address) == 1)
        return NULL;
    return "takes an address, not a name; 127.0.0.1 is this host only, 0.0.0.0 every interface";
}

void config_read_listen(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "listen");
    if (!node || node->wrong || node_not_given(node))
        return;
    if (node->type != NODE_SCALAR || node_is_null(node)) {
        node_key_problem(reader->problems, node,
            "must be off or ADDRESS:PORT; an IPv6 one in quotes: \"[::1]:9797\"");
        return;
    }
    if (fields_is_off(node->text))
        return;
    const char *problem = *node->text ? listen_problem(node->text) : "must not be empty";
    if (problem)
        node_problem(reader->problems, node, "%s", problem);
    else
        reader->config->listen = xstrdup(node->text);
}
