#include "agent/storage/inquiry.h"

#include "core/alloc.h"
#include "exporters/exporter.h"

#include <stdlib.h>

struct question {
    struct question *next;
    char *key;
    size_t max_bytes;
    void (*done)(void *arg, const struct recall_result *result); /* NULL: nobody wants to know */
    void *arg;
};

struct inquiry {
    const struct exporter_kind *kind;
    void *exporter;
    struct question *first; /* is being answered */
};

struct inquiry *inquiry_open(const struct exporter_kind *kind, void *exporter)
{
    struct inquiry *inquiry = xcalloc(1, sizeof *inquiry);
    inquiry->kind = kind;
    inquiry->exporter = exporter;
    return inquiry;
}

static void drop_first(struct inquiry *inquiry)
{
    struct question *question = inquiry->first;
    inquiry->first = question->next;
    free(question->key);
    free(question);
}

void inquiry_close(struct inquiry *inquiry)
{
    if (!inquiry)
        return;
    while (inquiry->first)
        drop_first(inquiry);
    free(inquiry);
}

/* The first one is being answered. */
void inquiry_forget(struct inquiry *inquiry, void *arg)
{
    struct question **at = &inquiry->first;
    while (*at) {
        struct question *question = *at;
        if (question->arg != arg) {
            at = &question->next;
        } else if (question == inquiry->first) {
            question->done = NULL;
            question->arg = NULL;
        } else {
            *at = question->next;
            free(question->key);
            free(question);
        }
    }
}

static void ask_first(struct inquiry *inquiry);

static void answered(void *arg, const struct recall_result *result)
{
    struct inquiry *inquiry = arg;
    struct question question = *inquiry->first;
    drop_first(inquiry);
    ask_first(inquiry);
    if (question.done)
        question.done(question.arg, result);
}

static void ask_first(struct inquiry *inquiry)
{
    const struct question *first = inquiry->first;
    if (first)
        inquiry->kind->recall(inquiry->exporter, first->key, first->max_bytes, answered, inquiry);
}

bool inquiry_ask(struct inquiry *inquiry, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    if (!inquiry->kind->recall)
        return false;
    struct question **end = &inquiry->first;
    while (*end)
        end = &(*end)->next;
    *end = xcalloc(1, sizeof **end);
    **end = (struct question){
        .key = xstrdup(key), .max_bytes = max_bytes, .done = done, .arg = arg};
    if (*end == inquiry->first)
        ask_first(inquiry);
    return true;
}
