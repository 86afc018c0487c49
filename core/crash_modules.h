/* Where the program and its libraries are in memory, noted before anything crashes: to ask the
 * loader then is to wait for a lock that another thread may hold. Addresses become offsets in files
 * and build ids by this. */
#ifndef CORE_CRASH_MODULES_H
#define CORE_CRASH_MODULES_H

#include "core/crash_text.h"

#include <stdbool.h>
#include <stdint.h>

/* Notes what is loaded now; cheap when nothing was loaded since. From any thread. */
void crash_modules_note(void);

/* The same in a signal handler, when another thread may be in the middle of it: then nothing is
 * done. Takes the loader's lock. */
void crash_modules_note_now(void);

/* Fills place. False: the address is in no module that is known, and place holds it as it is. */
bool crash_modules_find(uintptr_t address, struct crash_place *place);

#endif
