#include "config/config_parts.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A good default for a web service: what is looked at, and the mark that tells its kind. */
static const struct {
    const char *name, *metric, *mark, *rule;
} app_triggers[] = {
    {"cpu-high", "cpu", "above", "above: 80%, for: 10s"},
    {"cpu-spike", "cpu", "spike", "spike: {at_least: 10%}"},
    {"before-oom", "memory", "reaches", "reaches: 100%, within: 60s, capture: memory"},
    {"killed", "oom_kills", "increases", "increases: 1, capture: memory"},
    {"restarted", "restarts", "increases", "increases: 1, capture: memory"},
};

static bool can(const struct config_reader *reader, const char *mark)
{
    for (size_t i = 0; reader->kinds->triggers[i]; i++)
        for (const char *const *has = reader->kinds->triggers[i]->marks; *has; has++)
            if (!strcmp(*has, mark))
                return true;
    return false;
}

/* app: the begin of its metrics' names, "" or "api."; a trigger's name is in small letters. */
static void write_app_triggers(
    const struct config_reader *reader, const char *app, struct buf *text)
{
    char small[64];
    size_t length = 0;
    for (; app[length] && length + 1 < sizeof small; length++)
        small[length] = (char)tolower((unsigned char)app[length]);
    small[length] = '\0';
    for (size_t i = 0; i < sizeof app_triggers / sizeof *app_triggers; i++)
        if (can(reader, app_triggers[i].mark))
            buf_printf(text, "%s%s: {metric: %s%s, %s}\n", small, app_triggers[i].name, app,
                app_triggers[i].metric, app_triggers[i].rule);
    if (can(reader, "spike") && can(reader, "recurs"))
        buf_printf(text, "%srecurring: {recurs: {of: %scpu-spike}}\n", small, small);
}

/* Named databases have one each, by their name where that fits into a trigger's, else by number. */
static void write_database_trigger(const char *name, size_t number, struct buf *text)
{
    enum { FITS = 31 };
    if (!name) {
        buf_puts(text, "db-burst: {metric: db.received, spike: {at_least: 1MB/s}}\n");
        return;
    }
    buf_puts(text, "db-burst.");
    if (strlen(name) > FITS)
        buf_printf(text, "%zu", number);
    for (const char *c = name; *c && strlen(name) <= FITS; c++)
        buf_printf(text, "%c", tolower((unsigned char)*c));
    buf_printf(text, ": {metric: db.%s.received, spike: {at_least: 1MB/s}}\n", name);
}

/* A trace has its database's traffic whatever the configuration says. */
static bool is_in_trace(const struct config_reader *reader)
{
    for (size_t i = 0; reader->needs->columns && reader->needs->columns[i]; i++)
        if (!strcmp(reader->needs->columns[i], "db.received"))
            return true;
    return false;
}

void config_built_in_triggers(const struct config_reader *reader, struct buf *text)
{
    const struct config *config = reader->config;
    for (size_t i = 0; i < config->app_count; i++) {
        char *app = config->single_app ? xstrdup("") : xasprintf("%s.", config->apps[i].name);
        write_app_triggers(reader, app, text);
        free(app);
    }
    if (!can(reader, "spike"))
        return;
    for (size_t i = 0; i < config->database_count; i++)
        write_database_trigger(config->databases[i].name, i + 1, text);
    if (config->database_count == 0 && is_in_trace(reader))
        write_database_trigger(NULL, 0, text);
}
