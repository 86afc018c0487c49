/* What people are told of an incident.json that anybody may have left in the spool: each message is
 * JSON or text within the limits of who takes it, and nothing in it can mention anybody. */
#include "core/error.h"
#include "core/incident.h"
#include "exporters/notice.h"
#include "exporters/notice_text.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_blocks(const json_t *message)
{
    size_t i;
    json_t *block;
    json_array_foreach(json_object_get(message, "blocks"), i, block)
    {
        const char *text = json_string_value(
            json_object_get(json_object_get(block, "text"), "text"));
        require(!text || (strlen(text) > 0 && strlen(text) <= 3 * 3000));
        require(!text || (!strstr(text, "<!c") && !strstr(text, "<!h") && !strstr(text, "<@")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct incident *incident = incident_from_text((const char *)data, size, &err);
    if (!incident)
        return 0;
    const struct notice notice = {.incident = incident,
        .times = 2,
        .more = 1,
        .stored = incident->trigger.reason,
        .review_url = incident->trigger.reason};
    char *slack = notice_slack(&notice), *body = notice_json(&notice);
    char *plain = notice_plain(&notice), *subject = notice_subject(&notice);
    json_t *message = json_loads(slack, 0, NULL), *fields = json_loads(body, 0, NULL);
    require(message && fields && strlen(subject) <= 100);
    check_blocks(message);
    json_decref(message);
    json_decref(fields);
    free(slack);
    free(body);
    free(plain);
    free(subject);
    incident_free(incident);
    return 0;
}
