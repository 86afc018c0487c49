#include "agent/control/prometheus.h"

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

void prometheus_families(struct buf *out, const struct prometheus_family *families,
    size_t family_count, const char *label, size_t count,
    const char *(*measure)(const void *arg, size_t index, double *values), const void *arg)
{
    double values[PROMETHEUS_FAMILIES_MAX];
    for (size_t family = 0; family < family_count; family++) {
        const char *name = families[family].name;
        prometheus_head(out, name, families[family].type, families[family].help);
        for (size_t i = 0; i < count; i++) {
            const char *text = measure(arg, i, values);
            prometheus_labelled(out, name, label, text, values[family]);
        }
    }
}
