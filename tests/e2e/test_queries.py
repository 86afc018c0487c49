"""docs/queries.md: its own statements, over incidents that the program has analysed."""
import glob
import json
import os
import re
import shutil
import subprocess

import browser
import harness
import incident_maker
import pytest

HERE = os.path.join(harness.HERE, "duckdb")
BUILD = os.path.join(os.environ.get("STAKEOUT_BUILD", os.path.join(harness.TREE, "build")), "duckdb")
PAGE = harness.read(os.path.join(harness.TREE, "docs", "queries.md")).decode()
BUCKET = "s3://woogles-profiles/prod"
STREAK = "liwords/pkg/stores/game.(*DBStore).GetRematchStreak"


def blocks(kind):
    """The page's fenced blocks of a kind: ```sql question"""
    found = re.findall(rf"^```\w+ {kind}\n(.*?)^```$", PAGE, re.M | re.S)
    assert found, kind
    return found


@pytest.fixture(scope="module")
def duckdb():
    """Runs texts of SQL (`run`), or only parses them (`parse`); rows of each statement of each text."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (scripts/setup test)")
    browser.fetch(HERE, BUILD, "DuckDB")

    def do(**given):
        environment = harness.clean_environment(
            {"STAKEOUT_MODULES": BUILD, "STAKEOUT_INPUT": json.dumps(given)})
        done = subprocess.run(["node", os.path.join(HERE, "queries.mjs")], text=True, capture_output=True,
                              timeout=harness.PATIENCE_S * 6, env=environment, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)
    return do


def seen_in_database(index):
    """`statements` of an incident: two databases, of which the second was not to be asked."""
    return [{"name": "games", "database": "liwords", "calls": 1000, "time_ms": 21000, "top": [
                {"query_id": "-7", "text": "SELECT * FROM games", "calls": 900 + index, "time_ms": 20000 + 100 * index,
                 "percent": 95.2, "rows": 5, "blocks_hit": 9},
                {"query_id": "8", "calls": 2, "time_ms": 1000, "percent": 4.8}], "others": 3},
            {"name": "users", "problem": "it does not answer"}]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All that a page has to show, without what is hostile on purpose: it is in no other test's results."""
    folder = str(tmp_path_factory.mktemp("queries"))
    incident_maker.story(folder)
    shutil.rmtree(os.path.join(folder, "service=hostile"))
    browser.analyse(folder)
    for index, path in enumerate(sorted(glob.glob(f"{folder}/service=games/date=*/*/incident.json"))):
        incident = json.loads(harness.read(path))
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**incident, "statements": seen_in_database(index)}, file)
    return folder


def stored(folder):
    """Every incident.json."""
    return [json.loads(harness.read(os.path.join(path, "incident.json")))
            for path, _, files in os.walk(folder) if "incident.json" in files]


def over(folder, text):
    assert "'" not in folder
    return text.replace(BUCKET, folder)


def answers(duckdb, folder, questions):
    """The rows of each question's one statement."""
    texts = [over(folder, text) for text in blocks("duckdb") + questions]
    return [rows for [rows] in duckdb(run=texts)[-len(questions):]]


def test_the_questions_have_the_answers_that_are_in_the_folder(duckdb, made):
    suspects, weeks, without, delays, spikes = answers(duckdb, made, blocks("question"))
    spiked = [incident for incident in stored(made) if incident["kind"] == "spike"]
    named = [incident["suspect"]["function"] for incident in spiked if "suspect" in incident]
    assert [(row["suspect"], int(row["incidents"])) for row in suspects] == [(STREAK, named.count(STREAK))]
    assert named.count(STREAK) == len(named) == 17 and suspects[0]["newest"].startswith("2026-11-23 15:04:06")

    games = [row for row in weeks if row["service"] == "games"]
    assert [(row["week"][:10], int(row["incidents"])) for row in games] == [
        ("2026-11-02", 4), ("2026-11-09", 4), ("2026-11-16", 4), ("2026-11-23", 4)]
    assert max(row["highest"] for row in games) == round(max(
        incident["metrics"]["peak"]["cpu"] for incident in spiked if incident["service"] == "games"), 1)
    assert sum(int(row["incidents"]) for row in weeks) == len(spiked)

    assert [(row["service"], row["trigger_name"], int(row["incidents"])) for row in without] == [
        ("search", "cpu-spike", 2)]

    by_trigger = {row["trigger_name"]: row for row in delays}
    assert by_trigger["cpu-high"]["covered"] == by_trigger["cpu-high"]["incidents"] == "16"
    assert by_trigger["before-oom"]["covered"] == "0"
    assert all(row["usual_s"] == row["longest_s"] == 5 for row in delays), delays

    assert spikes[0]["times"] == "16" and spikes[0]["suspect"] == STREAK
    assert spikes[0]["since"].startswith("2026-11-02") and spikes[0]["newest"].startswith("2026-11-23")


def test_the_seconds_around_a_spike_come_from_metrics_csv(duckdb, made):
    [rows] = answers(duckdb, made, blocks("metrics"))
    spiked = {incident["id"]: incident for incident in stored(made)
              if incident["kind"] == "spike" and incident["trigger"]["metric"] == "cpu"}
    assert [row["id"] for row in rows] == sorted(spiked, reverse=True)
    for row in rows:
        peak = spiked[row["id"]]["metrics"]["peak"]["cpu"]
        assert abs(row["highest"] - peak) <= 0.1 and row["before"] < 15 and 0 <= row["after_s"] < 25, row


def test_the_statements_of_all_spikes_are_added_up(duckdb, made):
    [rows] = answers(duckdb, made, blocks("statements"))
    spiked = [incident for incident in stored(made) if incident["kind"] == "spike" and "statements" in incident]
    first = [incident["statements"][0]["top"][0] for incident in spiked]
    assert [(row["query_id"], row["statement"], int(row["incidents"]), row["seconds"]) for row in rows] == [
        ("-7", "SELECT * FROM games", len(spiked), round(sum(one["time_ms"] for one in first) / 1000, 1)), ("8", None, len(spiked), 1.0 * len(spiked))]
    assert rows[0]["calls"] == sum(one["calls"] for one in first)
    assert rows[0]["most_seconds"] == round(max(one["time_ms"] for one in first) / 1000, 1)


def test_a_condition_on_the_day_reads_only_these_days(duckdb, made):
    [rows] = answers(duckdb, made, ["EXPLAIN SELECT * FROM incidents WHERE day >= '2026-11-20'"])
    count = len(stored(made))
    late = sum(incident["fired"] >= "2026-11-20" for incident in stored(made))
    assert f"Scanning Files: {late}/{count}" in rows[0]["explain_value"] and late < count, rows[0]["explain_value"]


def test_a_bucket_in_which_no_incident_has_a_suspect_answers_as_well(duckdb, tmp_path):
    incident_maker.write(str(tmp_path), incident_maker.NEWEST_S, {"cpu": "it answered 404"},
                         incident_maker.Metrics(1))
    suspects, weeks, without, delays, spikes = answers(duckdb, str(tmp_path), blocks("question"))
    assert suspects == [] and len(weeks) == 1 and len(without) == 1 and len(delays) == 1 and spikes == []
    assert answers(duckdb, str(tmp_path), blocks("statements")) == [[]]


# --- Athena ----------------------------------------------------------------------------------------

# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html: those of DDL that a column might be called.
RESERVED = set("""all alter array as between case char column conf constraint create current cursor database date day_of_week
    decimal delete describe distinct double drop else end exists external extract false float for from full function grant
    group having import in inner insert int interval into is join lateral left like local macro map more none not null
    numeric of on or order out outer over partition percent preceding primary procedure range reads reduce references
    revoke right rollup row rows select set smallint start table then time timestamp to transform trigger true truncate
    union update user using values varchar when where window with""".split())


def table():
    """Columns of Athena's table in their order, and the path in incident.json that each is from."""
    [text] = blocks("athena")[:1]
    columns = dict(re.findall(r"^  (\w+) (.+?),?$", text.split("PARTITIONED BY")[0], re.M))
    paths = {name: [name] for name in columns}
    for name, path in re.findall(r"'ion\.(\w+)\.path_extractor' = '\(([^)]*)\)'", text):
        assert name in columns, name
        paths[name] = path.split()
    return text, columns, paths


def test_athenas_table_names_what_is_there(made):
    text, columns, paths = table()
    incidents = stored(made)
    assert len(columns) == 16 and not RESERVED & set(columns)
    for name, path in paths.items():
        at = incidents
        for step in path:
            at = [one[step] for one in at if step in one]
        assert at, f"no incident has {path}, of which Athena's {name} is made"
    databases = [database for incident in incidents for database in incident.get("statements", [])]
    for column, there in (
            ("profiles", [profile for incident in incidents for profile in incident["profiles"]]),
            ("databases", databases + [one for database in databases for one in database.get("top", [])])):
        fields = set(re.findall(r"(\w+):", columns[column]))
        assert fields <= set().union(*there) and not RESERVED & fields
    assert dict(re.findall(r"'projection\.(\w+)\.type' = '(\w+)'", text)) == {"service": "enum", "day": "date"}
    location = re.search(r"LOCATION '([^']*)'", text)[1]
    template = re.search(r"'storage\.location\.template' = '([^']*)'", text)[1]
    assert template == location + "service=${service}/date=${day}/"
    assert f"aws s3 sync {BUCKET} {location.rstrip('/')} " in PAGE


TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "double": "DOUBLE",
         "map<string,double>": "MAP(VARCHAR, DOUBLE)"}


def duckdb_type(hive):
    """As json_transform has it: other fields than these are left out, as Athena does."""
    fields = re.fullmatch(r"array<struct<(.*)>>", hive)
    if not fields:
        return TYPES[hive]
    return [{name: duckdb_type(kind) for name, kind in re.findall(r"(\w+):(array<.*>|\w+)", fields[1])}]


def athena_in_duckdb(folder):
    """Athena's table and view as DuckDB can have them."""
    _, columns, paths = table()
    picked = ", ".join(f"""json ->> '$.{".".join(paths[name])}' AS {name}""" if hive == "string" else
                       f"""json_transform(json -> '$.{".".join(paths[name])}',
                           '{json.dumps(duckdb_type(hive))}') AS {name}"""
                       for name, hive in columns.items())
    files = f"read_json_objects('{folder}/service=*/date=*/*/incident.json', hive_partitioning = true)"
    views = "".join(blocks("athena")[1:])
    for theirs, ours in (("transform(", "list_transform("), ("array_min(", "list_min("),
                         ("contains(", "list_contains(")):
        assert theirs in views
        views = views.replace(theirs, ours)
    return ["SET lambda_syntax = 'ENABLE_SINGLE_ARROW'",
            "CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMP)",
            "CREATE MACRO element_at(map, key) AS map[key]",
            "CREATE MACRO approx_percentile(x, p) AS quantile_cont(x, p)",
            f"CREATE TABLE incident_files AS SELECT service, CAST(date AS VARCHAR) AS day, {picked} FROM {files}",
            views]


def test_athenas_view_gives_the_same_answers(duckdb, made):
    questions = blocks("question") + blocks("statements")
    here = answers(duckdb, made, questions)
    there = [rows for [rows] in duckdb(run=athena_in_duckdb(made) + questions)[-len(questions):]]
    assert here == there
    columns = [duckdb(run=made_of + ["DESCRIBE incidents"])[-1][0]
               for made_of in ([over(made, text) for text in blocks("duckdb")], athena_in_duckdb(made))]
    names = [[(row["column_name"], row["column_type"]) for row in view] for view in columns]
    assert names[0] == names[1]
    for name, _ in names[0]:
        assert re.search(rf"^\| .*`{name}`", PAGE, re.M), f"the page does not say what {name} is"


def test_what_needs_the_network_is_parsed(duckdb):
    duckdb(parse=blocks("access"))


def test_every_block_of_sql_is_of_a_kind_that_is_tested():
    kinds = set(re.findall(r"^```(.+)$", PAGE, re.M))
    assert kinds == {"sql access", "sql duckdb", "sql question", "sql statements", "sql metrics", "hive athena", "sql athena"}


def test_the_lock_file_names_no_registry():
    lock = harness.read(os.path.join(HERE, "package-lock.json"))
    assert b'"integrity"' in lock and b'"resolved"' not in lock
