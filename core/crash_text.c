#include "core/crash_text.h"

#include <elf.h>
#include <signal.h>
#include <string.h>

static void put_char(struct crash_line *line, char c)
{
    if (line->size + 1 < sizeof line->text)
        line->text[line->size++] = c;
    line->text[line->size] = '\0';
}

void crash_put(struct crash_line *line, const char *text)
{
    for (; *text; text++)
        put_char(line, *text);
}

void crash_put_clean(struct crash_line *line, const char *text)
{
    for (; *text; text++)
        put_char(line, *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\' ? *text : '?');
}

/* At least `width` digits. */
static void put_digits(struct crash_line *line, uint64_t number, unsigned base, unsigned width)
{
    char digits[24];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number || count < width);
    while (count)
        put_char(line, digits[--count]);
}

void crash_put_number(struct crash_line *line, uint64_t number)
{
    put_digits(line, number, 10, 1);
}

void crash_put_hex(struct crash_line *line, uint64_t number)
{
    crash_put(line, "0x");
    put_digits(line, number, 16, 1);
}

void crash_put_bytes(struct crash_line *line, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put_digits(line, bytes[i], 16, 2);
}

/* gmtime_r may wait for the time zone's lock, so the date is counted here: in eras of 400 years,
 * each year from March on, so that the leap day is the last of its year. */
void crash_put_time(struct crash_line *line, int64_t wall_ms)
{
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    uint64_t seconds = ms / 1000, days = seconds / 86400 + 719468; /* since March of the year 0 */
    uint64_t era = days / 146097, day_of_era = days % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t shifted_month = (5 * day_of_year + 2) / 153;
    uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    put_digits(line, era * 400 + year_of_era + (month <= 2), 10, 4);
    put_char(line, '-');
    put_digits(line, month, 10, 2);
    put_char(line, '-');
    put_digits(line, day_of_year - (153 * shifted_month + 2) / 5 + 1, 10, 2);
    put_char(line, 'T');
    put_digits(line, seconds / 3600 % 24, 10, 2);
    put_char(line, ':');
    put_digits(line, seconds / 60 % 60, 10, 2);
    put_char(line, ':');
    put_digits(line, seconds % 60, 10, 2);
    put_char(line, '.');
    put_digits(line, ms % 1000, 10, 3);
    put_char(line, 'Z');
}

void crash_put_frame(struct crash_line *line, unsigned number, const struct crash_place *place)
{
    put_char(line, '#');
    crash_put_number(line, number);
    put_char(line, ' ');
    if (place->module) {
        crash_put_clean(line, place->module);
        put_char(line, '+');
    }
    crash_put_hex(line, place->offset);
    if (!place->build_id_size)
        return;
    crash_put(line, " (build id ");
    crash_put_bytes(line, place->build_id, place->build_id_size);
    put_char(line, ')');
}

const char *crash_signal_name(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGILL:
        return "SIGILL";
    case SIGFPE:
        return "SIGFPE";
    case SIGABRT:
        return "SIGABRT";
    case SIGTRAP:
        return "SIGTRAP";
    case SIGSYS:
        return "SIGSYS";
    default:
        return "a signal";
    }
}

/* SYS_SECCOMP of the kernel's asm-generic/siginfo.h, which glibc does not have. */
enum { seccomp_code = 1 };

const char *crash_reason(int number, int code)
{
    static const struct {
        int number, code;
        const char *text;
    } reasons[] = {
        {SIGSEGV, SEGV_MAPERR, "nothing is mapped there"},
        {SIGSEGV, SEGV_ACCERR, "what is mapped there may not be used so"},
        {SIGBUS, BUS_ADRALN, "the address is not aligned"},
        {SIGBUS, BUS_ADRERR, "the file that is mapped there has become shorter, or the disk fails"},
        {SIGBUS, BUS_OBJERR, "the memory itself failed"},
        {SIGBUS, BUS_MCEERR_AR, "the memory itself failed"},
        {SIGILL, ILL_ILLOPC, "the processor does not know the instruction"},
        {SIGILL, ILL_ILLOPN, "the processor does not know the instruction"},
        {SIGILL, ILL_PRVOPC, "the instruction is privileged"},
        {SIGFPE, FPE_INTDIV, "an integer was divided by zero"},
        {SIGFPE, FPE_INTOVF, "an integer overflowed"},
        {SIGSYS, seccomp_code, "a seccomp filter forbids the system call"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].number == number && reasons[i].code == code)
            return reasons[i].text;
    return "";
}

static size_t aligned(size_t size, size_t align)
{
    return (size + align - 1) / align * align;
}

size_t crash_build_id(const void *notes, size_t size, size_t align, uint8_t id[CRASH_BUILD_ID_SIZE])
{
    const char *at = notes;
    Elf64_Nhdr head;
    while (size >= sizeof head) {
        memcpy(&head, at, sizeof head);
        size_t name = sizeof head, data = aligned(name + head.n_namesz, align);
        size_t end = aligned(data + head.n_descsz, align);
        if (data + head.n_descsz > size)
            return 0;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof ELF_NOTE_GNU &&
            !memcmp(at + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU)) {
            if (head.n_descsz > CRASH_BUILD_ID_SIZE)
                return 0;
            memcpy(id, at + data, head.n_descsz);
            return head.n_descsz;
        }
        if (end > size)
            return 0;
        at += end;
        size -= end;
    }
    return 0;
}
