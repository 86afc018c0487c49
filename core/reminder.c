#include "core/reminder.h"

#include <stddef.h>

static const int64_t first_ms = 5 * 60 * 1000, longest_ms = 6 * 3600 * 1000;

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), without digits; never 0. */
static uint64_t hash_of(const char *cause)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *cause; cause++)
        if (*cause < '0' || *cause > '9')
            hash = (hash ^ (unsigned char)*cause) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

bool reminder_due(struct reminder *reminder, const char *cause, int64_t now_ms)
{
    uint64_t hash = hash_of(cause);
    size_t place = 0;
    for (size_t i = 0; i < REMINDER_CAUSES; i++) {
        if (reminder->causes[i].cause == hash) {
            place = i;
            break;
        }
        bool is_free = !reminder->causes[i].cause && reminder->causes[place].cause;
        bool is_later = reminder->causes[place].cause && reminder->causes[i].cause &&
                        reminder->causes[i].next_ms > reminder->causes[place].next_ms;
        if (is_free || is_later)
            place = i;
    }
    bool known = reminder->causes[place].cause == hash;
    if (known && now_ms < reminder->causes[place].next_ms)
        return false;
    int64_t distance_ms = known ? reminder->causes[place].distance_ms * 2 : first_ms;
    if (distance_ms > longest_ms)
        distance_ms = longest_ms;
    reminder->causes[place].cause = hash;
    reminder->causes[place].distance_ms = distance_ms;
    reminder->causes[place].next_ms = now_ms + distance_ms;
    return true;
}

bool reminder_over(struct reminder *reminder)
{
    bool said = false;
    for (size_t i = 0; i < REMINDER_CAUSES; i++)
        said = said || reminder->causes[i].cause;
    *reminder = (struct reminder){0};
    return said;
}
