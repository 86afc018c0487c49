/* Requests to Pyroscope, read back field by field. */
#include "exporters/pyroscope_push.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/profile/protobuf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void profiles_get_the_names_that_pyroscope_knows(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"cpu", "process_cpu"}, {"heap", "memory"},
        {"allocs", "memory"}, {"heap-end", "memory"}, {"heap-before-oom", "memory"},
        {"goroutine", "goroutine"}, {"goroutine-end", "goroutine"}, {"mutex", "mutex"},
        {"block", "block"}, {"goroutineleak", "goroutineleak"}, {"heapster", "heapster"},
        {"fgprof", "fgprof"}, {"off.cpu-time", "off_cpu_time"}, {"2nd", "_2nd"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[PYROSCOPE_NAME_SIZE];
        pyroscope_push_name(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
}

static void only_whole_pprof_profiles_are_taken(void **state)
{
    (void)state;
    static char cpu[] = "cpu.pb.gz", text[] = "arenas.txt", nameless[] = ".pb.gz";
    const struct {
        struct incident_profile profile;
        bool takes;
    } cases[] = {{{.file = cpu, .status = PROFILE_OK}, true},
        {{.file = cpu, .status = PROFILE_TRUNCATED}, false},
        {{.file = cpu, .status = PROFILE_FAILED}, false},
        {{.file = text, .status = PROFILE_OK}, false},
        {{.file = nameless, .status = PROFILE_OK}, false},
        {{.file = NULL, .status = PROFILE_OK}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(pyroscope_push_takes(&cases[i].profile), cases[i].takes);
}

static void a_uuid_is_of_one_file(void **state)
{
    (void)state;
    char first[37], again[37], other[37];
    pyroscope_push_uuid("20261123T150406Z-cpu-000001", "cpu.pb.gz", first);
    pyroscope_push_uuid("20261123T150406Z-cpu-000001", "cpu.pb.gz", again);
    pyroscope_push_uuid("20261123T150406Z-cpu-000001", "heap.pb.gz", other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_int_equal(strlen(first), 36);
    assert_int_equal(first[14], '8');
    assert_int_equal(strspn(first, "0123456789abcdef-"), 36);
}

static struct protobuf_field next_of(struct protobuf_reader *reader)
{
    struct protobuf_field field;
    assert_int_equal(protobuf_next(reader, &field), 1);
    assert_int_equal(field.wire, PROTOBUF_BYTES);
    return field;
}

static char *text_of(struct protobuf_field field, uint64_t number)
{
    assert_int_equal(field.number, number);
    return xstrndup((const char *)field.bytes.at, field.value);
}

/* "NAME=VALUE;" for each label, "id=UUID;" and "profile=BYTES;" as they come. */
static void tell(const struct buf *request, struct buf *told)
{
    const unsigned char *data = (const unsigned char *)request->data;
    struct protobuf_reader all = {data, data + request->size};
    struct protobuf_field series = next_of(&all);
    assert_int_equal(series.number, 1);
    assert_ptr_equal(all.at, all.end);
    while (series.bytes.at < series.bytes.end) {
        struct protobuf_field part = next_of(&series.bytes);
        struct protobuf_field first = next_of(&part.bytes), second = next_of(&part.bytes);
        assert_ptr_equal(part.bytes.at, part.bytes.end);
        bool label = part.number == 1;
        char *left = text_of(first, label ? 1 : 2), *right = text_of(second, label ? 2 : 1);
        if (label)
            buf_printf(told, "%s=%s;", left, right);
        else
            buf_printf(told, "id=%.8s;profile=%s;", left, right);
        free(left);
        free(right);
    }
}

static void assert_told(const struct incident *incident, const struct incident_profile *profile,
    const char *content, const char *expected)
{
    struct buf request, told;
    pyroscope_push_head(incident, profile, strlen(content), &request);
    assert_int_equal(buf_puts(&request, content), 0);
    buf_init(&told, 10000);
    tell(&request, &told);
    assert_string_equal(told.data, expected);
    buf_free(&request);
    buf_free(&told);
}

static struct incident *an_incident(void)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup("20261123T150406Z-cpu-high-000001");
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu-high");
    struct incident_profile *profile = incident_add_profile(incident, "cpu");
    profile->file = xstrdup("cpu.pb.gz");
    profile->status = PROFILE_OK;
    profile->seconds = NAN;
    return incident;
}

static void a_request_has_labels_and_the_profile(void **state)
{
    (void)state;
    struct incident *incident = an_incident();
    struct incident_profile *profile = incident_find_profile(incident, "cpu");
    assert_told(incident, profile, "PROFILE",
        "__name__=process_cpu;service_name=woogles;trigger=cpu-high;"
        "incident=20261123T150406Z-cpu-high-000001;app=app;id=8b171cba;profile=PROFILE;");
    profile->seconds = 25;
    incident->target.container = xstrdup("api");
    free(incident->trigger.name);
    incident->trigger.name = NULL;
    assert_told(incident, profile, "",
        "__name__=process_cpu;__delta__=false;service_name=woogles;trigger=spike;"
        "incident=20261123T150406Z-cpu-high-000001;container=api;app=app;id=8b171cba;profile=;");
    incident_free(incident);
}

/* Lengths of one to five bytes, whatever is nested in them. */
static void lengths_are_right_for_any_size(void **state)
{
    (void)state;
    struct incident *incident = an_incident();
    struct incident_profile *profile = incident_find_profile(incident, "cpu");
    static const uint64_t sizes[] = {1, 127, 128, 16383, 16384, 1 << 21, 1 << 28, 5000000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf head;
        pyroscope_push_head(incident, profile, sizes[i], &head);
        const unsigned char *data = (const unsigned char *)head.data;
        struct protobuf_reader reader = {data, data + head.size};
        uint64_t tag, length;
        assert_int_equal(protobuf_number(&reader, &tag), 0);
        assert_int_equal(protobuf_number(&reader, &length), 0);
        assert_int_equal(tag, 1 << 3 | 2);
        assert_int_equal(length, (uint64_t)(reader.end - reader.at) + sizes[i]);
        buf_free(&head);
    }
    incident_free(incident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_get_the_names_that_pyroscope_knows),
        cmocka_unit_test(only_whole_pprof_profiles_are_taken),
        cmocka_unit_test(a_uuid_is_of_one_file),
        cmocka_unit_test(a_request_has_labels_and_the_profile),
        cmocka_unit_test(lengths_are_right_for_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
