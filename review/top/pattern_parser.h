/* Inside patterns: the parser's two files share this. */
#ifndef REVIEW_PATTERN_PARSER_H
#define REVIEW_PATTERN_PARSER_H

#include "review/top/pattern_program.h"

enum { FOLD_CASE = 1, MANY_LINES = 2, DOT_IS_ALL = 4 };

struct parser {
    const char *at, *end;
    struct pattern *pattern;
    struct tree_node *nodes;
    uint32_t count, capacity, depth;
    unsigned flags;
    bool quoted; /* between \Q and \E */
    enum pattern_status status;
};

/* pattern_parse.c: the first failure counts, and ends the text. Returns 0, which is no node. */
uint32_t pattern_fail(struct parser *parser, enum pattern_status status);

/* Whether the rest of the text begins so, which then is behind. */
bool pattern_accept(struct parser *parser, const char *text);
bool pattern_starts(const struct parser *parser, const char *text);

/* The next rune; RUNE_NONE, and it has failed, when there is none or it is not UTF-8. */
int32_t pattern_take_rune(struct parser *parser);

/* pattern_class.c: these add to the pattern's ranges. A rune, in either case if case does not
 * matter. */
void pattern_add_range(struct parser *parser, int32_t low, int32_t high);
void pattern_add_rune(struct parser *parser, int32_t rune);

/* Behind [ */
void pattern_take_class(struct parser *parser);

/* \d, \W and the like; false when there is none. */
bool pattern_accept_escaped_class(struct parser *parser);

/* Behind a backslash: one rune. */
int32_t pattern_take_escape(struct parser *parser);

#endif
