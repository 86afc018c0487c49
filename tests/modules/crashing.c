/* A library that crashes: as it is loaded, where $CRASHING says so, or when it is asked to. */
#include <stdlib.h>

void crashing_crash(void);

void crashing_crash(void)
{
    static volatile int *volatile nowhere;
    *nowhere = 1;
}

__attribute__((constructor)) static void load(void)
{
    if (getenv("CRASHING"))
        crashing_crash();
}
