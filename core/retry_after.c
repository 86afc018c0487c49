#include "core/retry_after.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>

static const int64_t longest_ms = 3600000;

int64_t retry_after_ms(const char *text, int64_t now_ms)
{
    int64_t wait_ms = 0;
    if (!text)
        return 0;
    if (isdigit((unsigned char)*text)) {
        long long seconds = strtoll(text, NULL, 10);
        wait_ms = seconds > longest_ms / 1000 ? longest_ms : seconds * 1000;
    } else {
        time_t when = curl_getdate(text, NULL);
        wait_ms = when > 0 ? (int64_t)when * 1000 - now_ms : 0;
    }
    return wait_ms < 0 ? 0 : wait_ms > longest_ms ? longest_ms : wait_ms;
}
