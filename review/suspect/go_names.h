/* The names that Go gives to functions, "liwords/pkg/stores/game.(*DBStore).GetRematchStreak": the
 * path of the package, then what is in it. Dots of the path's last element are escaped there
 * ("gopkg.in/yaml%2ev3.Marshal", cmd/internal/objabi/path.go); type arguments stand in brackets,
 * which may hold anything. */
#ifndef REVIEW_GO_NAMES_H
#define REVIEW_GO_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The path of the package, unescaped: "gopkg.in/yaml.v3", "main"; "" for a name that has none
 * (assembly such as memeqbody, what the compiler makes such as type..eq.main.Key, other languages).
 * The caller frees it. */
char *go_names_package(const char *name);

/* For people: "(*DBStore).GetRematchStreak" for methods of pointers, else with the last element of
 * the package: "main.run.func1", "game.Load[...]". A name of no package is as it is. The caller
 * frees it. */
char *go_names_short(const char *name);

/* Whether a package of that path is of Go's standard library, by its first element alone. */
bool go_names_is_standard(const char *package);

/* Whether a package is part of the runtime, or stands below it. */
bool go_names_is_runtime(const char *package);

/* Whether the function is a closure ("main.run.func1"), or made by the compiler ("-fm"). */
bool go_names_is_generated(const char *name);

#endif
