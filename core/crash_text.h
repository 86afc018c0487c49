/* The text of a crash report, made without any call that a signal handler may not make
 * (signal-safety(7)): no stdio, no locale, no memory but the caller's.
 *
 * The file of a crash, and what agent/self/crash_report.h reads:
 *
 *   crash 1
 *   version 0.1.0
 *   time 2026-11-23T15:04:01.000Z
 *   process 4711
 *   thread disk
 *   signal SIGSEGV
 *   reason nothing is mapped there
 *   address 0x8
 *   #0 stakeout+0x1b2c3 (build id 5f0c...)
 *   #1 libc.so.6+0x89134 (build id 2e01...)
 *   end complete
 *
 * `address` is left out of a signal that somebody sent. A frame is a module and an address in it as
 * addr2line takes it: of the instruction that failed, then of the calls that led to it. An address
 * of no module is 0x7f0000001000 alone. `end` is missing when writing it crashed as well. */
#ifndef CORE_CRASH_TEXT_H
#define CORE_CRASH_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { CRASH_LINE_SIZE = 512, CRASH_BUILD_ID_SIZE = 20, CRASH_MODULE_SIZE = 40 };

/* One line in the making; what does not fit is cut. */
struct crash_line {
    char text[CRASH_LINE_SIZE];
    size_t size;
};

void crash_put(struct crash_line *line, const char *text);

/* Text from outside: whatever is not printable ASCII, quotes and backslashes become '?'. */
void crash_put_clean(struct crash_line *line, const char *text);

void crash_put_number(struct crash_line *line, uint64_t number);
void crash_put_hex(struct crash_line *line, uint64_t number);                     /* "0x1f" */
void crash_put_bytes(struct crash_line *line, const uint8_t *bytes, size_t size); /* "0aff" */

/* As rfc3339_format does, with its punctuation; times before 1970 count as 1970. */
void crash_put_time(struct crash_line *line, int64_t wall_ms);

/* What part of the program an address is in. */
struct crash_place {
    const char *module; /* NULL: of none that is known, and offset is the address itself */
    uint64_t offset;
    const uint8_t *build_id;
    size_t build_id_size; /* 0: it has none */
};

/* "#1 libc.so.6+0x89134 (build id 2e01...)" */
void crash_put_frame(struct crash_line *line, unsigned number, const struct crash_place *place);

/* "SIGSEGV"; "a signal" for one that is no crash. */
const char *crash_signal_name(int number);

/* What si_code says of a signal that the kernel sent, in words; "" when it says no more. */
const char *crash_reason(int number, int code);

/* The build id in an ELF note segment (elf(5)) of which every note is aligned to `align`; its size,
 * 0 when there is none or it is longer than id. */
size_t crash_build_id(
    const void *notes, size_t size, size_t align, uint8_t id[CRASH_BUILD_ID_SIZE]);

#endif
