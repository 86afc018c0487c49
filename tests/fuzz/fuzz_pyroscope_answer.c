/* What anybody may answer to a push: there is always an outcome, and a reason in one line unless it
 * was stored. The first byte chooses the status, the second what is known besides. */
#include "exporters/pyroscope_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {
        200, 204, 301, 400, 401, 403, 404, 408, 412, 413, 415, 418, 422, 429, 500, 501, 503};
    if (size < 2)
        return 0;
    char *body = malloc(size - 1);
    if (!body)
        return 0;
    memcpy(body, data + 2, size - 2);
    body[size - 2] = '\0';
    struct send_result result;
    pyroscope_answer_judge(
        &(struct pyroscope_answer){
            .status = statuses[data[0] % (sizeof statuses / sizeof *statuses)],
            .body = body,
            .size = size - 2,
            .content_type = data[1] & 1 ? body : NULL,
            .retry_after = data[1] & 2 ? body : NULL,
            .now_ms = 1795446246000,
            .with_tenant = data[1] & 4},
        &result);
    if ((result.outcome == SEND_STORED) != (result.reason[0] == '\0') ||
        strpbrk(result.reason, "\n\r\033") || result.retry_after_ms < 0)
        abort();
    free(body);
    return 0;
}
