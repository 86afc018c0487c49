#include "core/aws/aws_clock.h"

#include "core/clock.h"
#include "core/log.h"

#include <curl/curl.h>
#include <stdlib.h>

/* AWS refuses what was signed more than 15 minutes from its own time (5 in the future); a refusal
 * with a Date that is off by less has another cause. */
enum { TOLERANCE_MS = 4 * 60 * 1000 };

bool aws_clock_learn(int64_t *offset_ms, int64_t sent_ms, const char *date, const char *service)
{
    time_t time = date ? curl_getdate(date, NULL) : -1;
    if (time < 0 || llabs((int64_t)time * 1000 - sent_ms) <= TOLERANCE_MS)
        return false;
    *offset_ms = (int64_t)time * 1000 - clock_wall_ms();
    log_warn("the clock of %s is %+.0f s from this machine's: going by AWS's; set this machine's "
             "clock right",
        service, (double)*offset_ms / 1000);
    return true;
}
