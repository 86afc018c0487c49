"""Podman with storage of its own, and its Docker-compatible socket."""
import contextlib
import os
import shutil
import subprocess
import tarfile

import pytest

from harness import free_port, wait_until

CONTAINERS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
"""
STORAGE = """[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


class Podman:
    """An engine that has one image, with one program; skips where there can be none."""

    def __init__(self, folder, program):
        for needed in ("podman", "runc"):
            if not shutil.which(needed):
                pytest.skip(f"{needed} is not installed (apt-get install podman runc)")
        if os.geteuid() != 0:
            pytest.skip("not root: containers cannot have limits")
        self.folder, self.names, self.service = str(folder), [], None
        self.environment = dict(os.environ, TMPDIR=self.folder)
        for variable, name, text in (("CONTAINERS_CONF", "containers.conf", CONTAINERS),
                                     ("CONTAINERS_STORAGE_CONF", "storage.conf", STORAGE)):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(text.format(folder=self.folder) if "{folder}" in text else text)
            self.environment[variable] = path
        self.socket = os.path.join(self.folder, "engine.sock")
        try:
            self._import(program)
            self.service = subprocess.Popen(
                ["podman", "system", "service", "--time=0", f"unix://{self.socket}"],
                env=self.environment, stderr=subprocess.DEVNULL)
            wait_until(lambda: os.path.exists(self.socket), "the engine's socket is there")
        except BaseException:
            self.close()
            raise

    def _import(self, program):
        image = os.path.join(self.folder, "image.tar")
        with tarfile.open(image, "w") as archive:
            archive.add(program, "program")
        made = subprocess.run(["podman", "import", image, "localhost/program:1"], check=False,
                              env=self.environment, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"podman cannot import an image here: {made.stderr.strip()}")

    def __call__(self, *arguments):
        return subprocess.run(["podman", *arguments], check=True, env=self.environment,
                              capture_output=True, text=True).stdout.strip()

    def run(self, *options, arguments=()):
        """Starts a container of the program in the background; its name."""
        name = f"stakeout-e2e-{os.getpid()}-{free_port()}"
        self.names.append(name)
        try:
            self("run", "-d", "--name", name, *options, "localhost/program:1", "/program",
                 *arguments)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"podman cannot run a container here: {error.stderr.strip()}")
        return name

    def pid(self, name):
        return int(self("inspect", "-f", "{{.State.Pid}}", name))

    def close(self):
        for name in self.names:
            with contextlib.suppress(subprocess.CalledProcessError):
                self("rm", "-f", "-t", "0", name)
        if self.service:
            self.service.terminate()
            self.service.wait()
