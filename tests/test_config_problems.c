#include "config/config.h"
#include "core/buf.h"

#include "fake_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config_needs run_needs = {.exporter = true};

#define SMALLEST "service: woogles\napp: {debug: 'http://localhost:8001/debug/pprof'}\n"
#define HEAD     SMALLEST "export: {directory: /captures}\n"
#define SERVICE  "service: s\nexport: {directory: /captures}\n"

struct bad {
    const char *text;
    const char *problems;
};

static void check_bad(const struct bad *cases, size_t count, const struct config_needs *needs)
{
    for (size_t i = 0; i < count; i++) {
        struct buf problems;
        buf_init(&problems, 1 << 16);
        struct config *config = config_parse(
            cases[i].text, strlen(cases[i].text), "f.yaml", &fake_kinds, needs, &problems);
        assert_null(config);
        if (strcmp(problems.data, cases[i].problems) != 0)
            print_error("case %zu:\n%s", i, cases[i].text);
        assert_string_equal(problems.data, cases[i].problems);
        buf_free(&problems);
    }
}

static void every_problem_of_a_file_is_told_in_one_go(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"", "f.yaml:1:1: service: is missing (names the incidents: letters, digits, . _ - (1 to "
             "64))\n"
             "f.yaml:1:1: app: is missing (what to watch, such as app: {debug: "
             "http://localhost:8001/debug/pprof})\n"
             "f.yaml:1:1: export: is missing (where incidents are stored, such as export: "
             "{directory: /captures})\n"},
        {"- x", "f.yaml:1:1: must be a mapping; keys it takes: service, interval, state, app, "
                "apps, source, database, metrics, triggers, quiet, captures, recorder, baseline, "
                "follow_up, "
                "fleet, limits, "
                "export, review_url, report_links, source_url, listen, log\n"},
        {"x", "f.yaml:1:1: must be a mapping; keys it takes: service, interval, state, app, apps, "
              "source, database, metrics, triggers, quiet, captures, recorder, baseline, "
              "follow_up, fleet, "
              "limits, export, "
              "review_url, report_links, source_url, listen, log\n"},
        {"servce: w\napp: {debug: 'http://h/'}\nexport: {directory: /c}\n",
            "f.yaml:1:1: servce: is not known; did you mean \"service\"?\n"},
        {"service: 'a b'\ninterval: 50ms\nstate:\napp:\n  debug: ftp://u:p@h/\n  container: [a]\n  "
         "headers: Bearer x\n  own_cod: [x/]\nsource: cgruop\ndatabase:\n  endpoint: "
         "postgres://u:p@h:5432/db\nother: {}\nlimits: {cooldwn: 5m, per_hour: six, spool: 5mb, "
         "profile: 0, grace: 11m}\nexport:\n  dirctory: /x\n  s3: {path_style: maybe, endpoint: "
         "'http://h:99999'}\n  directory:\nlisten: 9797\nlog: {level: verbose}\nlog: {}\n",
            "f.yaml:1:10: service: \"a b\" is not a name: letters, digits, . _ - (1 to 64), no dot "
            "first\n"
            "f.yaml:2:11: interval: 50ms is out of range; it may be 100ms to 1m\n"
            "f.yaml:3:1: state: is empty; give it a value or leave the key out\n"
            "f.yaml:5:10: app.debug: is not a URL that begins with http:// or https://\n"
            "f.yaml:6:14: app.container: must be one value, not a list\n"
            "f.yaml:7:12: app.headers: must be a mapping of names to values, not a single value\n"
            "f.yaml:8:3: app.own_cod: is not known; did you mean \"own_code\"?\n"
            "f.yaml:9:9: source: \"cgruop\" is none of auto, ecs, cgroup; did you mean "
            "\"cgroup\"?\n"
            "f.yaml:11:13: database.endpoint: is a URL; write only its host and port, such as "
            "db.internal:5432\n"
            "f.yaml:12:1: other: is not known; known here: service, interval, state, app, apps, "
            "source, database, metrics, triggers, quiet, captures, recorder, baseline, follow_up, "
            "fleet, "
            "limits, export, "
            "review_url, report_links, source_url, listen, log\n"
            "f.yaml:13:10: limits.cooldwn: is not known; did you mean \"cooldown\"?\n"
            "f.yaml:13:33: limits.per_hour: \"six\" is not a whole number\n"
            "f.yaml:13:45: limits.spool: 5mb: units are in capitals; write 5MB\n"
            "f.yaml:13:59: limits.profile: 0 is out of range; it may be 1KiB to 4GiB\n"
            "f.yaml:13:69: limits.grace: 11m is out of range; it may be 0s to 10m\n"
            "f.yaml:15:3: export.dirctory: is not known; known here: directory, s3; did you mean "
            "\"directory\"?\n"
            "f.yaml:16:3: export.s3.bucket: is missing (the bucket)\n"
            "f.yaml:16:20: export.s3.path_style: \"maybe\" is none of auto, yes, no\n"
            "f.yaml:16:37: export.s3.endpoint: is not a URL: its host or port is wrong; write "
            "http://host:port/\n"
            "f.yaml:17:3: export.directory: is empty; keys it takes: path, keep\n"
            "f.yaml:18:9: listen: is not ADDRESS:PORT; write it like 127.0.0.1:9797, "
            "\"[::1]:9797\" or off\n"
            "f.yaml:19:14: log.level: \"verbose\" is none of debug, info, warn, error\n"
            "f.yaml:20:1: log: is given twice, first on line 19\n"},
        {"service: ${T_UNSET}\napp: {debug: 'http://${T_UNSET}/'}\nexport: {directory: "
         "/c}\ntriggers: {t: {metric: cpu, above: \"${T_UNSET}\"}}\n",
            "f.yaml:1:10: service: the environment variable T_UNSET is not set; set it, or give a "
            "default as in ${T_UNSET:-default}\n"
            "f.yaml:2:14: app.debug: the environment variable T_UNSET is not set; set it, or give "
            "a default as in ${T_UNSET:-default}\n"
            "f.yaml:4:36: triggers.t.above: the environment variable T_UNSET is not set; set it, "
            "or give a default as in ${T_UNSET:-default}\n"},
    };
    check_bad(cases, sizeof cases / sizeof *cases, &run_needs);
}

static void apps_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {SERVICE, "f.yaml:1:1: app: is missing (what to watch, such as app: {debug: "
                  "http://localhost:8001/debug/pprof})\n"},
        {SERVICE "app: {debug: 'http://h/'}\napps: {a: {debug: 'http://h/'}}\n",
            "f.yaml:4:1: apps: cannot stand beside app; give one of them\n"},
        {SERVICE "app:\n",
            "f.yaml:3:1: app: is empty; keys it takes: debug, container, headers, own_code\n"},
        {SERVICE "app: {}\n", "f.yaml:3:1: app.debug: is missing (URL of the debug endpoint, such "
                              "as http://localhost:8001/debug/pprof)\n"},
        {SERVICE "apps:\n", "f.yaml:3:1: apps: is empty; give it a mapping of names to apps or "
                            "leave the key out\n"},
        {SERVICE "apps: {}\n", "f.yaml:3:7: apps: holds 0 apps; 1 to 16 are allowed\n"},
        {SERVICE "apps: [a]\n",
            "f.yaml:3:7: apps: must be a mapping of names to apps, not a list\n"},
        {SERVICE "app: http://h/\n", "f.yaml:3:6: app: must be a mapping; keys it takes: debug, "
                                     "container, headers, own_code\n"},
        {SERVICE "app: {debug: 'http://h/?a=b'}\n",
            "f.yaml:3:14: app.debug: must be the folder of the profiles, without ? and #, such as "
            "http://localhost:8001/debug/pprof\n"},
        {SERVICE "app: {debug: 'http://h/#x'}\n",
            "f.yaml:3:14: app.debug: must be the folder of the profiles, without ? and #, such as "
            "http://localhost:8001/debug/pprof\n"},
        {SERVICE "apps: {a.b: {debug: 'http://h/'}}\n",
            "f.yaml:3:8: apps.a.b: an app's name is letters, digits, _ - (1 to 29)\n"},
        {SERVICE "apps: {db: {debug: 'http://h/'}}\n",
            "f.yaml:3:8: apps.db: an app may not be called db: db.* are the database's metrics\n"},
        {SERVICE "apps: {API: {debug: 'http://h/'}, api: {debug: 'http://h/'}}\n",
            "f.yaml:3:35: apps.api: differs from API only in capitals\n"},
        {SERVICE "apps: {a: {debg: 'http://h/'}}\n",
            "f.yaml:3:12: apps.a.debg: is not known; did you mean \"debug\"?\n"},
    };
    check_bad(cases, sizeof cases / sizeof *cases, &run_needs);
}

#define AMBIGUOUS                                                                                  \
    "f.yaml:4:41: database.statements: has a / before an @, or two of these: write %2F for a / "   \
    "and %40 for an @ in the password\n"

#define NO_PORT                                                                                    \
    "f.yaml:4:41: database.statements: has a port that is no number; write it like "               \
    "postgres://USER:PASSWORD@HOST:5432/DATABASE\n"

static void source_database_listen_and_export_are_checked(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {HEAD "source: ecz\n",
            "f.yaml:4:9: source: \"ecz\" is none of auto, ecs, cgroup; did you mean \"ecs\"?\n"},
        {HEAD "source: ''\nlisten: \"\"\ninterval: ''\nlog: {level: ''}\nlimits: {spool: ''}\n",
            "f.yaml:4:9: source: must not be empty\n"
            "f.yaml:5:9: listen: must not be empty\n"
            "f.yaml:6:11: interval: must not be empty\n"
            "f.yaml:7:14: log.level: must not be empty\n"
            "f.yaml:8:17: limits.spool: must not be empty\n"},
        {HEAD "source: [ecs]\n", "f.yaml:4:1: source: must be auto or the name of one source\n"},
        {HEAD "source: off\n", "f.yaml:4:9: source: \"off\" is none of auto, ecs, cgroup\n"},
#ifdef STAKEOUT_WITH_LIBPQ
        {HEAD "database: {endpoint: 'h:1', statements: 'mysql://u:secret@h/d'}\n",
            "f.yaml:4:41: database.statements: is no URL of PostgreSQL; write it like "
            "postgres://USER:PASSWORD@HOST:5432/DATABASE\n"},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:sec@ret@h/d'}\n", AMBIGUOUS},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:sec/ret@h/d'}\n", AMBIGUOUS},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:secret/d'}\n", NO_PORT},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:sec?ret'}\n", NO_PORT},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:1@[::1]:5a/d'}\n", NO_PORT},
        {HEAD "database: {endpoint: 'h:1', statements: 'postgres://u:1@h:1,i:2b'}\n", NO_PORT},
#endif
        {HEAD "database: {}\n", "f.yaml:4:1: database.endpoint: is missing (HOST:PORT or "
                                "[V6]:PORT; TCP traffic to it is counted)\n"},
        {HEAD "database: []\n", "f.yaml:4:11: database: holds 0 databases; 1 to 16 are allowed\n"},
        {HEAD "database: db:5432\n",
            "f.yaml:4:11: database: must be a mapping; keys it takes: endpoint, cloudwatch, "
            "statements\n"},
        {HEAD "database: {endpoint: db}\n",
            "f.yaml:4:22: database.endpoint: has no port; write it like db:5432\n"},
        {HEAD "database: {endpoint: '::1'}\n",
            "f.yaml:4:22: database.endpoint: is not HOST:PORT; write it like db.internal:5432\n"},
        {HEAD "database: {endpoint: '/run/postgresql'}\n",
            "f.yaml:4:22: database.endpoint: is not HOST:PORT; write it like db.internal:5432\n"},
        {HEAD "database: {endpoint: 'u:p@db:5432'}\n",
            "f.yaml:4:22: database.endpoint: is a URL; write only its host and port, such as "
            "db.internal:5432\n"},
        {HEAD "database: {name: x, endpoint: 'db:1'}\n",
            "f.yaml:4:12: database.name: is not known; known here: endpoint, cloudwatch, "
            "statements\n"},
        {HEAD "database: [{endpoint: 'db:1'}]\n", "f.yaml:4:12: database[0].name: is missing (what "
                                                  "its metrics are called by: db.NAME.received)\n"},
        {HEAD "database: [{name: a, endpoint: 'db:1'}, {name: a, endpoint: 'db:2'}]\n",
            "f.yaml:4:48: database[1].name: \"a\" is the name of two databases\n"},
        {HEAD "database: [{name: a.b, endpoint: 'db:1'}]\n",
            "f.yaml:4:19: database[0].name: may hold letters, digits, _ - but no dot\n"},
        {HEAD "fleet: {incidents: 3}\n",
            "f.yaml:4:1: fleet: needs a store that the agents share, and none of the exporters is "
            "one; give export: an s3: or a directory: that is mounted everywhere\n"},
        {HEAD "fleet: 3\n",
            "f.yaml:4:1: fleet: must be off or a mapping, such as {incidents: 3, per: 10m}\n"},
        {HEAD "fleet: {per: 10s}\n",
            "f.yaml:4:1: fleet.incidents: is missing (how many of the agents of one service take "
            "an "
            "incident of a trigger in each window)\n"
            "f.yaml:4:14: fleet.per: 10s is out of range; it may be 1m to 1d\n"},
        {HEAD "recorder: {slice: 1500ms}\n",
            "f.yaml:4:19: recorder.slice: must be whole seconds\n"},
        {HEAD "recorder: {slice: 500ms}\n",
            "f.yaml:4:19: recorder.slice: 500ms is out of range; it may be 1s to 1m\n"},
        {HEAD "recorder: {slice: 61s, keep: 0, alway: on}\n",
            "f.yaml:4:19: recorder.slice: 61s is out of range; it may be 1s to 1m\n"
            "f.yaml:4:30: recorder.keep: 0 is out of range; it may be 1 to 60\n"
            "f.yaml:4:33: recorder.alway: is not known; did you mean \"always\"?\n"},
        {HEAD "baseline: {every: 30s}\n",
            "f.yaml:4:19: baseline.every: 30s is out of range; it may be 1m to 7d\n"},
        {HEAD "follow_up: {after: 2m}\n",
            "f.yaml:4:12: follow_up: must be one value, not a mapping\n"},
        {HEAD "follow_up: 2\n",
            "f.yaml:4:12: follow_up: 2 has no unit; write 2s for seconds, 2d for days\n"},
        {HEAD "follow_up: 1s\n",
            "f.yaml:4:12: follow_up: 1s is out of range; it may be 5s to 1d\n"},
        {HEAD "baseline: 6h\n",
            "f.yaml:4:1: baseline: must be off or a mapping, such as {every: 6h}\n"},
        {HEAD "baseline:\n",
            "f.yaml:4:1: baseline: must be off or a mapping, such as {every: 6h}\n"},
        {HEAD "baseline: {evry: 6h}\n",
            "f.yaml:4:12: baseline.evry: is not known; did you mean \"every\"?\n"},
        {HEAD "recorder: on\n",
            "f.yaml:4:11: recorder: must be a mapping; keys it takes: slice, keep, always\n"},
        {HEAD "source_url: 'ftp://git/{path}'\n",
            "f.yaml:4:13: source_url: is not a URL that begins with http:// or https://\n"},
        {HEAD "source_url: 'https://git/{comit}/{pth}'\n",
            "f.yaml:4:13: source_url: has \"{comit}\", which stands for nothing; it may have "
            "{commit}, "
            "{path} and {line}\n"
            "f.yaml:4:13: source_url: has \"{pth}\", which stands for nothing; it may have "
            "{commit}, "
            "{path} and {line}\n"
            "f.yaml:4:13: source_url: has no {path}, so every link would be the same\n"},
        {HEAD "source_url: 'https://u:p@git/{path}'\n",
            "f.yaml:4:13: source_url: must not hold a user or a password\n"},
        {HEAD "listen: 127.0.0.1\n", "f.yaml:4:9: listen: is not ADDRESS:PORT; write it like "
                                     "127.0.0.1:9797, \"[::1]:9797\" or off\n"},
        {HEAD "listen: localhost:9797\n", "f.yaml:4:9: listen: takes an address, not a name; "
                                          "127.0.0.1 is this host only, 0.0.0.0 every interface\n"},
        {HEAD "listen: ':9797'\n", "f.yaml:4:9: listen: is not ADDRESS:PORT; write it like "
                                   "127.0.0.1:9797, \"[::1]:9797\" or off\n"},
        {HEAD "listen: '::1:9797'\n", "f.yaml:4:9: listen: is not ADDRESS:PORT; write it like "
                                      "127.0.0.1:9797, \"[::1]:9797\" or off\n"},
        {HEAD "listen: '[127.0.0.1]:9797'\n",
            "f.yaml:4:9: listen: takes an address, not a name; 127.0.0.1 is this host only, "
            "0.0.0.0 every interface\n"},
        {HEAD "listen: on\n", "f.yaml:4:9: listen: is not ADDRESS:PORT; write it like "
                              "127.0.0.1:9797, \"[::1]:9797\" or off\n"},
        {HEAD "listen:\n", "f.yaml:4:1: listen: must be off or ADDRESS:PORT; an IPv6 one in "
                           "quotes: \"[::1]:9797\"\n"},
        {HEAD "listen: 127.0.0.1:70000\n", "f.yaml:4:9: listen: is not ADDRESS:PORT; write it like "
                                           "127.0.0.1:9797, \"[::1]:9797\" or off\n"},
        {"service: s\napp: {debug: 'http://h/'}\n",
            "f.yaml:1:1: export: is missing (where incidents are stored, such as export: "
            "{directory: /captures})\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {}\n",
            "f.yaml:3:1: export: names no place to store incidents; give it directory: or s3:\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: /c\n",
            "f.yaml:3:9: export: must be a mapping such as {directory: /captures}, not a single "
            "value\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {s3: b}\n",
            "f.yaml:3:14: export.s3: must be a mapping; keys it takes: bucket, endpoint, secret, "
            "path_style, encryption\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {directory: []}\n",
            "f.yaml:3:21: export.directory: is an empty list; leave the key out\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {directory: [/a, {keep: 1d}]}\n",
            "f.yaml:3:26: export.directory[1].path: is missing (the folder)\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {webhook: {url: 'http://h'}}\n",
            "f.yaml:3:10: export.webhook: is not known; known here: directory, s3\n"},
        {"service: s\napp: {debug: 'http://h/'}\nexport: {directory: ''}\n",
            "f.yaml:3:21: export.directory: must not be empty\n"},
    };
    check_bad(cases, sizeof cases / sizeof *cases, &run_needs);
}

static void triggers_are_checked_against_what_they_name(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {HEAD "triggers:\n  t: {metric: cpu, above: 80}\n",
            "f.yaml:5:27: triggers.t.above: 80 has no unit; cpu is in %, write 80%\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 0.8, clear: 70}\n",
            "f.yaml:5:27: triggers.t.above: 0.8 has no unit; cpu is in %, write 80% (or 0.8%)\n"
            "f.yaml:5:39: triggers.t.clear: 70 has no unit; cpu is in %, write 70%\n"},
        {HEAD "triggers:\n  t: {metric: net.received, above: 20MB}\n",
            "f.yaml:5:36: triggers.t.above: 20MB is not a rate; net.received is in bytes a second, "
            "write 20MB/s\n"},
        {HEAD "triggers:\n  t: {metric: memory.bytes, above: 20MB/s}\n",
            "f.yaml:5:36: triggers.t.above: 20MB/s is a rate; memory.bytes is in bytes, write "
            "20MB\n"},
        {HEAD "triggers:\n  t: {metric: cpu.cores, above: 80%}\n",
            "f.yaml:5:33: triggers.t.above: \"80%\" is not a plain number; cpu.cores takes one "
            "like 3 or 0.5\n"},
        {HEAD "triggers:\n  t: {metric: oom_kills, above: 1x}\n",
            "f.yaml:5:33: triggers.t.above: \"1x\" is not a plain number; oom_kills takes one like "
            "3 or 0.5\n"},
        {HEAD "triggers:\n  t: {metric: cppu, above: 80%}\n",
            "f.yaml:5:15: triggers.t.metric: \"cppu\" is not a metric; did you mean \"cpu\"?\n"},
        {HEAD "triggers:\n  t: {metric: queue, above: 3}\n",
            "f.yaml:5:15: triggers.t.metric: \"queue\" is not a metric; stakeout config "
            "--reference lists them\n"},
        {HEAD "triggers:\n  t: {metric: api.cpu, above: 80%}\n",
            "f.yaml:5:15: triggers.t.metric: there is no app of that name; did you mean "
            "\"cpu\"?\n"},
        {HEAD "triggers:\n  t: {metric: db.received, above: 1}\n",
            "f.yaml:5:15: triggers.t.metric: db.received needs the key database: {endpoint: "
            "HOST:PORT}, the traffic that is counted\n"},
        {HEAD "triggers:\n  t: {metric: db.games.rtt, above: 1s}\n",
            "f.yaml:5:15: triggers.t.metric: db.games.rtt needs the key database: {endpoint: "
            "HOST:PORT}, the traffic that is counted\n"},
        {HEAD "triggers:\n  t: {above: 80%}\n",
            "f.yaml:5:3: triggers.t.metric: is missing (what it looks at, such as cpu or "
            "db.received; spike also takes a list)\n"},
        {HEAD "triggers:\n  t: {metric: [cpu, memory], above: 80%}\n",
            "f.yaml:5:21: triggers.t.metric[1]: is one too many: a threshold looks at one "
            "metric\n"},
        {HEAD "triggers:\n  t: {metric: cpu}\n",
            "f.yaml:5:3: triggers.t: has no condition; give it one of: above, below, increases\n"},
        {HEAD "triggers:\n  t: {}\n",
            "f.yaml:5:3: triggers.t: has no condition; give it one of: above, below, increases\n"},
        {HEAD "triggers:\n  t:\n", "f.yaml:5:3: triggers.t: is empty; give it a mapping such as "
                                   "{metric: cpu, above: 80%} or leave the key out\n"},
        {HEAD "triggers:\n  t: 80%\n", "f.yaml:5:6: triggers.t: must be a mapping such as {metric: "
                                       "cpu, above: 80%}, not a single value\n"},
        {HEAD "triggers:\n  t: {metric: cpu, abve: 80%}\n",
            "f.yaml:5:20: triggers.t.abve: is not known; did you mean \"above\"?\n"},
        {HEAD "triggers:\n  t: {metric: cpu, spike: {}}\n",
            "f.yaml:5:20: triggers.t.spike: is not known; conditions are: above, below, "
            "increases\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, increases: 1}\n",
            "f.yaml:5:32: triggers.t.increases: cannot stand beside above: these are two "
            "conditions; make them two triggers\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, below: 10%}\n",
            "f.yaml:5:39: triggers.t.below: cannot stand beside above\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, clear: 90%}\n",
            "f.yaml:5:39: triggers.t.clear: is above the level\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, capture: spik}\n",
            "f.yaml:5:41: triggers.t.capture: \"spik\" is none of the capture sets spike, memory; "
            "did you mean \"spike\"?\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, capture: none}\n",
            "f.yaml:5:41: triggers.t.capture: \"none\" is none of the capture sets spike, "
            "memory\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, for: 2h}\n",
            "f.yaml:5:37: triggers.t.for: 2h is out of range; it may be 0s to 1h\n"},
        {HEAD "limits: {hold_off: 95}\n",
            "f.yaml:4:20: limits.hold_off: 95 has no unit; cpu is in %, write 95%\n"},
        {HEAD "limits: {hold_off: 101%}\n",
            "f.yaml:4:20: limits.hold_off: must be above 0% and at most 100%, or off\n"},
        {HEAD "triggers:\n  t: {metric: cpu, above: 80%, cooldown: 8d}\n",
            "f.yaml:5:42: triggers.t.cooldown: 8d is out of range; it may be 0s to 7d\n"},
        {HEAD "triggers:\n  t: {metric: oom_kills, increases: 0}\n",
            "f.yaml:5:37: triggers.t.increases: 0 is out of range; it may be 1 to 100\n"},
        {HEAD "triggers:\n  T: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.T: a trigger's name is a-z, 0-9, . _ - (1 to 40), no dot "
            "first\n"},
        {HEAD "triggers:\n  manual: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.manual: is taken: incidents of that kind have it; give the "
            "trigger another name\n"},
        {HEAD "triggers:\n  baseline: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.baseline: is taken: incidents of that kind have it; give the "
            "trigger another name\n"},
        {HEAD "triggers:\n  follow_up: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.follow_up: is taken: incidents of that kind have it; give the "
            "trigger another name\n"},
        {HEAD "triggers:\n  .a: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers..a: a trigger's name is a-z, 0-9, . _ - (1 to 40), no dot "
            "first\n"},
        {HEAD "triggers:\n  a/b: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.a/b: a trigger's name is a-z, 0-9, . _ - (1 to 40), no dot "
            "first\n"},
        {HEAD "triggers:\n  a2345678901234567890123456789012345678901: {metric: cpu, above: 80%}\n",
            "f.yaml:5:3: triggers.a2345678901234567890123456789012345678901: a trigger's name is "
            "a-z, 0-9, . _ - (1 to 40), no dot first\n"},
        {HEAD "triggers: [x]\n",
            "f.yaml:4:11: triggers: must be a mapping of names to triggers, not a list\n"},
        {HEAD "triggers:\n", "f.yaml:4:1: triggers: is empty; give it a mapping of names to "
                             "triggers or leave the key out\n"},
        {"service: s\nexport: {directory: /c}\napps: {api: {debug: 'http://h/'}}\ndatabase: "
         "[{name: games, endpoint: 'd:1'}]\ntriggers:\n  a: {metric: cpu, above: 80%}\n  b: "
         "{metric: aip.cpu, above: 80%}\n  c: {metric: db.received, above: 1}\n  d: {metric: "
         "db.gmaes.received, above: 1}\n  e: {metric: api.db.received, above: 1}\n",
            "f.yaml:6:15: triggers.a.metric: with apps, a metric carries the app's name; did you "
            "mean \"api.cpu\"?\n"
            "f.yaml:7:15: triggers.b.metric: \"aip.cpu\" is not a metric; did you mean "
            "\"api.cpu\"?\n"
            "f.yaml:8:15: triggers.c.metric: is of none of the named databases; did you mean "
            "\"db.games.received\"?\n"
            "f.yaml:9:15: triggers.d.metric: is of none of the named databases; did you mean "
            "\"db.games.received\"?\n"
            "f.yaml:10:15: triggers.e.metric: \"api.db.received\" is not a metric; stakeout config "
            "--reference lists them\n"},
        {HEAD "database: {endpoint: 'd:1'}\ntriggers: {t: {metric: db.games.received, above: 1}}\n",
            "f.yaml:5:24: triggers.t.metric: names a database, and the only one has no name; did "
            "you mean \"db.received\"?\n"},
    };
    check_bad(cases, sizeof cases / sizeof *cases, &run_needs);
}

static void a_replay_knows_the_columns_of_the_trace(void **state)
{
    (void)state;
    static const char *const columns[] = {"cpu", "queue", NULL};
    static const struct config_needs needs = {.columns = columns};
    static const struct bad cases[] = {
        {SMALLEST "triggers: {t: {metric: quuee, above: 1}}\n",
            "f.yaml:3:24: triggers.t.metric: \"quuee\" is not a metric and no column of the trace; "
            "did you mean \"queue\"?\n"},
        {SMALLEST "triggers: {t: {metric: queue, above: 80%}}\n",
            "f.yaml:3:38: triggers.t.above: \"80%\" is not a plain number; queue takes one like 3 "
            "or 0.5\n"},
    };
    check_bad(cases, sizeof cases / sizeof *cases, &needs);
}

int main(void)
{
    unsetenv("T_UNSET");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_of_a_file_is_told_in_one_go),
        cmocka_unit_test(apps_that_cannot_be_are_refused),
        cmocka_unit_test(source_database_listen_and_export_are_checked),
        cmocka_unit_test(triggers_are_checked_against_what_they_name),
        cmocka_unit_test(a_replay_knows_the_columns_of_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
