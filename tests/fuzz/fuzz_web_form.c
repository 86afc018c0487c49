/* Queries and posted forms: what is parsed can be written and is then the same. */
#include "core/buf.h"
#include "core/error.h"
#include "review/web/web_filter.h"
#include "review/web/web_form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now_ms = INT64_C(1795446246000);

static void write_again(const struct web_filter *filter, struct buf *out)
{
    buf_puts(out, "/");
    web_filter_format(filter, filter->page, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct web_form form, again;
    struct web_filter filter;
    struct error err;
    struct buf first, second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    int status = web_form_parse((const char *)data, size, &form, &err);
    if (status == 0 && web_filter_parse(&form, now_ms, &filter, &err) == 0) {
        write_again(&filter, &first);
        const char *query = strchr(first.data, '?');
        query = query ? query + 1 : "";
        if (web_form_parse(query, strlen(query), &again, &err) < 0 ||
            web_filter_parse(&again, now_ms, &filter, &err) < 0)
            abort();
        write_again(&filter, &second);
        if (strcmp(first.data, second.data) != 0)
            abort();
        web_form_free(&again);
    }
    web_form_free(&form);
    buf_free(&first);
    buf_free(&second);
    return 0;
}
