#include "config/document.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct problems *problems;
    const char *text;
    size_t size;
    size_t nodes;
};

static void add_at(struct reader *reader, yaml_mark_t mark, const char *what)
{
    problems_add(reader->problems, (int)mark.line + 1, (int)mark.column + 1, NULL, "%s", what);
}

/* The byte at a mark, which counts characters. */
static char byte_at(const struct reader *reader, yaml_mark_t mark)
{
    size_t characters = 0;
    for (size_t i = 0; i < reader->size; i++) {
        bool begins = ((unsigned char)reader->text[i] & 0xc0) != 0x80;
        if (begins && characters++ == mark.index)
            return reader->text[i];
    }
    return '\0';
}

/* What to do about the character that the scanner stumbled over. */
static const char *syntax_remedy(const struct reader *reader, yaml_mark_t mark)
{
    const char *problem = reader->parser.problem ? reader->parser.problem : "";
    if (byte_at(reader, mark) == '\t')
        return "; indent with spaces, YAML takes no tabs";
    if (strstr(problem, "cannot start any token"))
        return "; put the value in quotes";
    if (strstr(problem, "mapping values are not allowed"))
        return "; check the indentation, or put a value with \": \" in quotes";
    return "; check the indentation and the quotes and brackets before it";
}

/* The scanner cannot say the line of bytes that are no text, only their offset. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < reader->size; i++) {
        mark.column++;
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static void syntax_problem(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "out of memory";
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR) {
        mark = mark_of_offset(reader, parser->problem_offset);
        problems_add(reader->problems, (int)mark.line + 1, (int)mark.column + 1, NULL,
            "not text that YAML can hold: %s; save the file as UTF-8", problem);
        return;
    }
    problems_add(reader->problems, (int)mark.line + 1, (int)mark.column + 1, NULL,
        "not valid YAML: %s%s", problem, syntax_remedy(reader, mark));
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return 0;
    syntax_problem(reader);
    return -1;
}

/* Where a node goes. */
struct place {
    struct node *parent; /* NULL: the root */
    char *key;           /* in a mapping */
    yaml_mark_t key_mark;
    int depth;
};

static struct node *new_node(enum node_type type, yaml_mark_t mark, const struct place *place)
{
    struct node *node = xcalloc(1, sizeof *node);
    node->type = type;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    node->parent = place->parent;
    node->index = place->parent ? place->parent->count : 0;
    if (place->key) {
        node->key = xstrdup(place->key);
        node->key_line = (int)place->key_mark.line + 1;
        node->key_column = (int)place->key_mark.column + 1;
    }
    return node;
}

static void append(struct node *parent, struct node *child)
{
    /* Grows by doubling: at each power of two. */
    if ((parent->count & (parent->count - 1)) == 0) {
        size_t capacity = parent->count ? 2 * parent->count : 1;
        parent->children = xrealloc(parent->children, capacity, sizeof(struct node *));
    }
    parent->children[parent->count++] = child;
}

static void refuse_extras(struct reader *reader, const struct node *node, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
    if (anchor)
        node_problem(reader->problems, node, "anchors (&name) are not taken; write the value out");
    if (tag)
        node_problem(reader->problems, node, "tags (!name) are not taken; leave it out");
}

static struct node *read_scalar(
    struct reader *reader, const yaml_event_t *event, const struct place *place)
{
    const char *text = (const char *)event->data.scalar.value;
    struct node *node = new_node(NODE_SCALAR, event->start_mark, place);
    refuse_extras(reader, node, event->data.scalar.anchor, event->data.scalar.tag);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = xstrndup(text, event->data.scalar.length);
    if (strlen(node->text) != event->data.scalar.length) {
        node_problem(reader->problems, node, "holds a NUL character");
        node->wrong = true;
    }
    return node;
}

static struct node *read_alias(
    struct reader *reader, const yaml_event_t *event, const struct place *place)
{
    struct node *node = new_node(NODE_SCALAR, event->start_mark, place);
    node->text = xstrdup("");
    node->wrong = true;
    node_problem(reader->problems, node, "aliases (*name) are not taken; write the value out");
    return node;
}

/* The key of an entry, or NULL when it cannot be one. */
static char *read_key(struct reader *reader, const yaml_event_t *event)
{
    size_t length = event->type == YAML_SCALAR_EVENT ? event->data.scalar.length : 0;
    const char *text = length ? (const char *)event->data.scalar.value : "";
    if (event->type != YAML_SCALAR_EVENT || strlen(text) != length) {
        add_at(reader, event->start_mark, "a key must be plain text");
        return NULL;
    }
    if (length == 0 || length > DOCUMENT_KEY_MAX) {
        add_at(reader, event->start_mark,
            length ? "a key may be 128 bytes long at most" : "a key is missing before \":\"");
        return NULL;
    }
    if (event->data.scalar.anchor || event->data.scalar.tag)
        add_at(reader, event->start_mark, "a key takes no anchor (&name) and no tag (!name)");
    return xstrdup(text);
}

static struct node *read_node(
    struct reader *reader, const yaml_event_t *event, const struct place *place);

/* The node that comes next. */
static struct node *read_next(struct reader *reader, const struct place *place)
{
    yaml_event_t event;
    if (next_event(reader, &event) < 0)
        return NULL;
    struct node *node = read_node(reader, &event, place);
    yaml_event_delete(&event);
    return node;
}

static int read_entry(
    struct reader *reader, const yaml_event_t *key_event, struct node *mapping, int depth)
{
    struct place place = {mapping, read_key(reader, key_event), key_event->start_mark, depth};
    bool lost = !place.key;
    /* Behind what is no scalar nobody knows where the value begins. */
    if (lost && key_event->type != YAML_SCALAR_EVENT)
        return -1;
    const struct node *first = lost ? NULL : node_get(mapping, place.key);
    struct node *value = read_next(reader, &place);
    free(place.key);
    if (!value)
        return -1;
    if (lost) {
        document_free(value);
    } else if (first) {
        node_key_problem(
            reader->problems, value, "is given twice, first on line %d", first->key_line);
        document_free(value);
    } else {
        append(mapping, value);
    }
    return 0;
}

static int read_item(
    struct reader *reader, const yaml_event_t *event, struct node *sequence, int depth)
{
    struct place place = {.parent = sequence, .depth = depth};
    struct node *item = read_node(reader, event, &place);
    if (!item)
        return -1;
    append(sequence, item);
    return 0;
}

static struct node *read_collection(
    struct reader *reader, const yaml_event_t *start, const struct place *place)
{
    bool mapping = start->type == YAML_MAPPING_START_EVENT;
    struct node *node = new_node(mapping ? NODE_MAPPING : NODE_SEQUENCE, start->start_mark, place);
    if (mapping)
        refuse_extras(
            reader, node, start->data.mapping_start.anchor, start->data.mapping_start.tag);
    else
        refuse_extras(
            reader, node, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    for (;;) {
        yaml_event_t event;
        if (next_event(reader, &event) < 0)
            break;
        bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        int status = end       ? 0
                     : mapping ? read_entry(reader, &event, node, place->depth + 1)
                               : read_item(reader, &event, node, place->depth + 1);
        yaml_event_delete(&event);
        if (end)
            return node;
        if (status < 0)
            break;
    }
    document_free(node);
    return NULL;
}

/* The node that begins with this event; NULL ends the reading. */
static struct node *read_node(
    struct reader *reader, const yaml_event_t *event, const struct place *place)
{
    if (place->depth > DOCUMENT_DEPTH_MAX) {
        add_at(reader, event->start_mark, "nested deeper than 16 levels");
        return NULL;
    }
    if (++reader->nodes > DOCUMENT_NODES_MAX) {
        add_at(reader, event->start_mark, "more than 10000 values; nothing here needs so many");
        return NULL;
    }
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(reader, event, place);
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event, place);
    return read_collection(reader, event, place);
}

static int skip_event(struct reader *reader)
{
    yaml_event_t event;
    if (next_event(reader, &event) < 0)
        return -1;
    yaml_event_delete(&event);
    return 0;
}

/* After the document only the stream's end may come. */
static int read_end(struct reader *reader)
{
    yaml_event_t event;
    if (skip_event(reader) < 0 || next_event(reader, &event) < 0)
        return -1;
    int status = 0;
    if (event.type != YAML_STREAM_END_EVENT) {
        add_at(reader, event.start_mark, "a second document begins here; one file holds one");
        status = -1;
    }
    yaml_event_delete(&event);
    return status;
}

static struct node *read_stream(struct reader *reader)
{
    const struct place place = {.depth = 1};
    yaml_event_t event;
    if (skip_event(reader) < 0 || next_event(reader, &event) < 0)
        return NULL;
    bool empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty)
        return new_node(NODE_MAPPING, (yaml_mark_t){0}, &place);
    struct node *root = read_next(reader, &place);
    if (root && read_end(reader) < 0) {
        document_free(root);
        return NULL;
    }
    return root;
}

struct node *document_parse(const char *text, size_t size, struct problems *problems)
{
    struct reader reader = {.problems = problems, .text = text, .size = size};
    if (size > DOCUMENT_SIZE_MAX) {
        problems_add(problems, 1, 1, NULL, "larger than 1 MiB; no configuration needs so much");
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        problems_add(problems, 1, 1, NULL, "not enough memory to read it");
        return NULL;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    struct node *root = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    if (root)
        document_fill_in(root, problems);
    return root;
}

void document_free(struct node *root)
{
    if (!root)
        return;
    for (size_t i = 0; i < root->count; i++)
        document_free(root->children[i]);
    free(root->children);
    free(root->key);
    free(root->text);
    free(root);
}
