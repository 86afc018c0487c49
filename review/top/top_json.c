#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_text.h"
#include "review/top/top.h"
#include "review/top/top_graph.h"

#include <math.h>
#include <stdlib.h>

/* Text that may lack its NUL. */
static json_t *text_of(const char *text, size_t size)
{
    char *copy = xstrndup(text, size);
    json_t *json = json_text(copy);
    free(copy);
    return json;
}

static json_t *string_of(const struct profile *profile, uint32_t string)
{
    return json_text(profile->strings[string].text);
}

/* Two decimals. */
static json_t *percent_of(int64_t value, int64_t total)
{
    double percent = total ? (double)value / (double)total * 100 : 0;
    return json_real(round(percent * 100) / 100);
}

static json_t *row_to_json(const struct top *top, const struct top_row *row)
{
    static const char *const inlined[] = {
        [TOP_NOT_INLINED] = "no", [TOP_INLINED] = "yes", [TOP_PARTLY_INLINED] = "partly"};
    json_t *json = json_object();
    json_object_set_new(json, "name", text_of(row->name, row->name_size));
    json_object_set_new(json, "inlined", json_string(inlined[row->inlined]));
    json_object_set_new(json, "flat", json_integer(row->flat));
    json_object_set_new(json, "flat_percent", percent_of(row->flat, top->total));
    json_object_set_new(json, "cum", json_integer(row->cum));
    json_object_set_new(json, "cum_percent", percent_of(row->cum, top->total));
    return json;
}

static json_t *program_to_json(const struct profile *profile)
{
    const char *program = top_graph_program(profile);
    struct shown_name base = top_graph_base(program);
    return *program ? text_of(base.text, base.size) : json_null();
}

static json_t *time_to_json(int64_t time_ns)
{
    char time[RFC3339_SIZE];
    return time_ns ? json_string(rfc3339_format(time_ns / 1000000, time)) : json_null();
}

void top_print_json(const struct top *top, struct buf *out)
{
    const struct profile *profile = top->profile;
    const struct profile_value_type *type = &profile->sample_types[top->sample_type];
    json_t *json = json_object(), *functions = json_array();
    json_object_set_new(json, "file", program_to_json(profile));
    json_object_set_new(json, "type", string_of(profile, type->type));
    json_object_set_new(json, "unit", string_of(profile, type->unit));
    json_object_set_new(json, "time", time_to_json(profile->time_ns));
    json_object_set_new(json, "duration_ns", json_integer(profile->duration_ns));
    json_object_set_new(json, "total", json_integer(top->total));
    json_object_set_new(json, "functions_total", json_integer((json_int_t)top->kept_count));
    json_object_set_new(json, "functions_dropped", json_integer((json_int_t)top->dropped_count));
    for (size_t i = 0; i < top->row_count; i++)
        json_array_append_new(functions, row_to_json(top, &top->rows[i]));
    json_object_set_new(json, "functions", functions);
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    if (text) {
        buf_puts(out, text);
        buf_puts(out, "\n");
    }
    free(text);
}
