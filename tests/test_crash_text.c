#include "core/crash_text.h"

#include "core/clock.h"

#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void times_are_as_rfc3339_format_has_them(void **state)
{
    (void)state;
    static const int64_t times_ms[] = {0, 1, 999, 951782399999, 951782400000, 951868800000,
        1709164800123, 1709251200000, 1795651440123, 4107542400000, 253402300799999};
    for (size_t i = 0; i < sizeof times_ms / sizeof *times_ms; i++) {
        struct crash_line line = {.size = 0};
        char text[RFC3339_SIZE];
        crash_put_time(&line, times_ms[i]);
        assert_string_equal(line.text, rfc3339_format(times_ms[i], text));
    }
    for (int64_t day = 0; day < 366 * 140; day++) { /* over a century without a leap year */
        struct crash_line line = {.size = 0};
        char text[RFC3339_SIZE];
        crash_put_time(&line, day * 86400000);
        assert_string_equal(line.text, rfc3339_format(day * 86400000, text));
    }
}

static void numbers_and_texts(void **state)
{
    (void)state;
    struct crash_line line = {.size = 0};
    static const uint8_t bytes[] = {0, 10, 255};
    crash_put_number(&line, 0);
    crash_put(&line, " ");
    crash_put_number(&line, UINT64_MAX);
    crash_put(&line, " ");
    crash_put_hex(&line, 0);
    crash_put(&line, " ");
    crash_put_hex(&line, UINT64_MAX);
    crash_put(&line, " ");
    crash_put_bytes(&line, bytes, sizeof bytes);
    crash_put(&line, " ");
    crash_put_clean(&line, "a\"b\\c\n\x1b\xff~");
    assert_string_equal(
        line.text, "0 18446744073709551615 0x0 0xffffffffffffffff 000aff a?b?c???~");
    assert_int_equal(line.size, strlen(line.text));
}

static void a_line_that_is_full_is_cut(void **state)
{
    (void)state;
    struct crash_line line = {.size = 0};
    for (int i = 0; i < CRASH_LINE_SIZE; i++)
        crash_put(&line, "ab");
    assert_int_equal(line.size, CRASH_LINE_SIZE - 1);
    assert_int_equal(line.text[line.size], '\0');
}

static void frames(void **state)
{
    (void)state;
    static const uint8_t id[] = {0x0a, 0xff};
    const struct {
        struct crash_place place;
        const char *text;
    } cases[] = {
        {{"stakeout", 0x1b2c3, id, 2}, "#7 stakeout+0x1b2c3 (build id 0aff)"},
        {{"libz.so.1", 1, id, 0}, "#7 libz.so.1+0x1"},
        {{NULL, 0x7f00, NULL, 0}, "#7 0x7f00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crash_line line = {.size = 0};
        crash_put_frame(&line, 7, &cases[i].place);
        assert_string_equal(line.text, cases[i].text);
    }
}

static void reasons(void **state)
{
    (void)state;
    assert_string_equal(crash_signal_name(SIGSEGV), "SIGSEGV");
    assert_string_equal(crash_signal_name(SIGSYS), "SIGSYS");
    assert_string_equal(crash_signal_name(SIGTERM), "a signal");
    assert_string_equal(crash_reason(SIGFPE, FPE_INTDIV), "an integer was divided by zero");
    assert_string_equal(crash_reason(SIGSEGV, 12345), "");
}

/* One note: its head, its name and its data, each at a multiple of `align`. */
static size_t put_note(
    char *at, size_t align, unsigned type, const char *name, const void *data, unsigned size)
{
    Elf64_Nhdr head = {(unsigned)strlen(name) + 1, size, type};
    size_t used = sizeof head;
    memcpy(at, &head, sizeof head);
    memcpy(at + used, name, head.n_namesz);
    used = (used + head.n_namesz + align - 1) / align * align;
    memcpy(at + used, data, size);
    return (used + size + align - 1) / align * align;
}

static void build_ids(void **state)
{
    (void)state;
    for (size_t align = 4; align <= 8; align += 4) {
        char notes[256] = {0};
        uint8_t id[CRASH_BUILD_ID_SIZE];
        size_t size = put_note(notes, align, 1, "GNU", "abcde", 5);
        size += put_note(notes + size, align, NT_GNU_BUILD_ID, "Go", "no", 2);
        size_t before = size;
        size += put_note(notes + size, align, NT_GNU_BUILD_ID, "GNU", "0123456789abcdef0123", 20);
        assert_int_equal(crash_build_id(notes, size, align, id), 20);
        assert_memory_equal(id, "0123456789abcdef0123", 20);
        for (size_t cut = 0; cut < before + 16 + 20; cut++) { /* what follows only fills */
            char copy[256];
            memcpy(copy, notes, cut);
            assert_int_equal(crash_build_id(copy, cut, align, id), 0);
        }
        assert_int_equal(crash_build_id(notes, before, align, id), 0);
        put_note(notes + before, align, NT_GNU_BUILD_ID, "GNU", "0123456789abcdef01234", 21);
        assert_int_equal(crash_build_id(notes, sizeof notes, align, id), 0); /* too long */
        memset(notes, 0xff, sizeof notes);
        assert_int_equal(crash_build_id(notes, sizeof notes, align, id), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_as_rfc3339_format_has_them),
        cmocka_unit_test(numbers_and_texts),
        cmocka_unit_test(a_line_that_is_full_is_cut),
        cmocka_unit_test(frames),
        cmocka_unit_test(reasons),
        cmocka_unit_test(build_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
