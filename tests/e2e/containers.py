"""Containers by podman, without an engine that is a service: one network namespace, as a task has it, and images of this
machine's own programs. What is made is below one folder and is gone with it."""
import ctypes
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

import harness
from harness import wait_until

CONFIGURATION = """
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
"""
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}


class Namespace:
    """A network namespace of its own, which this thread and what it starts are in until it is closed."""

    def __init__(self, address=None):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if self.libc.unshare(NEW_NETWORK) != 0:
            os.close(self.before)
            pytest.skip(f"no network namespace can be made here: {os.strerror(ctypes.get_errno())}")
        self.path = f"/proc/{os.getpid()}/task/{os.getpid()}/ns/net"
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        if address:
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)

    def close(self):
        assert self.libc.setns(self.before, NEW_NETWORK) == 0
        os.close(self.before)


class Podman:
    """Its own storage and settings; skips where containers cannot run."""

    def __init__(self, folder):
        for program in ("podman", "ip"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed (scripts/setup container)")
        if os.geteuid() != 0:
            pytest.skip("not root: no container can be limited")
        self.folder = str(folder)
        configuration = os.path.join(self.folder, "containers.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(runtime="runc" if shutil.which("runc") else "crun"))
        self.environment = harness.clean_environment({"CONTAINERS_CONF": configuration})
        # Small images are copied as quickly as they are laid over each other, and that works in a container too.
        self.command = ["podman", "--root", os.path.join(self.folder, "storage"),
                        "--runroot", os.path.join(self.folder, "run"), "--storage-driver", "vfs"]

    def __call__(self, *arguments, check=True, stdin=None):
        done = subprocess.run([*self.command, *arguments], env=self.environment, capture_output=True, check=False,
                              input=stdin, timeout=180, stdin=None if stdin else subprocess.DEVNULL)
        if check and done.returncode != 0:
            pytest.fail(f"podman {' '.join(arguments)}: {done.stderr.decode()}")
        return done

    def import_image(self, name, files=(), links=()):
        """An image of files of this machine, {path in it: path}, and links."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, source in dict(files).items():
                archive.add(source, path)
            for path, target in dict(links).items():
                entry = tarfile.TarInfo(path)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                archive.addfile(entry)
        self("import", "-", name, stdin=packed.getvalue())

    def import_host(self):
        """The image `host`: the programs of this machine."""
        self.import_image("host", links=LINKS)
        return ["-v", "/usr:/usr:ro", "-v", "/etc:/etc:ro"]

    def require(self):
        """Skips unless a container can run at all; needs the image `host`."""
        tried = self("run", "--rm", "--network=none", "--memory=32m", "--cpus=0.5", "-v", "/usr:/usr:ro", "host",
                     "/usr/bin/true", check=False)
        if tried.returncode != 0:
            last = tried.stderr.decode().strip().splitlines()[-1:]
            pytest.skip(f"podman cannot run containers here: {' '.join(last)}")

    def close(self):
        self("rm", "--all", "--force", "--time=0", "--volumes", check=False)
        self("system", "reset", "--force", check=False)


class Container:
    """A running container."""

    def __init__(self, podman, name, image, *options, command=(), namespace=None):
        self.podman, self.name = podman, name
        network = f"--network=ns:{namespace.path}" if namespace else "--network=none"
        podman("run", "--detach", "--name", name, network, *options, image, *command)

    def inspect(self, what):
        return json.loads(self.podman("inspect", "--format", f"{{{{json {what}}}}}", self.name).stdout)

    @property
    def cgroup(self):
        return self.inspect(".State.CgroupPath")

    @property
    def log(self):
        done = self.podman("logs", self.name)
        return (done.stdout + done.stderr).decode(errors="replace")

    def wait_log(self, pattern, timeout_s=60):
        def found():
            return re.search(pattern, self.log)
        return wait_until(found, lambda: f"{pattern!r} in the log:\n{self.log}", timeout_s)

    def run(self, *command):
        """One more process in it."""
        return self.podman("exec", self.name, *command, check=False)

    @property
    def pid(self):
        return self.inspect(".State.Pid")

    def rss_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def wait_exit(self, timeout_s=60):
        """Its exit status, once it has ended by itself."""
        wait_until(lambda: self.inspect(".State.Status") == "exited", f"{self.name} ends", timeout_s)
        return self.inspect(".State.ExitCode")

    def stop(self, timeout_s=30):
        """SIGTERM, as ECS sends it; the exit status."""
        self.podman("stop", f"--time={timeout_s}", self.name)
        return self.inspect(".State.ExitCode")

    def start(self):
        """Once more, with the volumes that it had."""
        self.podman("start", self.name)

    def volume(self, path):
        """Where this machine has the volume that is at this path in it."""
        return next(mount["Source"] for mount in self.inspect(".Mounts") if mount["Destination"] == path)

    def remove(self):
        """With its volumes: a task's storage goes with it."""
        self.podman("rm", "--force", "--time=0", "--volumes", self.name)
