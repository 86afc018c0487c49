/* What CloudWatch answers. */
#include "core/error.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct cloudwatch_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        for (size_t j = 0; j < lines->all[i].count; j++)
            if (!isfinite(lines->all[i].points[j].value) ||
                (j && lines->all[i].points[j].time_ms < lines->all[i].points[j - 1].time_ms))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cloudwatch_target target = {.instance = "i"};
    for (int status = 200; status <= 400; status += 200) {
        struct cloudwatch_lines lines;
        struct cloudwatch_verdict verdict;
        const struct cloudwatch_answer answer = {
            .status = status, .body = (const char *)data, .size = size};
        cloudwatch_lines_init(&lines, 3);
        cloudwatch_judge(&target, "us-east-1", &answer, &lines, &verdict);
        if (verdict.outcome == CLOUDWATCH_ANSWERED)
            check(&lines);
        if ((verdict.outcome == CLOUDWATCH_ANSWERED) != !verdict.reason[0] ||
            strpbrk(verdict.reason, "\r\n\033"))
            abort();
        cloudwatch_lines_free(&lines);
    }
    return 0;
}
