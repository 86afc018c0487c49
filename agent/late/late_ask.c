#include "agent/late/late_parts.h"
#include "agent/late/late_schedule.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool late_has_any(const struct late_one *one)
{
    for (size_t i = 0; i < one->late->database_count; i++)
        if (cloudwatch_lines_any(&one->lines[i]))
            return true;
    return false;
}

bool late_has_all(const struct late_one *one)
{
    for (size_t i = 0; i < one->late->database_count; i++)
        if (one->late->databases[i].wanted && !late_is_whole(&one->lines[i], one->window.to_ms))
            return false;
    return true;
}

void late_close_clients(struct late *late)
{
    for (size_t i = 0; i < late->database_count; i++) {
        cloudwatch_close(late->databases[i].client);
        late->databases[i].client = NULL;
    }
    late->asked = NULL;
}

static void ask_next(struct late *late, struct late_one *one);

/* The newest answer has all that is known, but for one that has less than that before. */
static void take_lines(struct cloudwatch_lines *lines, struct cloudwatch_lines *came)
{
    if (cloudwatch_lines_newest_ms(came) < cloudwatch_lines_newest_ms(lines))
        return;
    struct cloudwatch_lines before = *lines;
    *lines = *came;
    *came = before;
}

static void on_answer(void *arg, struct cloudwatch_result *result)
{
    struct late_one *one = arg;
    struct late *late = one->late;
    struct cloudwatch_target *target = &late->databases[one->database].target;
    char reason[CLOUDWATCH_REASON_SIZE] = "";
    if (result->verdict.outcome != CLOUDWATCH_ANSWERED)
        snprintf(reason, sizeof reason, "%s", result->verdict.reason);
    else if (cloudwatch_lines_any(&result->lines))
        take_lines(&one->lines[one->database], &result->lines);
    else
        cloudwatch_no_data(target, result->region, &result->lines, reason);
    cloudwatch_lines_free(&result->lines);
    if (reason[0] && strcmp(late->error, reason) != 0)
        log_info("incident %s has no rds.* yet: %s", one->id, reason);
    if (reason[0])
        snprintf(one->error, sizeof one->error, "%s", reason);
    snprintf(late->error, sizeof late->error, "%s", reason);
    one->database++;
    ask_next(late, one);
}

static void ask_database(struct late *late, struct late_one *one, struct late_database *database)
{
    if (!database->client)
        database->client = cloudwatch_open(
            late->setup.loop, &database->target, late->setup.config->service, false);
    const struct cloudwatch_query query = {.metrics = (const char *const *)database->names,
        .count = database->count,
        .from_ms = one->window.from_ms,
        .to_ms = one->window.to_ms};
    cloudwatch_ask(database->client, &query, on_answer, one);
}

static void ask_next(struct late *late, struct late_one *one)
{
    for (; one->database < late->database_count; one->database++) {
        struct late_database *database = &late->databases[one->database];
        if (!database->wanted || late_is_whole(&one->lines[one->database], one->window.to_ms))
            continue;
        ask_database(late, one, database);
        return;
    }
    late->asked = NULL;
    one->tries++;
    if (late_has_all(one) || one->tries == LATE_TRIES)
        one->state = LATE_FETCHED;
    late_look(late);
}

void late_ask(struct late *late, struct late_one *one)
{
    late->asked = one;
    one->database = 0;
    one->error[0] = '\0';
    ask_next(late, one);
}
