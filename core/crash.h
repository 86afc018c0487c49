/* What is left of a crash of our own: where it was, on standard error and in a file. A report says
 * the signal, the thread, and the addresses of the calls that led there (core/crash_text.h), which
 * scripts/crash-lines turns into functions and lines. Afterwards the signal takes its default
 * action, so that exit status and core dump are as they would be without all this.
 *
 * The handler runs on a stack of its own, so that it has one when a thread's own has overflowed. A
 * thread that does not call crash_guard_thread (libraries start some) has its crash reported from
 * its own stack, but no overflow of it. In a sanitized build all of this does nothing: the
 * sanitizers report by themselves. */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

#include <signal.h>

/* Once, at the start of the program, by its first thread, which is guarded then. */
void crash_install(void);

/* Gives the calling thread a stack for the handler until it ends, and lets the signals of a crash
 * through: blocked ones end the process without a report. Cheap when it was called before. Does
 * nothing where crash_install was not called. */
void crash_guard_thread(void);

/* Takes the signals of a crash out of a mask, for a library's threads that are to take no others.
 */
void crash_let_through(sigset_t *mask);

/* After the program has loaded a library: crash_modules_note, where crash_install was called. */
void crash_note_library(void);

/* From now on a report is kept as FOLDER/crash-TIME.txt as well (mode 0644). The folder need not be
 * there before a crash. One whose path is too long counts as none. */
void crash_keep_in(const char *folder);

/* What each line of a report on standard error begins with, "crash: ". Once log_setup was called,
 * each is a record of the log, and its message begins so. */
extern const char crash_prefix[];

enum { CRASH_FRAMES_MAX = 64 };

#endif
