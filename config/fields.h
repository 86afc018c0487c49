/* Field tables: one table a struct says what it may be configured with. Parsing, validation,
 * `config`, `config --reference` and `config --schema` all come from it. */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct node;
struct problems;
struct reference;

/* What the text of a scalar means and what it is stored as. */
enum field_type {
    FIELD_STRING,   /* char *: owned by the struct */
    FIELD_SECRET,   /* char *: never printed */
    FIELD_URL,      /* char *: http or https; user info is never printed */
    FIELD_NAME,     /* char *: letters, digits, . _ - (1 to 64), not beginning with a dot */
    FIELD_BOOL,     /* bool: true, false, on, off, yes, no */
    FIELD_INTEGER,  /* int64_t */
    FIELD_DURATION, /* int64_t: milliseconds; 500ms 10s 5m 2h 7d */
    FIELD_DELAY,    /* int64_t: a duration as above, or off: 0 */
    FIELD_BYTES,    /* int64_t: 512KiB 64MiB 10MB or a bare number */
    FIELD_LEVEL,    /* struct level: its unit is the metric's, so its text is read later */
    FIELD_CHOICE,   /* int: the index in `choices` */
    FIELD_STRUCT,   /* a struct in place, with a table of its own */
    FIELD_NUMBER,   /* double: 8, 2.5 */
    FIELD_RANGE,    /* struct duration_range: 3m..8h; `min` and `max` bound both ends */
    FIELD_NAMES,    /* struct name_list: one text, or a list of them */
    FIELD_TRIGGER,  /* char *: the name of another trigger */
    FIELD_TRIGGERS, /* struct name_list: a list of names of other triggers */
    FIELD_SECRETS,  /* struct string_map: name to secret value, as in `headers` */
    FIELD_TEXTS,    /* struct string_map: any name to a value that is no secret, as in `tags` */
    FIELD_OTHER     /* nothing: the key is known here and read by other code */
};

/* A value whose unit depends on the metric beside it: 80%, 20MB/s, 512MiB, 3. */
struct level {
    double value; /* in the metric's unit; a percent is 0 to 100 */
    char *text;   /* as written; NULL when it was not given */
    int line, column;
};

struct duration_range {
    int64_t from_ms, to_ms;
};

struct name_list {
    char **names; /* owned */
    size_t count;
};

struct string_map {
    char **names;
    char **values;
    size_t count;
};

struct field {
    const char *key;
    enum field_type type;
    size_t offset;              /* of the value in the struct */
    const char *otherwise;      /* the default, written as in the file; NULL: none */
    int64_t min, max;           /* of numbers, durations (ms), bytes; both 0: no range. Lists: how
                                   many texts */
    const char *const *choices; /* FIELD_CHOICE: names, NULL-terminated */
    const struct field *fields; /* FIELD_STRUCT: its table, ended by a NULL key */
    const char *short_key; /* FIELD_STRUCT: the one that a bare scalar stands for; NULL: none */
    int required;          /* must be given */
    const char *help;      /* one line, for the reference */
};

/* Rows that several tables have; at: the offset of a char *. */
#define FIELDS_CA_FILE(at)                                                                         \
    {                                                                                              \
        .key = "ca_file", .type = FIELD_STRING, .offset = (at),                                    \
        .help = "PEM file with the authority to trust; else the system's"                          \
    }
#define FIELDS_ROLE(at)                                                                            \
    {                                                                                              \
        .key = "role", .type = FIELD_STRING, .offset = (at),                                       \
        .help = "ARN of a role that is assumed with the credentials of the chain"                  \
    }
#define FIELDS_EXTERNAL_ID(at)                                                                     \
    {                                                                                              \
        .key = "external_id", .type = FIELD_STRING, .offset = (at),                                \
        .help = "what the role's trust policy wants besides"                                       \
    }

struct error;

/* What a trigger of the configuration looks at: metrics, or other triggers, its members. */
struct trigger_scope {
    const char *const *metrics; /* names of series */
    const enum unit *units;     /* one for each metric */
    size_t metric_count;
    const char *const *members; /* names of triggers */
    size_t member_count;
};

/* What every kind of source, trigger and exporter begins with. */
struct kind {
    const char *name;           /* "cgroup", "threshold", "s3" */
    const char *help;           /* one line, for the reference */
    const struct field *fields; /* its options, ended by a NULL key; NULL: it has none */
    size_t options_size;        /* of the struct that they fill; zeroed first */
    const char *short_key;      /* what a bare scalar stands for: "path" for `directory: /captures`;
                                   NULL: a mapping is needed */
    /* Triggers: the keys of which one in the mapping tells that it is of this kind, NULL-ended. */
    const char *const *marks;
    /* Triggers: it can look at several metrics at once. One with a field of the type FIELD_TRIGGER
     * or FIELD_TRIGGERS looks at no metric, but at these. */
    bool many_metrics;
    /* Triggers: it opens no incident, and explains those of its member. */
    bool never_fires;
    /* Exporters: it does not store incidents, but tells people of them or takes a part of them. */
    bool stores_none;
    /* Exporters: it can make links to what it stored. */
    bool links;
    /* Exporters: it can settle who of a fleet takes an incident. */
    bool claims;
    /* Sources: whether app.container (NULL: not given) can be what it watches, as far as its form
     * tells; -1 with err, which goes on after "app.container: ". NULL: anything will do. */
    int (*check_container)(const char *container, struct error *err);
    /* Checks what the table cannot say; -1 with err, *key then names the field to blame. It is
     * asked again with that *key (NULL at first) and may name further ones, each once, or the same
     * again when it has no more to say. Exporters: a field that has a problem already is as if it
     * were not given. NULL: nothing to check. */
    int (*validate)(const void *options, const char **key, struct error *err);
    /* Triggers and exporters: fills in what was not given and follows from other fields, so that it
     * is printed. Only for options of triggers that are valid; NULL: nothing does. */
    void (*complete)(void *options);
};

/* One struct and the table of what it may be configured with. */
struct binding {
    const struct field *fields;
    void *target;
};

/* Fills the structs from a mapping: defaults first, then what is given. A key may be in any of the
 * tables; problems are added, with the likely key for an unknown one. A field that has no default
 * and is not given stays as it was. Levels keep their text: units_read_value reads it. A value that
 * the environment left empty counts as not given. */
void fields_bind(const struct binding *bindings, size_t count, const struct node *mapping,
    struct problems *problems);

/* The same for a scalar that stands for the one field `key`. */
void fields_bind_short(const struct binding *binding, const char *key, const struct node *scalar,
    struct problems *problems);

/* Frees what the fields own and leaves zeroes behind. */
void fields_free(const struct field *fields, void *target);

/* The values as YAML, `indent` columns in; secrets as "<redacted>". As an item of a list the first
 * line begins with a dash, two columns before the indent. */
void fields_print(const struct field *fields, const void *target, int indent, bool item, FILE *out);

/* Whether a field of the struct has a value that is worth printing: one that was not given and has
 * no default has none. */
bool fields_is_given(const struct field *field, const void *target);

/* Whether two structs mean the same. */
bool fields_same(const struct field *fields, const void *a, const void *b);

/* Tells of every value that is not the same, by the path of its key ("limits.per_hour"; `path` is
 * that of the struct, "" for none), never what it was or is: it may be a secret. */
enum field_change { FIELD_ADDED, FIELD_REMOVED, FIELD_CHANGED };
void fields_compare(const struct field *fields, const void *before, const void *after,
    const char *path, void (*each)(void *arg, enum field_change change, const char *path),
    void *arg);

/* For the reference: an entry with key, type, default, range and help for each field; `path` is put
 * before the keys. */
void fields_print_reference(
    const struct field *fields, const char *path, const struct reference *out);

#endif
