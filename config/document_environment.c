#include "config/document.h"

#include "core/alloc.h"
#include "core/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* One scalar that is being filled in. */
struct filling {
    struct problems *problems;
    struct node *node;
    struct buf text;
};

/* One reference, of the form NAME or NAME:-default, between the braces. */
struct reference {
    char *name;
    const char *otherwise; /* not ended by a NUL; NULL: none */
    size_t otherwise_length;
};

static size_t name_length(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && (isalpha((unsigned char)text[i]) || text[i] == '_' ||
                             (i > 0 && isdigit((unsigned char)text[i]))))
        i++;
    return i;
}

static int append(struct filling *filling, const char *text, size_t length)
{
    if (buf_append(&filling->text, text, length) == 0)
        return 0;
    node_problem(
        filling->problems, filling->node, "is larger than 1 MiB with the environment filled in");
    return -1;
}

static int fill_in_reference(struct filling *filling, const struct reference *reference)
{
    const char *value = getenv(reference->name);
    if (reference->otherwise && (!value || !*value))
        return append(filling, reference->otherwise, reference->otherwise_length);
    if (value)
        return append(filling, value, strlen(value));
    node_problem(filling->problems, filling->node,
        "the environment variable %s is not set; set it, or give a default as in ${%s:-default}",
        reference->name, reference->name);
    return -1;
}

/* Reads the reference at "${"; returns what comes after it, NULL after a problem. */
static const char *read_reference(struct filling *filling, const char *at)
{
    const char *name = at + 2;
    const char *end = strchr(name, '}');
    if (!end) {
        node_problem(filling->problems, filling->node,
            "\"${\" without a closing \"}\"; write $${ for the characters themselves");
        return NULL;
    }
    size_t length = name_length(name, (size_t)(end - name));
    const char *after = name + length;
    bool has_default = !strncmp(after, ":-", 2);
    if (length == 0 || (after != end && !has_default)) {
        node_problem(filling->problems, filling->node,
            "holds a \"${\" that begins neither ${NAME} nor ${NAME:-default}; write $${ for the "
            "characters themselves");
        return NULL;
    }
    struct reference reference = {.name = xstrndup(name, length)};
    if (has_default) {
        reference.otherwise = after + 2;
        reference.otherwise_length = (size_t)(end - reference.otherwise);
    }
    int status = fill_in_reference(filling, &reference);
    free(reference.name);
    return status == 0 ? end + 1 : NULL;
}

/* The length of the valid UTF-8 sequence that begins here; 0: none does. */
static size_t utf8_length(const unsigned char *c)
{
    if (c[0] < 0x80)
        return 1;
    size_t length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates and what lies beyond U+10FFFF. */
    bool bad = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
               (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f);
    return bad ? 0 : length;
}

static bool is_utf8(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t length = utf8_length(c);
        if (length == 0)
            return false;
        c += length;
    }
    return true;
}

static int fill_in_text(struct filling *filling)
{
    const char *at = filling->node->text;
    while (*at) {
        if (!strncmp(at, "$${", 3)) {
            if (append(filling, "${", 2) < 0)
                return -1;
            at += 3;
        } else if (!strncmp(at, "${", 2)) {
            at = read_reference(filling, at);
            filling->node->from_environment = true;
            if (!at)
                return -1;
        } else if (append(filling, at++, 1) < 0) {
            return -1;
        }
    }
    if (!is_utf8(filling->text.data)) {
        node_problem(
            filling->problems, filling->node, "is not UTF-8 once the environment is filled in");
        return -1;
    }
    return 0;
}

static void fill_in_scalar(struct node *node, struct problems *problems, size_t *budget)
{
    struct filling filling = {.problems = problems, .node = node};
    buf_init(&filling.text, *budget);
    if (fill_in_text(&filling) < 0)
        node->wrong = true;
    *budget -= filling.text.size;
    free(node->text);
    node->text = buf_take(&filling.text);
}

static void fill_in_tree(struct node *node, struct problems *problems, size_t *budget)
{
    if (node->type == NODE_SCALAR && !node->wrong && strstr(node->text, "${"))
        fill_in_scalar(node, problems, budget);
    for (size_t i = 0; i < node->count; i++)
        fill_in_tree(node->children[i], problems, budget);
}

void document_fill_in(struct node *root, struct problems *problems)
{
    /* Small references to large variables may not add up without bound. */
    size_t budget = DOCUMENT_SIZE_MAX;
    fill_in_tree(root, problems, &budget);
}
