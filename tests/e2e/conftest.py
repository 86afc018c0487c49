"""Fixtures of the end-to-end tests."""
import contextlib
import os

import pytest

import harness
import storage


@pytest.fixture(scope="session")
def service_binary(tmp_path_factory):
    return harness.build_service(str(tmp_path_factory.mktemp("service")))


@pytest.fixture
def closing():
    """Closes what is registered with it, the newest first."""
    with contextlib.ExitStack() as stack:
        yield lambda thing: stack.enter_context(contextlib.closing(thing))


@pytest.fixture
def start_service(service_binary, closing):
    """Starts services; with cores=... or memory_bytes=... in a cgroup of their own."""
    def start(cores=None, memory_bytes=None, cgroup=None, **flags):
        if cgroup is None and (cores or memory_bytes):
            cgroup = closing(harness.Cgroup(cores, memory_bytes))
        return closing(harness.GoService(service_binary, cgroup, **flags))
    return start


@pytest.fixture
def agent(tmp_path, closing):
    """Makes agents, each with a folder and a configuration of its own; not started."""
    def make(config, name="agent", environment=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return closing(harness.Stakeout(folder, config, environment))
    return make


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("s3") / "server")
    with contextlib.closing(storage.S3Server(folder)) as server:
        yield server


@pytest.fixture
def captures(tmp_path):
    """The folder of the directory exporter."""
    return os.path.join(str(tmp_path), "captures")
