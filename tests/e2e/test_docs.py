"""What the documentation shows is true: configurations are valid, commands and messages exist, links lead somewhere."""
import glob
import json
import os
import re
import shlex

import pytest

import harness

PAGES = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md",
         *sorted(os.path.relpath(path, harness.TREE)
                 for path in glob.glob(os.path.join(harness.TREE, "docs", "*.md")))]
# What a fragment of a configuration gets when it lacks it.
FRAME = {
    "service": "service: games\n",
    "app": 'app: {debug: "http://localhost:6060/debug/pprof"}\n',
    "export": "export: {directory: /captures}\n",
}


def text_of(page):
    return harness.read(os.path.join(harness.TREE, page)).decode()


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.S | re.M)


def keys_of(block):
    return set(re.findall(r"^([a-z_]+):", block, re.M))


def framed(block):
    """The block with what a whole file needs."""
    keys = keys_of(block)
    have = keys | ({"app"} if "apps" in keys else set())
    text = block + "".join(line for key, line in FRAME.items() if key not in have)
    if "database" not in keys and re.search(r"\bdb\.", block):
        text += 'database: {endpoint: "db.internal:5432"}\n'
    return text


@pytest.fixture(scope="module")
def known_keys():
    return set(json.loads(harness.run("config", "--schema").stdout)["properties"])


@pytest.mark.parametrize("page", PAGES)
def test_every_configuration_is_valid(page, known_keys, tmp_path):
    if page == "CONTRIBUTING.md":
        pytest.skip("its configuration is of kinds that test_contributing adds")
    for block in blocks(page, "ya?ml"):
        if not keys_of(block) & known_keys:
            continue  # another program's
        file = tmp_path / "stakeout.yaml"
        file.write_text(framed(block))
        secrets = {name: "a-secret" for name in re.findall(r"\$\{([A-Z_]+)\}", block)}
        printed = harness.run("config", "-c", str(file),
                              environment=harness.clean_environment(secrets))
        assert printed.returncode == 0, f"{page}:\n{block}\n{printed.stderr}"


def anchors_of(page):
    """As GitHub makes them of headings: https://github.com/gjtorikian/html-pipeline."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text_of(page), flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", re.sub(r"```.*?```", "", text_of(page), flags=re.S)):
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert os.path.exists(os.path.join(harness.TREE, path)), f"{page}: {target}"
        assert not anchor or anchor in anchors_of(path), f"{page}: {target}"


@pytest.fixture(scope="module")
def help_of_commands():
    usage = harness.run("--help").stdout
    names = re.findall(r"^  (\w+) +\w", usage, re.M)
    return {name: harness.run(name, "-h").stdout for name in names}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_exists(page, help_of_commands):
    text = text_of(page)
    lines = [*re.findall(r"^(?:    |\$ )(?:build/)?stakeout (.*)$", text, re.M),
             *re.findall(r"`(?:build/)?stakeout ([^`]*)`", text)]
    for line in lines:
        words = re.split(r"\s+", line.split(" #")[0].split(";")[0].split("|")[0].strip())
        name, options = words[0], [word.split("=")[0] for word in words[1:] if word.startswith("--")]
        if not re.fullmatch("[a-z]+", name) or name in ("watches",):
            continue
        assert name in help_of_commands, f"{page}: stakeout {line}"
        for option in options:
            assert option in help_of_commands[name] or option == "--", f"{page}: stakeout {line}"


def configurations_and_sessions(page):
    """Each console block with the configuration that is the last above it, and the first of the page."""
    found = re.findall(r"^```(yaml|console)\n(.*?)^```", text_of(page), re.S | re.M)
    frame, current = found[0][1], None
    for language, block in found[1:]:
        if language == "yaml":
            current = block
        else:
            yield frame + current, block


def shown(expected, lines):
    """Whether all lines are there in this order; "..." stands for any, also at a line's end."""
    rest = iter(lines)
    for line in expected:
        if line == "...":
            continue
        if line.endswith("..."):
            assert any(actual.startswith(line[:-3]) for actual in rest), line
        else:
            assert any(actual.rstrip() == line for actual in rest), line


def test_the_replays_of_the_trigger_page_say_what_it_says(tmp_path):
    file = tmp_path / "stakeout.yaml"
    sessions = 0
    for configuration, session in configurations_and_sessions("docs/triggers.md"):
        file.write_text(configuration)
        for part in re.split(r"^\$ stakeout ", session, flags=re.M)[1:]:
            command, *expected = part.rstrip("\n").split("\n")
            name, *arguments = shlex.split(command)
            assert "games.yaml" in arguments, command
            arguments = [str(file) if argument == "games.yaml" else argument for argument in arguments]
            result = harness.run(name, *arguments, cwd=harness.TREE)
            assert result.returncode == 0, f"{command}\n{configuration}{result.stderr}"
            shown(expected, (result.stdout + result.stderr).split("\n"))
            sessions += 1
    assert sessions >= 8


def string_literals():
    """All of the program's texts, neighbours joined as the compiler joins them."""
    texts = []
    literal = r'"((?:[^"\\\n]|\\.)*)"'
    for folder in ("agent", "commands", "config", "core", "exporters", "review", "sources", "triggers"):
        for path in glob.glob(os.path.join(harness.TREE, folder, "**", "*.c"), recursive=True):
            source = harness.read(path).decode()
            for match in re.finditer(rf"(?:{literal}\s*)+", source):
                parts = re.findall(literal, match.group(0))
                texts.append("".join(parts).replace('\\"', '"').replace("%%", "%"))
    return texts


def test_every_message_of_the_troubleshooting_page_exists():
    literals = string_literals()
    page = text_of("docs/troubleshooting.md")
    messages = [cell for table in re.findall(r"^\| it says \|.*?(?=\n\n)", page, re.S | re.M)
                for cell in re.findall(r"^\| `([^`]+)` \|", table, re.M)]
    assert len(messages) > 30
    for message in messages:
        parts = [part.strip() for part in re.split(r"\b(?:[A-Z]{2,}|N)\b(?! is set)", message)]
        parts = [part for part in parts if len(part) > 3]
        pattern = re.compile(".*".join(map(re.escape, parts)), re.S)
        assert any(pattern.search(text) for text in literals), f"no such message: {message} {parts}"
