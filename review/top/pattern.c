#include "review/top/pattern.h"

#include "core/alloc.h"
#include "review/top/pattern_program.h"

#include <stdlib.h>

int32_t pattern_rune(const char *text, size_t left, size_t *size)
{
    static const struct {
        unsigned char mask, lead;
        int32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && i < left; i++) {
        if ((bytes[0] & forms[i].mask) != forms[i].lead)
            continue;
        int32_t rune = bytes[0] & (unsigned char)~forms[i].mask;
        size_t j = 1;
        for (; j <= i && (bytes[j] & 0xc0) == 0x80; j++)
            rune = rune << 6 | (bytes[j] & 0x3f);
        if (j <= i || rune < forms[i].least || rune > RUNE_MAX || (rune & ~0x7ff) == 0xd800)
            break;
        *size = i + 1;
        return rune;
    }
    *size = 1;
    return RUNE_BAD;
}

enum pattern_status pattern_compile(const char *text, size_t size, struct pattern **pattern)
{
    struct pattern *made = xcalloc(1, sizeof *made);
    enum pattern_status status = pattern_parse(made, text, size);
    if (status != PATTERN_OK) {
        pattern_free(made);
        made = NULL;
    } else {
        made->now = xcalloc(made->size, sizeof *made->now);
        made->then = xcalloc(made->size, sizeof *made->then);
        made->stack = xcalloc((size_t)made->size + 1, sizeof *made->stack);
        made->added = xcalloc(made->size, sizeof *made->added);
    }
    *pattern = made;
    return status;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    free(pattern->program);
    free(pattern->ranges);
    free(pattern->now);
    free(pattern->then);
    free(pattern->stack);
    free(pattern->added);
    free(pattern);
}

static bool is_word(int32_t rune)
{
    return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') || rune == '_' ||
           (rune >= 'a' && rune <= 'z');
}

static bool holds(uint32_t assertion, int32_t before, int32_t behind)
{
    switch ((enum assertion)assertion) {
    case AT_TEXT_START:
        return before == RUNE_NONE;
    case AT_TEXT_END:
        return behind == RUNE_NONE;
    case AT_LINE_START:
        return before == RUNE_NONE || before == '\n';
    case AT_LINE_END:
        return behind == RUNE_NONE || behind == '\n';
    case AT_WORD:
        return is_word(before) != is_word(behind);
    default:
        return is_word(before) == is_word(behind);
    }
}

/* Where a run is. */
struct run {
    struct pattern *pattern;
    uint32_t *states; /* that wait for a rune */
    uint32_t count;
    int32_t before, behind;
    bool matched;
    uint64_t *steps;
};

static bool may_step(struct run *run)
{
    if (*run->steps == 0)
        return false;
    --*run->steps;
    return true;
}

static bool push(const struct pattern *pattern, uint32_t *depth, uint32_t state)
{
    if (pattern->added[state] == pattern->round)
        return false;
    pattern->added[state] = pattern->round;
    pattern->stack[(*depth)++] = state;
    return true;
}

/* Adds a state and all that it leads to without a rune: each at most once a round. */
static void add(struct run *run, uint32_t state)
{
    struct pattern *pattern = run->pattern;
    uint32_t depth = 0;
    push(pattern, &depth, state);
    while (depth > 0 && may_step(run)) {
        uint32_t at = pattern->stack[--depth];
        const struct instruction *instruction = &pattern->program[at];
        switch (instruction->operation) {
        case OP_CLASS:
            run->states[run->count++] = at;
            break;
        case OP_SPLIT:
            push(pattern, &depth, instruction->other);
            push(pattern, &depth, instruction->next);
            break;
        case OP_ASSERT:
            if (holds(instruction->from, run->before, run->behind))
                push(pattern, &depth, instruction->next);
            break;
        case OP_MATCH:
            run->matched = true;
            break;
        }
    }
}

static bool takes(
    const struct pattern *pattern, const struct instruction *instruction, int32_t rune)
{
    const struct rune_range *ranges = pattern->ranges + instruction->from;
    for (uint32_t i = 0; i < instruction->count; i++)
        if (rune >= ranges[i].low && rune <= ranges[i].high)
            return true;
    return false;
}

/* From one place in the text to the next. */
static void advance(struct run *run, const uint32_t *states, uint32_t count, int32_t rune)
{
    struct pattern *pattern = run->pattern;
    for (uint32_t i = 0; i < count; i++) {
        const struct instruction *instruction = &pattern->program[states[i]];
        uint64_t cost = instruction->count;
        *run->steps -= cost < *run->steps ? cost : *run->steps;
        if (takes(pattern, instruction, rune))
            add(run, instruction->next);
    }
    add(run, pattern->start); /* it may begin anywhere */
}

bool pattern_matches(struct pattern *pattern, const char *text, size_t size, uint64_t *steps)
{
    struct run run = {
        .pattern = pattern, .states = pattern->now, .before = RUNE_NONE, .steps = steps};
    size_t rune_size = 0, behind_size = 0;
    run.behind = size ? pattern_rune(text, size, &rune_size) : RUNE_NONE;
    pattern->round++;
    add(&run, pattern->start);
    for (size_t at = 0; at < size && !run.matched && *steps > 0; at += rune_size) {
        uint32_t *states = run.states, count = run.count;
        if (at > 0)
            rune_size = behind_size;
        size_t next = at + rune_size;
        run.before = run.behind;
        run.behind = next < size ? pattern_rune(text + next, size - next, &behind_size) : RUNE_NONE;
        run.states = states == pattern->now ? pattern->then : pattern->now;
        run.count = 0;
        pattern->round++;
        advance(&run, states, count, run.before);
    }
    return run.matched;
}
