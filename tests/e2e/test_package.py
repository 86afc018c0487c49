"""The Debian package: what is in it, and that it installs, is upgraded, removed and purged."""
import glob
import gzip
import hashlib
import os
import shutil
import stat
import subprocess

import pytest

import harness

BUILD = os.environ.get("STAKEOUT_BUILD", "")
CONFIGURATION = "/etc/stakeout/stakeout.yaml"
# Loaded by name, so that no linker knows of them: commands/on_demand.c.
ON_DEMAND = {"libcurl4", "libmicrohttpd12", "libssl3"}


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=300, check=False,
                          env={**harness.clean_environment(), "LC_ALL": "C.UTF-8"}, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    if not os.path.exists(os.path.join(BUILD, "man", "stakeout.1.gz")):
        pytest.skip("this build makes no manual pages, and no package")
    folder = str(tmp_path_factory.mktemp("package"))
    run("cpack", "-G", "DEB", "-B", folder, "--config", os.path.join(BUILD, "CPackConfig.cmake"),
        cwd=BUILD)
    package, = glob.glob(os.path.join(folder, "stakeout_*.deb"))
    return package


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("unpacked"))
    run("dpkg-deb", "-R", package, folder)
    return folder


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def files_of(folder):
    return {os.path.relpath(os.path.join(path, name), folder)
            for path, _, names in os.walk(folder) for name in names}


def test_what_is_loaded_by_name_is_in_depends(package):
    depends = {word.split()[0] for word in field(package, "Depends").split(",")}
    libpq = "libpq" in harness.read(os.path.join(BUILD, "CMakeCache.txt")).decode()
    assert ON_DEMAND | {"libc6", "libjansson4", "libyaml-0-2"} <= depends
    assert "libpq5" in depends or not libpq
    assert field(package, "Package") == "stakeout"
    assert field(package, "Version").startswith(harness.run("--version").stdout.split()[1])


def test_everything_is_in_its_place(unpacked):
    files = files_of(unpacked)
    for path in ("usr/bin/stakeout", "usr/share/man/man1/stakeout.1.gz",
                 "usr/share/man/man5/stakeout.yaml.5.gz", "usr/share/doc/stakeout/README.md",
                 "usr/share/doc/stakeout/copyright", "usr/share/doc/stakeout/changelog.Debian.gz",
                 "usr/lib/systemd/system/stakeout.service", CONFIGURATION[1:]):
        assert path in files
    for page in glob.glob(os.path.join(harness.TREE, "docs", "*.md")):
        assert f"usr/share/doc/stakeout/docs/{os.path.basename(page)}" in files
    for path in files:
        mode = os.lstat(os.path.join(unpacked, path)).st_mode
        runs = path == "usr/bin/stakeout" or path.startswith(("DEBIAN/p",))
        assert stat.S_ISREG(mode) and stat.S_IMODE(mode) == (0o755 if runs else 0o644), path


def test_the_manual_pages_are_good_roff(unpacked):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed (apt-get install groff-base)")
    for page in ("man1/stakeout.1.gz", "man5/stakeout.yaml.5.gz"):
        text = gzip.decompress(harness.read(os.path.join(unpacked, "usr/share/man", page)))
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=text, check=False,
                              capture_output=True, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr.decode()


def test_checksums_and_conffiles_are_right(unpacked):
    sums = dict(reversed(line.split("  ")) for line in
                harness.read(os.path.join(unpacked, "DEBIAN", "md5sums")).decode().splitlines())
    shipped = {path for path in files_of(unpacked) if not path.startswith("DEBIAN/")}
    assert shipped - {CONFIGURATION[1:]} <= set(sums) <= shipped
    for path, expected in sums.items():
        content = harness.read(os.path.join(unpacked, path))
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == expected, path
    conffiles = harness.read(os.path.join(unpacked, "DEBIAN", "conffiles")).decode()
    assert conffiles == f"{CONFIGURATION}\n"


def test_the_program_runs_and_takes_its_configuration(unpacked):
    program = os.path.join(unpacked, "usr/bin/stakeout")
    assert "stakeout" in run(program, "--version")
    printed = run(program, "config", "-c", os.path.join(unpacked, CONFIGURATION[1:]))
    assert "/var/lib/stakeout/captures" in printed
    unit = harness.read(os.path.join(unpacked, "usr/lib/systemd/system/stakeout.service")).decode()
    assert "ExecStart=/usr/bin/stakeout run\n" in unit
    assert "DynamicUser=yes" in unit, "else postinst has to make its user"


def test_it_is_installed_upgraded_removed_and_purged(package, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("not root: dpkg installs nothing")
    root = tmp_path / "root"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/updates").mkdir()
    (root / "var/lib/dpkg/status").touch()

    def dpkg(*arguments):
        run("dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless",
            "--force-confold", f"--log={tmp_path}/log", *arguments)

    configuration = root / CONFIGURATION[1:]
    state = root / "var/lib/private/stakeout"
    dpkg("--install", package)
    assert "service:" in configuration.read_text()
    configuration.write_text("service: mine\n")
    dpkg("--install", package)
    assert configuration.read_text() == "service: mine\n"
    for folder in ("spool", "captures"):
        (state / folder).mkdir(parents=True)
    (root / "var/lib/stakeout").symlink_to("private/stakeout")
    dpkg("--remove", "stakeout")
    assert not (root / "usr/bin/stakeout").exists() and configuration.exists()
    dpkg("--purge", "stakeout")
    assert not configuration.exists()
    assert os.listdir(state) == ["captures"], "incidents stay"
