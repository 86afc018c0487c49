#include "review/suspect/stacks_marks.h"

#include "review/suspect/stacks.h"

#include <stddef.h>
#include <string.h>

struct marked_name {
    const char *name;
    unsigned marks;
};

/* Go's runtime, by the names it has had from 1.13 to 1.24. */
static const struct marked_name names[] = {
    {"runtime.gcBgMarkWorker", STACKS_GC},
    {"runtime.bgsweep", STACKS_GC},
    {"runtime.bgscavenge", STACKS_GC},
    {"runtime.mcall", STACKS_SCHEDULER},
    {"runtime.mstart", STACKS_SCHEDULER},
    {"runtime.mstart0", STACKS_SCHEDULER},
    {"runtime.mstart1", STACKS_SCHEDULER},
    {"runtime.schedule", STACKS_SCHEDULER},
    {"runtime.findRunnable", STACKS_SCHEDULER},
    {"runtime.findrunnable", STACKS_SCHEDULER},
    {"runtime.sysmon", STACKS_SCHEDULER},
    {"runtime.mallocgc", STACKS_ALLOCATES},
    {"runtime.chansend", STACKS_BLOCKS},
    {"runtime.chanrecv", STACKS_BLOCKS},
    {"runtime.closechan", STACKS_BLOCKS},
    {"runtime.selectgo", STACKS_BLOCKS},
    {"runtime.semacquire1", STACKS_BLOCKS},
    {"runtime.semrelease1", STACKS_BLOCKS},
    {"runtime.gopark", STACKS_BLOCKS},
    {"runtime.goready", STACKS_BLOCKS},
    {"runtime.newproc", STACKS_BLOCKS},
    {"runtime.notifyListNotifyAll", STACKS_BLOCKS},
    {"runtime.notifyListNotifyOne", STACKS_BLOCKS},
    {"sync.(*Mutex).lockSlow", STACKS_BLOCKS},
    {"sync.(*Mutex).unlockSlow", STACKS_BLOCKS},
    {"internal/sync.(*Mutex).lockSlow", STACKS_BLOCKS},
    {"internal/sync.(*Mutex).unlockSlow", STACKS_BLOCKS},
    {"time.Sleep", STACKS_BLOCKS},
};

/* Packages that speak to a database. */
static const char *const databases[] = {"database/sql", "github.com/lib/pq", "github.com/jackc/pg",
    "github.com/go-sql-driver/mysql", "github.com/mattn/go-sqlite3", "modernc.org/sqlite",
    "github.com/microsoft/go-mssqldb", "github.com/denisenkom/go-mssqldb",
    "github.com/jmoiron/sqlx", "gorm.io/", "github.com/jinzhu/gorm", "github.com/go-pg/pg",
    "github.com/uptrace/bun", "entgo.io/ent", "go.mongodb.org/mongo-driver",
    "github.com/gocql/gocql", "github.com/redis/go-redis", "github.com/go-redis/redis",
    "github.com/gomodule/redigo", "github.com/ClickHouse/", "cloud.google.com/go/spanner",
    "cloud.google.com/go/datastore"};

bool stacks_marks_is_router(const char *name)
{
    static const char *const ends[] = {
        ".ServeHTTP", "/gin.(*Context).Next", "_Handler.func1", ".HandlerFunc.ServeHTTP"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && !strcmp(name + length - end, ends[i]))
            return true;
    }
    return false;
}

unsigned stacks_marks_of(const char *name, bool is_go)
{
    unsigned marks = stacks_marks_is_router(name) ? STACKS_PASSES_ON : 0;
    for (size_t i = 0; is_go && i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i].name))
            marks |= names[i].marks;
    for (size_t i = 0; is_go && i < sizeof databases / sizeof *databases; i++)
        if (!strncmp(name, databases[i], strlen(databases[i])))
            marks |= STACKS_DATABASE;
    return marks;
}
