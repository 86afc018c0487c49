/* YAML text -> a bounded tree that knows where everything was written. It takes less than YAML
 * allows: one document, no anchors, aliases or tags, no key twice. */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "config/problems.h"

#include <stdbool.h>
#include <stddef.h>

enum node_type { NODE_SCALAR, NODE_MAPPING, NODE_SEQUENCE };

struct node {
    enum node_type type;
    int line, column; /* from 1, in characters */
    const struct node *parent;
    char *key; /* in a mapping; NULL in a sequence */
    int key_line, key_column;
    size_t index;           /* in its parent */
    char *text;             /* of a scalar, the environment filled in; else NULL */
    bool quoted;            /* or a block scalar: "" was meant */
    bool from_environment;  /* a variable was filled in */
    bool wrong;             /* a problem was told already; there is no value */
    struct node **children; /* of a mapping or sequence */
    size_t count;
};

enum {
    DOCUMENT_SIZE_MAX = 1 << 20,
    DOCUMENT_DEPTH_MAX = 16,
    DOCUMENT_NODES_MAX = 10000,
    DOCUMENT_KEY_MAX = 128
};

/* Reads the text and fills in ${NAME} and ${NAME:-default} from the environment; $${ stands for ${.
 * NULL when the text is no YAML or passes a bound; other problems leave a tree of what is usable.
 * Text without any content is an empty mapping. */
struct node *document_parse(const char *text, size_t size, struct problems *problems);
void document_free(struct node *root);

/* Fills in the environment in all scalars of the tree; a part of document_parse. */
void document_fill_in(struct node *root, struct problems *problems);

/* The text as a YAML scalar on one line that document_parse reads back as the same, for block and
 * flow context. The caller frees it. */
char *document_quote(const char *text);

/* The value of a key, or NULL. */
const struct node *node_get(const struct node *mapping, const char *key);

/* A plain scalar without content: "key:", ~ or null. */
bool node_is_null(const struct node *node);

/* A scalar that is empty because the environment filled in nothing, as in ${NAME:-}. */
bool node_not_given(const struct node *node);

/* "a single value", "a mapping", "a list" */
const char *node_type_name(const struct node *node);

/* Problems at a value, at its key (or where it begins, in a list), at a key of a mapping that is
 * not shown, and for a key that a mapping lacks. The dotted path is put in front. */
void node_problem(struct problems *problems, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void node_key_problem(struct problems *problems, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void node_hidden_key_problem(struct problems *problems, const struct node *node, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
void node_missing(struct problems *problems, const struct node *mapping, const char *key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
