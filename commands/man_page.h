/* The manual page stakeout(1). */
#ifndef COMMANDS_MAN_PAGE_H
#define COMMANDS_MAN_PAGE_H

#include <stdio.h>

/* As roff, for the macros of man(7); what `-h` says of the commands is in it. */
void man_page_print(FILE *out);

#endif
