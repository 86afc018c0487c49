"""The image `stakeout`, made as the Dockerfile makes it, by the same scripts and its own last stage, without a Debian of
its own to build in. Its libraries and its program take minutes: run as a program, this makes them beforehand, beside
tests that mostly wait."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("STAKEOUT_BUILD", TREE / "build")) / "image"
SCRIPTS = TREE / "scripts" / "image.d"
SKIPPED = 77


def make_root():
    """The image's root folder, below context/; what is there is made again where its sources have changed."""
    (FOLDER / "context" / "state").mkdir(parents=True, exist_ok=True)
    libraries = FOLDER / "libraries"
    made_by = b"".join((SCRIPTS / name).read_bytes() for name in ("libraries", "openssl-used", "libc-used"))
    stamp = libraries / "made-by"
    if not stamp.exists() or stamp.read_bytes() != made_by:
        subprocess.run([SCRIPTS / "libraries", libraries], check=True)
        stamp.write_bytes(made_by)
    subprocess.run([SCRIPTS / "program", libraries, FOLDER / "program", FOLDER / "context" / "image"], check=True)


def make(podman):
    """Tags it in that podman's storage: $STAKEOUT_IMAGE, as `podman save` has left it, or one that is made here."""
    given = os.environ.get("STAKEOUT_IMAGE")
    if given:
        podman("tag", podman("load", "-i", given).stdout.decode().split()[-1], "stakeout")
        return
    make_root()
    last = (TREE / "Dockerfile").read_text(encoding="utf-8").rsplit("FROM scratch\n", 1)[1]
    recipe = FOLDER / "Dockerfile"
    recipe.write_text("FROM scratch\n" + re.sub(r"--from=build (--chown=\S+ )?/(\S+)", r"\1\2", last), encoding="utf-8")
    podman("build", "--network=host", "-f", str(recipe), "-t", "stakeout", str(FOLDER / "context"))


if __name__ == "__main__":
    if not shutil.which("podman") or os.environ.get("STAKEOUT_IMAGE"):
        sys.exit(SKIPPED)
    os.nice(19)
    make_root()
