#include "review/top/pattern_parser.h"

#include "review/profile/array.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 1000, REPEAT_MAX = 1000, NO_NODE = 0, FOREVER = -1 };

enum kind { EMPTY, CLASS, ASSERTION, SEQUENCE, CHOICE, REPEAT };

/* A tree of what was read; node 0 is no node. Sequences and choices are of two. */
struct tree_node {
    enum kind kind;
    uint32_t left, right;
    uint32_t from, count; /* as in struct instruction */
    int32_t least, most;  /* REPEAT; FOREVER */
};

uint32_t pattern_fail(struct parser *parser, enum pattern_status status)
{
    if (parser->status == PATTERN_OK)
        parser->status = status;
    parser->at = parser->end;
    return NO_NODE;
}

static uint32_t add_node(struct parser *parser, struct tree_node node)
{
    if (parser->count >= PROGRAM_MAX)
        return pattern_fail(parser, PATTERN_TOO_LARGE);
    parser->nodes = array_room(
        parser->nodes, parser->count, 1, &parser->capacity, sizeof *parser->nodes);
    parser->nodes[parser->count] = node;
    return parser->count++;
}

bool pattern_starts(const struct parser *parser, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(parser->end - parser->at) >= size && !memcmp(parser->at, text, size);
}

bool pattern_accept(struct parser *parser, const char *text)
{
    if (!pattern_starts(parser, text))
        return false;
    parser->at += strlen(text);
    return true;
}

int32_t pattern_take_rune(struct parser *parser)
{
    size_t size;
    if (parser->at == parser->end) {
        pattern_fail(parser, PATTERN_WRONG);
        return RUNE_NONE;
    }
    int32_t rune = pattern_rune(parser->at, (size_t)(parser->end - parser->at), &size);
    if (rune == RUNE_BAD && size == 1) {
        pattern_fail(parser, PATTERN_WRONG);
        return RUNE_NONE;
    }
    parser->at += size;
    return rune;
}

static uint32_t class_since(struct parser *parser, uint32_t from)
{
    return add_node(
        parser, (struct tree_node){
                    .kind = CLASS, .from = from, .count = parser->pattern->range_count - from});
}

static uint32_t one_rune(struct parser *parser, int32_t rune)
{
    uint32_t from = parser->pattern->range_count;
    pattern_add_rune(parser, rune);
    return class_since(parser, from);
}

static uint32_t take_choice(struct parser *parser);

static uint32_t assertion(struct parser *parser, enum assertion assertion)
{
    return add_node(parser, (struct tree_node){.kind = ASSERTION, .from = assertion});
}

static uint32_t join(struct parser *parser, enum kind kind, uint32_t left, uint32_t right)
{
    if (!left || !right)
        return left ? left : right;
    return add_node(parser, (struct tree_node){.kind = kind, .left = left, .right = right});
}

/* Behind (? : sets flags. Returns whether a group begins. */
static bool take_flags(struct parser *parser)
{
    unsigned flags = parser->flags;
    bool off = false, seen = false;
    for (;;) {
        int32_t rune = pattern_take_rune(parser);
        unsigned flag = rune == 'i'   ? FOLD_CASE
                        : rune == 'm' ? MANY_LINES
                        : rune == 's' ? DOT_IS_ALL
                                      : 0;
        if (flag || rune == 'U') {
            flags = off ? flags & ~flag : flags | flag;
            seen = true;
        } else if (rune == '-' && !off) {
            off = true;
            seen = false;
        } else if ((rune == ':' || rune == ')') && (!off || seen)) {
            parser->flags = flags;
            return rune == ':';
        } else {
            pattern_fail(parser, PATTERN_WRONG);
            return false;
        }
    }
}

static void take_group_name(struct parser *parser)
{
    bool any = false;
    while (parser->at < parser->end && *parser->at != '>') {
        char c = *parser->at++;
        any = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_';
        if (!any)
            break;
    }
    if (!any || !pattern_accept(parser, ">"))
        pattern_fail(parser, PATTERN_WRONG);
}

/* Behind ( ; NO_NODE when it only set flags. */
static uint32_t take_group(struct parser *parser)
{
    unsigned flags = parser->flags;
    if (pattern_accept(parser, "?P<"))
        take_group_name(parser);
    else if (pattern_accept(parser, "?") && !take_flags(parser))
        return NO_NODE;
    if (++parser->depth > DEPTH_MAX)
        return pattern_fail(parser, PATTERN_WRONG);
    uint32_t inner = take_choice(parser);
    parser->depth--;
    if (!pattern_accept(parser, ")"))
        return pattern_fail(parser, PATTERN_WRONG);
    parser->flags = flags;
    return inner;
}

static uint32_t take_backslash(struct parser *parser)
{
    uint32_t from = parser->pattern->range_count;
    if (pattern_accept(parser, "\\A"))
        return assertion(parser, AT_TEXT_START);
    if (pattern_accept(parser, "\\z"))
        return assertion(parser, AT_TEXT_END);
    if (pattern_accept(parser, "\\b"))
        return assertion(parser, AT_WORD);
    if (pattern_accept(parser, "\\B"))
        return assertion(parser, NOT_AT_WORD);
    if (pattern_accept(parser, "\\Q")) {
        parser->quoted = true;
        return NO_NODE;
    }
    if (pattern_accept_escaped_class(parser))
        return class_since(parser, from);
    pattern_accept(parser, "\\");
    return one_rune(parser, pattern_take_escape(parser));
}

static uint32_t take_atom(struct parser *parser)
{
    bool lines = parser->flags & MANY_LINES;
    uint32_t from = parser->pattern->range_count;
    if (pattern_starts(parser, "\\"))
        return take_backslash(parser);
    if (pattern_accept(parser, "("))
        return take_group(parser);
    if (pattern_accept(parser, "[")) {
        pattern_take_class(parser);
        return class_since(parser, from);
    }
    if (pattern_accept(parser, "^"))
        return assertion(parser, lines ? AT_LINE_START : AT_TEXT_START);
    if (pattern_accept(parser, "$"))
        return assertion(parser, lines ? AT_LINE_END : AT_TEXT_END);
    if (!pattern_accept(parser, "."))
        return one_rune(parser, pattern_take_rune(parser));
    pattern_add_range(parser, 0, parser->flags & DOT_IS_ALL ? RUNE_MAX : '\n' - 1);
    if (!(parser->flags & DOT_IS_ALL))
        pattern_add_range(parser, '\n' + 1, RUNE_MAX);
    return class_since(parser, from);
}

/* A number without leading zeros; more than any that is allowed is one too many. */
static bool take_number(struct parser *parser, int32_t *number)
{
    const char *from = parser->at;
    *number = 0;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
        *number = *number > REPEAT_MAX ? *number : *number * 10 + (*parser->at - '0');
    return parser->at > from && (*from != '0' || parser->at == from + 1);
}

/* {2,5} and the like; what is not of that form is just text. */
static bool accept_counts(struct parser *parser, int32_t *least, int32_t *most)
{
    const char *from = parser->at;
    bool right = pattern_accept(parser, "{") && take_number(parser, least);
    *most = *least;
    if (right && pattern_accept(parser, ",")) {
        *most = FOREVER;
        if (!pattern_starts(parser, "}"))
            right = take_number(parser, most);
    }
    if (right && pattern_accept(parser, "}"))
        return true;
    parser->at = from;
    return false;
}

static bool accept_repeat(struct parser *parser, int32_t *least, int32_t *most)
{
    *least = pattern_starts(parser, "+");
    *most = pattern_starts(parser, "?") ? 1 : FOREVER;
    if (pattern_accept(parser, "*") || pattern_accept(parser, "+") || pattern_accept(parser, "?"))
        return true;
    return accept_counts(parser, least, most);
}

/* Whether counted repetitions of counted repetitions stay below the limit. Only the right of a
 * sequence is recursed into: the left is as long as one likes. */
static bool repeats_fit(const struct parser *parser, uint32_t index, int32_t most)
{
    for (const struct tree_node *node; index != NO_NODE; index = node->left) {
        node = &parser->nodes[index];
        if (node->kind == REPEAT) {
            int32_t times = node->most == FOREVER ? node->least : node->most;
            if (node->most == 0)
                return true;
            if (times > most)
                return false;
            most = times > 0 ? most / times : most;
        } else if (!repeats_fit(parser, node->right, most)) {
            return false;
        }
    }
    return true;
}

static uint32_t repeated(struct parser *parser, uint32_t inner, int32_t least, int32_t most)
{
    bool fits = least <= REPEAT_MAX && most <= REPEAT_MAX && (most == FOREVER || least <= most);
    uint32_t node = add_node(
        parser, (struct tree_node){.kind = REPEAT, .left = inner, .least = least, .most = most});
    if (!fits || ((least > 1 || most > 1) && !repeats_fit(parser, node, REPEAT_MAX)))
        return pattern_fail(parser, PATTERN_WRONG);
    return node;
}

/* The next piece of a sequence; NO_NODE when it only changed how the next ones are read. */
static uint32_t take_piece(struct parser *parser)
{
    if (!parser->quoted)
        return take_atom(parser);
    if (pattern_accept(parser, "\\E")) {
        parser->quoted = false;
        return NO_NODE;
    }
    return one_rune(parser, pattern_take_rune(parser));
}

static bool at_end_of_sequence(const struct parser *parser)
{
    return parser->at == parser->end ||
           (!parser->quoted && (*parser->at == '|' || *parser->at == ')'));
}

static uint32_t take_sequence(struct parser *parser)
{
    uint32_t before = NO_NODE, last = NO_NODE;
    bool is_repeat = false;
    while (!at_end_of_sequence(parser)) {
        int32_t least, most;
        if (!parser->quoted && accept_repeat(parser, &least, &most)) {
            if (!last || is_repeat)
                return pattern_fail(parser, PATTERN_WRONG);
            pattern_accept(parser, "?"); /* as little as possible: whether it matches is the same */
            last = repeated(parser, last, least, most);
            is_repeat = true;
            continue;
        }
        uint32_t piece = take_piece(parser);
        is_repeat = false;
        if (piece) {
            before = join(parser, SEQUENCE, before, last);
            last = piece;
        }
    }
    uint32_t all = join(parser, SEQUENCE, before, last);
    return all ? all : add_node(parser, (struct tree_node){.kind = EMPTY});
}

static uint32_t take_choice(struct parser *parser)
{
    uint32_t all = take_sequence(parser);
    while (parser->status == PATTERN_OK && pattern_accept(parser, "|"))
        all = join(parser, CHOICE, all, take_sequence(parser));
    return all;
}

/* From the tree to the program, from the end to the beginning: each gets what comes next, and
 * returns where it begins. */

static uint32_t emit(struct parser *parser, struct instruction instruction)
{
    struct pattern *pattern = parser->pattern;
    if (pattern->size >= PROGRAM_MAX) {
        pattern_fail(parser, PATTERN_TOO_LARGE);
        return 0;
    }
    pattern->program = array_room(
        pattern->program, pattern->size, 1, &pattern->capacity, sizeof *pattern->program);
    pattern->program[pattern->size] = instruction;
    return pattern->size++;
}

static uint32_t emit_split(struct parser *parser, uint32_t next, uint32_t other)
{
    return emit(parser, (struct instruction){.operation = OP_SPLIT, .next = next, .other = other});
}

static uint32_t emit_tree(struct parser *parser, uint32_t index, uint32_t next);

static uint32_t emit_repeat(struct parser *parser, const struct tree_node *repeat, uint32_t next)
{
    uint32_t inner = repeat->left, begin = next;
    int32_t copies = repeat->least;
    if (repeat->most == FOREVER) {
        uint32_t loop = emit_split(parser, next, next);
        uint32_t body = emit_tree(parser, inner, loop);
        parser->pattern->program[loop].next = body;
        begin = repeat->least > 0 ? body : loop;
        copies -= repeat->least > 0;
    }
    for (int32_t i = repeat->least; i < repeat->most && parser->status == PATTERN_OK; i++)
        begin = emit_split(parser, emit_tree(parser, inner, begin), next);
    for (int32_t i = 0; i < copies && parser->status == PATTERN_OK; i++)
        begin = emit_tree(parser, inner, begin);
    return begin;
}

static uint32_t emit_choice(struct parser *parser, const struct tree_node *choice, uint32_t next)
{
    uint32_t begin = emit_tree(parser, choice->right, next);
    const struct tree_node *left = &parser->nodes[choice->left];
    for (; left->kind == CHOICE; left = &parser->nodes[left->left])
        begin = emit_split(parser, emit_tree(parser, left->right, next), begin);
    return emit_split(parser, emit_tree(parser, (uint32_t)(left - parser->nodes), next), begin);
}

static uint32_t emit_tree(struct parser *parser, uint32_t index, uint32_t next)
{
    if (parser->status != PATTERN_OK)
        return 0;
    const struct tree_node *node = &parser->nodes[index];
    for (; node->kind == SEQUENCE; node = &parser->nodes[node->left])
        next = emit_tree(parser, node->right, next);
    switch (node->kind) {
    case CLASS:
        return emit(parser,
            (struct instruction){
                .operation = OP_CLASS, .next = next, .from = node->from, .count = node->count});
    case ASSERTION:
        return emit(
            parser, (struct instruction){.operation = OP_ASSERT, .next = next, .from = node->from});
    case CHOICE:
        return emit_choice(parser, node, next);
    case REPEAT:
        return emit_repeat(parser, node, next);
    default:
        return next;
    }
}

enum pattern_status pattern_parse(struct pattern *pattern, const char *text, size_t size)
{
    struct parser parser = {.at = text, .end = text + size, .pattern = pattern};
    add_node(&parser, (struct tree_node){.kind = EMPTY}); /* NO_NODE */
    uint32_t all = take_choice(&parser);
    if (parser.at != parser.end)
        pattern_fail(&parser, PATTERN_WRONG);
    uint32_t match = emit(&parser, (struct instruction){.operation = OP_MATCH});
    pattern->start = emit_tree(&parser, all, match);
    free(parser.nodes);
    return parser.status;
}
