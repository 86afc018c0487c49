#include "agent/kinds.h"
#include "agent/notices/notices_parts.h"
#include "config/config_changes.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static void tell_of(const struct notifier *left, const struct notifier *heir)
{
    struct notifier_status status, heir_status;
    notifier_status(left, &status);
    const char *end = status.waiting == 1 ? "" : "s";
    if (heir && status.waiting) {
        notifier_status(heir, &heir_status);
        log_info("%zu incident%s that waited for %s: now for %s", status.waiting, end, status.name,
            heir_status.name);
    } else if (status.waiting) {
        log_warn("nobody is told of %zu incident%s that waited for %s, unless it is in the "
                 "configuration again at the next start",
            status.waiting, end, status.name);
    }
    log_info("people are no longer told of incidents through %s as it was", status.name);
}

/* heir: NULL: there is none; the files stay until the next start. What the disk thread is writing
 * for the old one is there before it moves the files. */
static void leave(struct notices *notices, struct notifier *left, struct notifier *heir)
{
    const char *from = notifier_folder(left), *to = heir ? notifier_folder(heir) : from;
    tell_of(left, heir);
    if (heir)
        notifier_inherit(heir, left);
    if (strcmp(from, to) != 0)
        notice_heirs_move(notices->setup.disk, from, to);
    if (strcmp(from, to) != 0 && notices->writing) {
        notices->moved = xrealloc(notices->moved, notices->moved_count + 1, sizeof *notices->moved);
        notices->moved[notices->moved_count++] = (struct moved){xstrdup(from), xstrdup(to)};
    }
    notices_close_one(notices, left);
}

static bool has_folder(struct notifier *const *list, size_t count, const char *folder)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] && !strcmp(notifier_folder(list[i]), folder))
            return true;
    return false;
}

/* left: those that go; kept: those that stay, with NULLs. A new one with the destination of one
 * that goes has what that one had; else there may be what an earlier one left. */
static void hand_over(struct notices *notices, struct notifier **left, size_t left_count,
    struct notifier *const *kept, size_t kept_count)
{
    struct notice_party *parties = notices_parties(notices);
    struct notice_party *leaving = xcalloc(left_count + 1, sizeof *leaving);
    size_t *heirs = xcalloc(left_count + 1, sizeof *heirs);
    for (size_t i = 0; i < notices->count; i++) {
        parties[i].came = !has_folder(kept, kept_count, parties[i].folder);
        if (parties[i].came && !has_folder(left, left_count, parties[i].folder))
            notifier_take_up(notices->notifiers[i]);
    }
    for (size_t i = 0; i < left_count; i++)
        leaving[i] = notices_party(left[i]);
    notice_heirs_choose(leaving, left_count, parties, notices->count, heirs);
    for (size_t i = 0; i < left_count; i++)
        leave(notices, left[i], heirs[i] < notices->count ? notices->notifiers[heirs[i]] : NULL);
    notice_heirs_note(notices->setup.disk, notices->folder, parties, notices->count);
    free(heirs);
    free(leaving);
    free(parties);
}

/* The notifier with these options, taken out of the list, or NULL. */
static struct notifier *take_same(
    struct notifier **list, size_t *count, const struct exporter_config *config)
{
    for (size_t i = 0; i < *count; i++) {
        struct notifier *notifier = list[i];
        if (!config_same_exporter(notifier_config(notifier), config, &config_kinds))
            continue;
        --*count;
        memmove(&list[i], &list[i + 1], (*count - i) * sizeof(struct notifier *));
        notifier_configured(notifier, config);
        return notifier;
    }
    return NULL;
}

/* NULL: it does not tell, or never can. */
static struct notifier *open_new(struct notices *notices, const struct exporter_config *config)
{
    struct error err;
    const struct exporter_kind *kind = exporter_kinds[config->kind];
    struct notifier *notifier = kind->tell ? notices_open_one(notices, config, &err) : NULL;
    if (kind->tell && !notifier)
        log_error("nobody is told of incidents through export.%s: %s", kind->kind.name, err.text);
    return notifier;
}

void notices_reload(struct notices *notices, const struct config *config)
{
    struct notifier **before = notices->notifiers;
    size_t left = notices->count, most = config->exporter_count;
    struct notifier **kept = xcalloc(most + 1, sizeof *kept);
    for (size_t i = 0; i < most; i++)
        kept[i] = take_same(before, &left, &config->exporters[i]);
    notices->notifiers = NULL;
    notices->count = 0;
    notices->setup.config = config;
    for (size_t i = 0; i < most; i++) {
        struct notifier *notifier = kept[i] ? kept[i] : open_new(notices, &config->exporters[i]);
        if (notifier && !notices_put(notices, notifier))
            kept[i] = NULL;
    }
    notices_tell_apart(notices);
    for (size_t i = 0; i < notices->count; i++)
        if (!has_folder(kept, most, notifier_folder(notices->notifiers[i])))
            notices_say(notices->notifiers[i]);
    hand_over(notices, before, left, kept, most);
    free(kept);
    free(before);
}
