"""`database.statements`: an incident says which statements ran, by PostgreSQL's own word. A real
server, real statements, and a real pooler. COST: 23 s."""
import os
import re
import socket
import subprocess
import urllib.request

import pytest

import harness
import postgres
from harness import PATIENCE_S, wait_until, watching

PASSWORD = "games!secret"
CULPRIT = "SELECT count(*) FROM games WHERE player = "
CALLS = 100
LOCKS = "SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'games'::regclass"


def has_libpq():
    reference = harness.run("config", "--reference").stdout
    assert "database.statements" in reference
    tried = harness.run("config", environment=harness.clean_environment({
        "STAKEOUT_CONFIG": "service: s\napp: {debug: 'http://h/'}\nexport: {directory: /c}\n"
                           "database: {endpoint: 'h:1', statements: 'postgres://h/d'}\n"}))
    return "without" not in tried.stderr


@pytest.fixture(scope="module")
def server():
    if not has_libpq():
        pytest.skip("this stakeout was built without libpq (apt-get install libpq-dev)")
    running = postgres.Server(PASSWORD, shared_preload_libraries="pg_stat_statements")
    running.sql("CREATE EXTENSION pg_stat_statements; CREATE DATABASE bare;"
                f"CREATE ROLE watcher LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO watcher;"
                f"CREATE ROLE nobody_else LOGIN PASSWORD '{PASSWORD}';"
                f"CREATE ROLE crowd LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0;"
                "CREATE TABLE games AS SELECT i AS id, i % 50 AS player FROM "
                "generate_series(1, 20000) i;")
    yield running
    running.close()


def url_of(server, role="watcher", password=PASSWORD.replace("!", "%21"), database="postgres",
           more=""):
    return f"postgres://{role}:{password}@127.0.0.1:{server.port}/{database}{more}"


def configuration(service, captures, server, url, seconds=2):
    return watching(service, captures,
                    database={"endpoint": f"127.0.0.1:{server.port}", "statements": url},
                    captures={"spike": [{"profile": "cpu", "seconds": seconds}]},
                    triggers={"never": {"metric": "cpu", "above": "99999%"}})


def capture(watched):
    """By hand; the process, which ends when the incident is stored."""
    return subprocess.Popen([harness.BINARY, "capture", "-c", watched.file, "--reason", "statements"],
                            env=watched.environment, cwd=watched.folder, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_an_incident_names_the_statements(agent, start_service, captures, server):
    service = start_service(cores=0.5)
    server.sql("SELECT pg_stat_statements_reset()")
    server.sql(f"{CULPRIT}1")
    asked = configuration(service, captures, server, url_of(server), seconds=4)
    asked["database"] = [dict(asked["database"], name=name) for name in ("silent", "mute", "games")]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and says nothing
        for database in asked["database"][:2]:
            database["statements"] = f"postgres://u@127.0.0.1:{silent.getsockname()[1]}/d"
        with server.running("BEGIN; LOCK TABLE games IN EXCLUSIVE MODE; SELECT pg_sleep(60), 'secret'"):
            wait_until(lambda: server.sql(LOCKS), "a lock")
            with server.running("UPDATE games SET player = 4711 WHERE id = 7"):
                incident = capture_culprit(agent, asked, server, captures)
    *without, database = incident.json["statements"]
    for other in without:
        assert re.search("still under way|does not answer", other["problem"]), other
    check_culprit(incident, database)


def capture_culprit(agent, asked, server, captures):
    watched = agent(asked).start()
    watched.wait_log(r"statements of games: the database postgres has counted \d+")
    taken = capture(watched)
    watched.wait_log(r"incident \S+ opened")
    server.sql("".join(f"{CULPRIT}{player};" for player in range(CALLS)))
    server.sql(f"ALTER ROLE nobody_else PASSWORD '{PASSWORD}'")
    stdout, stderr = taken.communicate(timeout=60)
    assert taken.returncode == 0, stdout + stderr + watched.log
    incident = harness.wait_incidents(watched, captures)[0]
    written = watched.log + incident.files["incident.json"].decode()
    assert "secret" not in written
    assert "secret" not in watched.command("config").stdout
    return incident


def check_culprit(incident, database):
    assert "problem" not in database, database
    assert database["database"] == "postgres"
    assert database["from"] <= incident.json["fired"] < database["to"]
    first = database["top"][0]
    assert first["text"] == f"{CULPRIT}$1"
    assert (first["calls"], first["rows"]) == (CALLS, CALLS)
    assert first["time_ms"] > 0 and 20 < first["percent"] <= 100
    assert first["blocks_hit"] + first["blocks_read"] >= CALLS * 50
    assert database["time_ms"] >= first["time_ms"]
    texts = {row["text"] for row in database["top"]}
    assert not [text for text in texts if "stakeout" in text or text in ("BEGIN READ ONLY", "COMMIT")], "our own"
    assert "ALTER ROLE nobody_else PASSWORD '?'" in texts
    check_ongoing(database)
    check_shown(incident)


def check_ongoing(database):
    """What holds the lock, and what waits for it, had not ended."""
    holds, waits = database["running"]
    assert holds["text"] == "BEGIN; LOCK TABLE games IN EXCLUSIVE MODE; SELECT pg_sleep(?), '?'"
    assert (holds["state"], holds["waits_for"]) == ("active", "Timeout: PgSleep")
    assert waits["text"] == "UPDATE games SET player = ? WHERE id = ?"
    assert (waits["state"], waits["waits_for"]) == ("active", "Lock: relation")
    assert 1000 <= waits["time_ms"] <= holds["time_ms"] < 60000


def check_shown(incident):
    shown = harness.run("show", incident.folder)
    assert CULPRIT + "$1" in shown.stdout, shown.stdout + shown.stderr
    assert re.search(r"s +active +Lock: relation +UPDATE games", shown.stdout), shown.stdout
    assert harness.run("report", incident.folder).returncode == 0
    page = harness.read(os.path.join(incident.folder, "report.html")).decode()
    assert "What the database did" in page and "games WHERE player = $1" in page


def test_status_says_how_it_stands(agent, start_service, captures, server):
    service = start_service(cores=0.5)
    asked = configuration(service, captures, server, url_of(server))
    asked["database"] = [dict(asked["database"], name="games"),
                         dict(asked["database"], name="bare", statements=url_of(server, database="bare"))]
    asked["listen"] = f"127.0.0.1:{harness.free_port()}"
    watched = agent(asked).start()
    watched.wait_log(r"statements of games: the database postgres has counted \d+")
    watched.wait_log(r"statements of bare: the database bare has no extension")
    games, bare = watched.status()["statements"]
    assert (games["name"], games["database"], games["error"]) == ("games", "postgres", None)
    assert games["since"] == games["last"]
    assert (bare["name"], bare["last"]) == ("bare", None) and bare["since"]
    assert "CREATE EXTENSION pg_stat_statements" in bare["error"]
    shown = watched.command("status").stdout
    assert f"games            ok since {games['since']}\n" in shown, shown
    assert f"bare             failing since {bare['since']}: the database bare has no" in shown
    with urllib.request.urlopen(f"http://{asked['listen']}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    assert 'stakeout_statements_up{database="games"} 1\n' in page
    assert 'stakeout_statements_up{database="bare"} 0\n' in page


def test_our_own_connection_is_not_the_apps(agent, start_service, captures, server):
    service = start_service(cores=0.5)
    watched = agent(configuration(service, captures, server, url_of(server))).start()
    watched.wait_log(r"has counted \d+")
    assert server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stakeout'")
    wait_until(lambda: watched.command("status", "--json").returncode == 0, "status")
    assert server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stakeout' "
                      "AND state LIKE 'idle in transaction%'").strip() == "0"
    assert not watched.metric("db.connections")
    assert not watched.metric("db.received")


def test_a_server_that_starts_anew_is_looked_at_again(agent, start_service, captures, server):
    service = start_service(cores=0.5)
    watched = agent(configuration(service, captures, server, url_of(server))).start()
    watched.wait_log(r"has counted \d+")
    server.restart()
    stdout, stderr = capture(watched).communicate(timeout=60)
    incident = harness.wait_incidents(watched, captures)[0]
    database, = incident.json["statements"]
    assert "problem" not in database, (database, stdout, stderr, watched.log)


REFUSED = {
    "password": ({"password": "wrong"},
                 'failed for user "watcher": the URL, or PGPASSWORD, has another password'),
    "extension": ({"database": "bare"},
                  "the database bare has no extension pg_stat_statements: CREATE EXTENSION"),
    "role": ({"role": "nobody_else"}, "GRANT pg_monitor TO nobody_else"),
    "tls": ({"more": "?sslmode=require"}, "the server has no TLS: leave sslmode out of the URL"),
    "database": ({"database": "none"},
                 '3D000: database "none" does not exist: the URL\'s path names the database'),
    "crowd": ({"role": "crowd"},
              'too many connections for role "crowd": each copy of stakeout has one'),
    "url": ({"more": "?nonsense=1"}, "its URL is not understood by libpq"),
}


def check_each(agent, service, captures, server, urls):
    """What `check` says of the statements of each of these URLs, by their names; all of it."""
    asked = configuration(service, captures, server, None)
    asked["database"] = [dict(asked["database"], name=name, statements=url)
                         for name, url in urls.items()]
    result = agent(asked).command("check", timeout=PATIENCE_S * 3)
    assert result.returncode == 1, result.stdout
    said = dict(re.findall(r"^statements of (\w+): (.*)$", result.stdout, re.M))
    assert said.keys() == urls.keys()
    return said, result.stdout + result.stderr


def test_what_is_wrong_is_told_with_a_remedy(agent, start_service, captures, server):
    urls = {name: url_of(server, **parts) for name, (parts, _) in REFUSED.items()}
    said, everything = check_each(agent, start_service(cores=0.5), captures, server, urls)
    for name, (_, remedy) in REFUSED.items():
        assert remedy in said[name], (name, said[name])
    assert "secret" not in everything


MANY = """ALTER FUNCTION pg_stat_statements(boolean) RENAME TO the_real_one;
CREATE FUNCTION pg_stat_statements(boolean) RETURNS TABLE (queryid bigint, calls bigint, rows bigint,
total_exec_time float8, total_time float8, shared_blks_hit bigint, shared_blks_read bigint, dbid oid)
LANGUAGE sql AS $$ SELECT i, i, i, 1.0, 1.0, i, i, (SELECT oid FROM pg_database WHERE datname =
current_database()) FROM generate_series(1, 20001) i $$;"""


def test_a_part_of_the_statements_is_not_taken_for_all(agent, start_service, captures, server):
    server.sql("CREATE DATABASE crowded")
    server.sql("CREATE EXTENSION pg_stat_statements", database="crowded")
    server.sql(MANY, database="crowded")
    asked = configuration(start_service(cores=0.5), captures, server, url_of(server, database="crowded"))
    result = agent(asked).command("check", timeout=PATIENCE_S * 3)
    server.sql("DROP DATABASE crowded WITH (FORCE)")
    assert "pg_stat_statements has more than 20000 entries of the database crowded" in result.stdout


@pytest.fixture(scope="module")
def pooler(server):
    running = postgres.Pooler(server, "watcher")
    wait_until(lambda: accepts(running.port), "the pooler")
    yield running
    running.close()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


SESSION = """SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
current_setting('transaction_read_only'), (SELECT count(*) FROM pg_prepared_statements),
(SELECT string_agg(DISTINCT name, ' ') FROM pg_settings WHERE source = 'session' AND name NOT IN
('application_name', 'client_encoding', 'DateStyle', 'IntervalStyle', 'standard_conforming_strings', 'TimeZone'))"""


def test_looks_leave_nothing_behind_in_a_pooled_session(agent, start_service, captures, server, pooler):
    service = start_service(cores=0.5)
    url = f"postgres://anybody@127.0.0.1:{pooler.port}/postgres"
    watched = agent(configuration(service, captures, server, url)).start()
    watched.wait_log(r"the database postgres has counted \d+")
    capture(watched).communicate(timeout=60)
    database, = harness.wait_incidents(watched, captures)[0].json["statements"]
    assert "problem" not in database, database
    assert server.sql(SESSION, pooler=pooler).strip() == "0|0|off|0|"
    sessions = "SELECT count(*), max(state) FROM pg_stat_activity WHERE usename = 'watcher'"
    wait_until(lambda: server.sql(sessions) == "1|idle\n", "only the one that both have had")


def test_what_a_pooler_refuses_is_told_with_a_remedy(agent, start_service, captures, server, pooler):
    url = f"postgres://anybody@127.0.0.1:{pooler.port}/"
    urls = {"unknown": url + "none", "options": url + "postgres?options=-cgeqo%3Doff"}
    said, _ = check_each(agent, start_service(cores=0.5), captures, server, urls)
    assert "bouncer config error: is the database among the pooler's [databases]?" in said["unknown"]
    assert "unsupported startup parameter: options: the pooler refuses" in said["options"]


def test_check_says_that_all_is_well(agent, start_service, captures, server):
    service = start_service(cores=0.5)
    url = url_of(server).replace(":" + PASSWORD.replace("!", "%21"), "")
    tried = agent(configuration(service, captures, server, url),
                  environment={"PGPASSWORD": PASSWORD})
    result = tried.command("check", timeout=PATIENCE_S * 3)
    assert f"statements of 127.0.0.1:{server.port}: ok, " in result.stdout, result.stdout
