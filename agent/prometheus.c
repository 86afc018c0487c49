#include "agent/prometheus.h"

#include "core/buf.h"

void prometheus_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value with what the text format wants escaped. */
void prometheus_labelled(
    struct buf *out, const char *name, const char *label, const char *text, double value)
{
    buf_printf(out, "%s{%s=\"", name, label);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_puts(out, "\\");
        buf_append(out, *text == '\n' ? "\\n" : text, *text == '\n' ? 2 : 1);
    }
    buf_printf(out, "\"} %.17g\n", value);
}
