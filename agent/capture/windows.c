#include "agent/capture/windows.h"

#include "core/alloc.h"

#include <stdlib.h>

static bool is_armed(const struct window *window)
{
    return window->until_ms != INT64_MIN;
}

static int64_t end_ms(const struct windows *windows, const struct window *window)
{
    return window->until_ms + windows->linger_ms;
}

static bool is_open(const struct windows *windows, const struct window *window, int64_t now_ms)
{
    return is_armed(window) && window->from_ms <= now_ms && now_ms < end_ms(windows, window);
}

void windows_init(struct windows *windows, size_t count, int64_t linger_ms)
{
    *windows = (struct windows){
        .all = xcalloc(count + 1, sizeof *windows->all), .count = count, .linger_ms = linger_ms};
    for (size_t i = 0; i < count; i++)
        windows_disarm(windows, i);
}

void windows_free(struct windows *windows)
{
    free(windows->all);
}

void windows_arm(struct windows *windows, size_t trigger, int64_t from_ms, int64_t until_ms)
{
    windows->all[trigger] = (struct window){from_ms, until_ms};
}

void windows_disarm(struct windows *windows, size_t trigger)
{
    windows->all[trigger] = (struct window){INT64_MIN, INT64_MIN};
}

void windows_forget_ended(struct windows *windows, int64_t now_ms)
{
    for (size_t i = 0; i < windows->count; i++)
        if (is_armed(&windows->all[i]) && now_ms >= end_ms(windows, &windows->all[i]))
            windows_disarm(windows, i);
}

bool windows_any_open(const struct windows *windows, int64_t now_ms)
{
    for (size_t i = 0; i < windows->count; i++)
        if (is_open(windows, &windows->all[i], now_ms))
            return true;
    return false;
}

int64_t windows_next_change_ms(const struct windows *windows, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->all[i];
        if (!is_armed(window))
            continue;
        int64_t at_ms = window->from_ms > now_ms ? window->from_ms : end_ms(windows, window);
        next_ms = at_ms < next_ms ? at_ms : next_ms;
    }
    return next_ms;
}

struct window windows_next(const struct windows *windows)
{
    struct window next = {INT64_MIN, INT64_MIN};
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->all[i];
        if (is_armed(window) && (!is_armed(&next) || window->from_ms < next.from_ms))
            next = *window;
    }
    for (bool grown = is_armed(&next); grown;) {
        grown = false;
        for (size_t i = 0; i < windows->count; i++) {
            const struct window *window = &windows->all[i];
            if (window->from_ms <= next.until_ms && window->until_ms > next.until_ms) {
                next.until_ms = window->until_ms;
                grown = true;
            }
        }
    }
    return next;
}
