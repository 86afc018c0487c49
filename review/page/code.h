/* Whose code a function is, for pages that mark it. */
#ifndef REVIEW_CODE_H
#define REVIEW_CODE_H

enum code_owner {
    CODE_OWN,     /* the app's own */
    CODE_LIBRARY, /* somebody else's, built in */
    CODE_STANDARD /* the language's: its runtime and its library */
};

struct code {
    enum code_owner (*owner)(const void *arg, const char *function);
    const void *arg;
};

#endif
