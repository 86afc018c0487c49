"""A real PostgreSQL server of Debian's, and a relay that counts the bytes that pass through it."""
import contextlib
import glob
import os
import pwd
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest


def binaries():
    """The folder with initdb and pgbench of the newest installed version; skips without one."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"),
                   key=lambda path: float(path.split("/")[4]))
    if not found:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    return os.path.dirname(found[-1])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _unprivileged():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    name = "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """One server with a database of its own, on loopback, in a temporary folder; with settings of
    its configuration file, and for who connects over TCP with a password if there is one."""

    def __init__(self, password=None, **settings):
        self.bin = binaries()
        self.port = free_port()
        self.as_user = _unprivileged()
        self.folder = tempfile.mkdtemp(prefix="stakeout-postgres-")
        if self.as_user:
            os.chown(self.folder, self.as_user["user"], self.as_user["group"])
        self.data = os.path.join(self.folder, "data")
        self._run("initdb", "-D", self.data, "-U", "stakeout", "-A", "trust", "--no-sync",
                  "--locale=C", "-E", "UTF8")
        self.options = (f"-h 127.0.0.1 -p {self.port} -k {self.folder} "
                        "-c fsync=off -c shared_buffers=16MB -c max_connections=100")
        self.options += "".join(f" -c {name}={value}" for name, value in settings.items())
        self._start()
        if password:
            self.sql(f"ALTER ROLE stakeout PASSWORD '{password}'")
            with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
                file.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
            self.sql("SELECT pg_reload_conf()")

    def _start(self):
        self._run("pg_ctl", "-D", self.data, "-w", "-o", self.options,
                  "-l", os.path.join(self.folder, "log"), "start")

    def restart(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        self._start()

    def _psql(self, database, pooler=None):
        host, port = ("127.0.0.1", pooler.port) if pooler else (self.folder, self.port)
        return [os.path.join(self.bin, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
                "-h", host, "-p", str(port), "-U", "stakeout", "-d", database]

    def sql(self, text, database="postgres", pooler=None):
        """Runs statements over the server's socket, or through a pooler; what they print."""
        return subprocess.run(self._psql(database, pooler), input=text, text=True, check=True,
                              cwd=self.folder, stdout=subprocess.PIPE).stdout

    @contextlib.contextmanager
    def running(self, text, database="postgres"):
        """Statements that run meanwhile, each of its own, and are ended with the block."""
        session = subprocess.Popen([*self._psql(database), "-c", text], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, PGAPPNAME="held"))
        try:
            yield
        finally:
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                     "application_name = 'held'")
            session.wait()

    def _run(self, program, *arguments):
        subprocess.run([os.path.join(self.bin, program), *arguments], check=True, cwd=self.folder,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **self.as_user)

    def pgbench(self, *arguments, port=None):
        """Runs pgbench over TCP to the server, or to what listens on `port`."""
        subprocess.run([os.path.join(self.bin, "pgbench"), "-h", "127.0.0.1",
                        "-p", str(port or self.port), "-U", "stakeout", *arguments, "postgres"],
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE)

    def close(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)


class Pooler:
    """PgBouncer in transaction mode before a server's database "postgres": all clients, whoever
    they are, share one connection of this role's."""

    def __init__(self, server, role):
        path = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        if not path:
            pytest.skip("PgBouncer is not installed (apt-get install pgbouncer)")
        self.port = free_port()
        settings = os.path.join(server.folder, "pgbouncer.ini")
        with open(settings, "w", encoding="ascii") as file:
            file.write(f"[databases]\npostgres = host={server.folder} port={server.port} user={role}\n"
                       f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
                       "unix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
                       "default_pool_size = 1\n")
        os.chmod(settings, 0o644)
        self.process = subprocess.Popen([path, "-q", settings], cwd=server.folder,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        **server.as_user)

    def close(self):
        self.process.terminate()
        self.process.wait()


class Relay:
    """Passes TCP connections on and counts their payload: `sent` by the clients, `received` by
    them. A thread of its own; the counts are final once the clients have ended."""

    def __init__(self, target_port, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family, backlog=128)
        self.port = self.listener.getsockname()[1]
        self.target_port = target_port
        self.sent = self.received = self.connections = 0
        self.ending = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _accept(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.target_port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self.selector.register(client, selectors.EVENT_READ, (server, True))
        self.selector.register(server, selectors.EVENT_READ, (client, False))

    def _pass(self, end, other, from_client):
        try:
            data = end.recv(65536)
        except ConnectionResetError:
            data = b""
        if data:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                other.sendall(data)
                if not from_client:
                    self.received += len(data)
            if from_client:
                self.sent += len(data)
            return
        for done in (end, other):
            self.selector.unregister(done)
            done.close()

    def _run(self):
        while not self.ending:
            for key, _ in self.selector.select(0.1):
                if key.data is None:
                    self._accept()
                elif key.fileobj.fileno() >= 0:
                    self._pass(key.fileobj, *key.data)

    def close(self):
        self.ending = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
