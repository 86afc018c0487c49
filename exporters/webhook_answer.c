#include "exporters/webhook_answer.h"

#include "core/http_remedy.h"
#include "core/retry_after.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Slack's own words, https://api.slack.com/messaging/webhooks#handling_errors: short texts in the
 * body. */
static const struct {
    const char *word;
    enum send_outcome outcome;
    const char *remedy;
} slack_words[] = {
    {"invalid_payload", SEND_FAILED,
        "Slack does not understand the message: is the URL that of an incoming webhook, and not of "
        "a workflow?"},
    {"invalid_blocks", SEND_FAILED,
        "Slack does not accept the message's layout: please report that"},
    {"no_text", SEND_FAILED,
        "Slack got no message: does something on the way (a proxy) drop what is posted?"},
    {"too_many_attachments", SEND_FAILED,
        "Slack does not accept the message's layout: please report that"},
    {"user_not_found", SEND_FAILED,
        "the person that this webhook wrote to is gone: make a webhook for another channel"},
    {"channel_not_found", SEND_FAILED,
        "the channel of this webhook is gone: make a webhook for another channel"},
    {"channel_is_archived", SEND_FAILED,
        "the channel of this webhook is archived: unarchive it, or make a webhook for another"},
    {"posting_to_general_channel_denied", SEND_FAILED,
        "this webhook may not post to the general channel: make one for another channel"},
    {"action_prohibited", SEND_FAILED,
        "an administrator of the workspace has restricted posting: ask for leave, or make a "
        "webhook for another channel"},
    {"invalid_token", SEND_FAILED,
        "the URL's token is not valid: copy the webhook's URL again from the Slack app's page"},
    {"no_active_hooks", SEND_FAILED, "this webhook is disabled: enable it on the Slack app's page"},
    {"no_service_id", SEND_FAILED,
        "the URL is not complete: copy the webhook's URL again from the Slack app's page"},
    {"no_service", SEND_FAILED,
        "this webhook was removed or disabled: make a new one on the Slack app's page and set url"},
    {"no_team", SEND_FAILED,
        "the URL's workspace does not exist: copy the webhook's URL again from the Slack app's "
        "page"},
    {"team_disabled", SEND_FAILED, "the workspace is disabled: make a webhook in another"},
    {"rollup_error", SEND_RETRY, "Slack has trouble of its own"},
    {"rate_limited", SEND_RETRY, "Slack wants fewer messages"},
};

/* What a status says when nothing else does. */
static const struct {
    int status;
    enum send_outcome outcome;
    const char *remedy;
} statuses[] = {
    {400, SEND_FAILED, "it does not understand the message: does it expect another format?"},
    {401, SEND_FAILED, "it wants to know who asks: is the URL (or its token) right?"},
    {403, SEND_FAILED,
        "it refuses: is the URL (or its token) right, and the secret the same on both sides?"},
    {404, SEND_FAILED, "there is nothing at the URL: was the webhook removed? Set url"},
    {405, SEND_FAILED, "nothing there takes a POST: set url to the webhook itself"},
    {407, SEND_FAILED, "the proxy wants a user: put it into HTTPS_PROXY"},
    {408, SEND_RETRY, "it waited too long for the message"},
    {410, SEND_FAILED, "the webhook was removed for good: make a new one and set url"},
    {413, SEND_FAILED, "the message is too large for it: let it take 256 KiB"},
    {415, SEND_FAILED, "it does not take JSON: does it expect another format?"},
    {429, SEND_RETRY, "it wants fewer messages"},
};

static bool is_word(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c) || c == '_';
}

/* Slack's word alone, or a sentence that begins with it. */
static bool says(const char *body, const char *word)
{
    size_t length = strlen(word);
    return !strncmp(body, word, length) && !is_word(body[length]);
}

static bool judge_words(const struct webhook_answer *answer, struct send_result *result)
{
    for (size_t i = 0; answer->slack && i < sizeof slack_words / sizeof *slack_words; i++) {
        if (!says(answer->body, slack_words[i].word))
            continue;
        result->outcome = slack_words[i].outcome;
        snprintf(result->reason, sizeof result->reason, "%s: HTTP %d, %s: %s", answer->host,
            answer->status, slack_words[i].word, slack_words[i].remedy);
        return true;
    }
    return false;
}

static void judge_status(const struct webhook_answer *answer, struct send_result *result)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status != answer->status)
            continue;
        result->outcome = statuses[i].outcome;
        snprintf(result->reason, sizeof result->reason, "%s: HTTP %d: %s", answer->host,
            answer->status, statuses[i].remedy);
        return;
    }
    result->outcome = answer->status >= 500 ? SEND_RETRY : SEND_FAILED;
    snprintf(result->reason, sizeof result->reason, "%s: HTTP %d: %s", answer->host, answer->status,
        answer->status >= 500  ? "it has trouble of its own"
        : answer->status < 400 ? "it is somewhere else: set url to where it leads"
                               : "it does not take the message: is the URL right?");
}

void webhook_answer_judge(const struct webhook_answer *answer, struct send_result *result)
{
    *result = (struct send_result){
        .retry_after_ms = retry_after_ms(answer->retry_after, answer->now_ms)};
    if (answer->outcome != HTTP_ANSWERED) {
        bool never = answer->outcome == HTTP_BAD_TLS || answer->outcome == HTTP_NOT_HTTP;
        result->outcome = never ? SEND_FAILED : SEND_RETRY;
        const char *remedy = http_remedy(
            answer->outcome, answer->error, answer->host, answer->ca_file);
        snprintf(result->reason, sizeof result->reason, "%s: %.300s%s%s", answer->host,
            answer->error, *remedy ? ": " : "", remedy);
    } else if (answer->status >= 200 && answer->status < 300) {
        result->outcome = SEND_STORED;
    } else if (!judge_words(answer, result)) {
        judge_status(answer, result);
    }
    if (result->outcome == SEND_STORED)
        result->retry_after_ms = 0;
}
