/* Inside patterns: what pattern_parse.c makes of the text, and pattern.c runs. */
#ifndef REVIEW_PATTERN_PROGRAM_H
#define REVIEW_PATTERN_PROGRAM_H

#include "review/top/pattern.h"

enum {
    RUNE_MAX = 0x10ffff,
    RUNE_NONE = -1,     /* before the text and behind it */
    RUNE_BAD = 0xfffd,  /* a byte that is not UTF-8 */
    PROGRAM_MAX = 50000 /* states; a person's expression has some hundreds */
};

enum operation {
    OP_CLASS,  /* a rune of ranges[from] and on, of which there are `count` */
    OP_SPLIT,  /* go to both */
    OP_ASSERT, /* go to next when the place is of that kind */
    OP_MATCH
};

enum assertion { AT_TEXT_START, AT_TEXT_END, AT_LINE_START, AT_LINE_END, AT_WORD, NOT_AT_WORD };

struct instruction {
    enum operation operation;
    uint32_t next, other;
    uint32_t from, count; /* OP_ASSERT: from is the assertion */
};

struct rune_range {
    int32_t low, high;
};

struct pattern {
    struct instruction *program;
    uint32_t size, capacity, start;
    struct rune_range *ranges;
    uint32_t range_count, range_capacity;
    /* While it runs: two sets of states, a stack, and in which round each state was added. */
    uint32_t *now, *then, *stack;
    uint64_t *added;
    uint64_t round;
};

/* pattern_parse.c: fills the program. */
enum pattern_status pattern_parse(struct pattern *pattern, const char *text, size_t size);

/* The next rune, of which text has at least a byte; *size is that of its bytes. RUNE_BAD with a
 * size of 1 when they are not UTF-8. */
int32_t pattern_rune(const char *text, size_t left, size_t *size);

#endif
