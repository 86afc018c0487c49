#include "config/document.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATH_MAX_SIZE = 512 };

/* What of a node a problem is told at; the path of a hidden key ends above it. */
enum place { VALUE, KEY, HIDDEN_KEY };

const struct node *node_get(const struct node *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->children[i]->key && !strcmp(mapping->children[i]->key, key))
            return mapping->children[i];
    return NULL;
}

bool node_is_null(const struct node *node)
{
    if (node->type != NODE_SCALAR || node->quoted || node->from_environment || node->wrong)
        return false;
    return !*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null");
}

bool node_not_given(const struct node *node)
{
    return node->type == NODE_SCALAR && node->from_environment && !node->wrong && !*node->text;
}

const char *node_type_name(const struct node *node)
{
    static const char *const names[] = {"a single value", "a mapping", "a list"};
    return node_is_null(node) ? "empty" : names[node->type];
}

/* A key up to where a forgotten space has drawn its value, which may be secret, into it:
 * "Authorization..." of {Authorization:Bearer x}. */
static void append_key(const char *key, struct buf *path)
{
    size_t length = strcspn(key, ":= \t");
    buf_printf(path, "%.*s%s", (int)length, key, key[length] ? "..." : "");
}

/* "captures.spike[0].seconds"; what does not fit is left out. */
static void append_path(const struct node *node, struct buf *path)
{
    if (!node->parent)
        return;
    append_path(node->parent, path);
    if (node->key && path->size)
        buf_puts(path, ".");
    if (node->key)
        append_key(node->key, path);
    else
        buf_printf(path, "[%zu]", node->index);
}

__attribute__((format(printf, 5, 0))) static void add(struct problems *problems,
    const struct node *node, enum place place, const char *missing, const char *format,
    va_list args)
{
    struct buf path;
    buf_init(&path, PATH_MAX_SIZE);
    append_path(place == HIDDEN_KEY ? node->parent : node, &path);
    if (missing)
        buf_printf(&path, "%s%s", path.size ? "." : "", missing);
    bool use_key = place != VALUE && node->key;
    problems_vadd(problems, use_key ? node->key_line : node->line,
        use_key ? node->key_column : node->column, path.data, format, args);
    buf_free(&path);
}

void node_problem(struct problems *problems, const struct node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, node, VALUE, NULL, format, args);
    va_end(args);
}

void node_key_problem(struct problems *problems, const struct node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, node, KEY, NULL, format, args);
    va_end(args);
}

void node_hidden_key_problem(
    struct problems *problems, const struct node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, node, HIDDEN_KEY, NULL, format, args);
    va_end(args);
}

void node_missing(
    struct problems *problems, const struct node *mapping, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, mapping, KEY, key, format, args);
    va_end(args);
}

/* Whether other readers of YAML take the text for a number, 012 and 1:30 among them, or a date. */
static bool is_number(const char *text)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    strtod(text, &end);
    return !*end || text[strspn(text, "0123456789_:-")] == '\0';
}

/* Letters, digits and what has no meaning to YAML wherever it stands. */
static bool is_plain(const char *text)
{
    /* Text here, but something else to other readers of YAML. */
    static const char *const taken[] = {"null", "true", "false", "yes", "no", "on", "off"};
    if ((!isalnum((unsigned char)*text) && *text != '/') || is_number(text))
        return false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (!strcasecmp(text, taken[i]))
            return false;
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("_./%+-", *c))
            continue;
        if (*c != ':' || (!isalnum((unsigned char)c[1]) && c[1] != '/'))
            return false;
    }
    return true;
}

char *document_quote(const char *text)
{
    if (is_plain(text))
        return xstrdup(text);
    struct buf quoted;
    buf_init(&quoted, 6 * strlen(text) + 2);
    buf_puts(&quoted, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_printf(&quoted, "\\%c", *c);
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            buf_printf(&quoted, "\\x%02x", (unsigned)(unsigned char)*c);
        else if (c[0] == '$' && c[1] == '{')
            buf_puts(&quoted, "$$");
        else
            buf_append(&quoted, c, 1);
    }
    buf_puts(&quoted, "\"");
    return buf_take(&quoted);
}
