/* The windows in which an app is recorded, one a trigger: when one is open, and which is next.
 * Pure: no clock. Times are monotonic. */
#ifndef AGENT_CAPTURE_WINDOWS_H
#define AGENT_CAPTURE_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window {
    int64_t from_ms, until_ms; /* until INT64_MIN: nothing is armed */
};

struct windows {
    struct window *all; /* by trigger */
    size_t count;
    int64_t linger_ms; /* for which each stays open after its end */
};

void windows_init(struct windows *windows, size_t count, int64_t linger_ms);
void windows_free(struct windows *windows);

/* In place of any window of this trigger before; and none any more. */
void windows_arm(struct windows *windows, size_t trigger, int64_t from_ms, int64_t until_ms);
void windows_disarm(struct windows *windows, size_t trigger);

/* Forgets those that are over. */
void windows_forget_ended(struct windows *windows, int64_t now_ms);

bool windows_any_open(const struct windows *windows, int64_t now_ms);

/* When the next one opens, or one that is open ends; INT64_MAX: never. */
int64_t windows_next_change_ms(const struct windows *windows, int64_t now_ms);

/* The one that begins first, with all that it meets. */
struct window windows_next(const struct windows *windows);

#endif
