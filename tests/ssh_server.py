"""An ssh server in this process: asyncssh's own, so that unit tests need no root and no sshd.

It stands in for a host: its socket /run/xray/api.sock leads to a socket of the test's, and its
shell answers with what the test says. What only OpenSSH's sshd does is tested in the lab.
"""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from ops.model import Core, Fleet, Host, Ssh
from tests import framing
from tests.loopback import until

T = TypeVar("T")
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")
Answer = Callable[[str], tuple[int, str, str]]
"""From a command to its exit status, output and complaint."""


class Loop:
    """An event loop in a thread, as the world outside the code under test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        self.do(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_default_executor()


@dataclass
class SshServer:
    """A server on a loopback port; what it saw is kept."""

    world: Loop
    port: int = 0
    key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    api: Path | None = None
    """Where its API listens really; None refuses to forward, as sshd does."""
    answer: Answer = lambda _: (127, "", "not found")
    hang_ups: int = 0
    """How many of those to come are dropped unheard, as sshd does when it is busy."""
    tries: int = 1000
    """How many keys it hears before it hangs up, as sshd's MaxAuthTries."""
    logins: int = 0
    open: int = 0
    most_open: int = 0
    commands: list[str] = field(default_factory=list)
    """What was run, without the frame around it."""
    words: list[str] = field(default_factory=list)
    """The same, as it was asked for."""
    raw: Callable[[str], bytes] | None = None
    """From a frame's mark to all that a shell without any manners prints instead."""
    raw_complaint: bytes = b""
    """What it prints on stderr before it runs nothing."""
    mute: bool = False
    """Whether it never prints anything."""
    acceptor: Any = None

    @property
    def known_hosts_line(self) -> str:
        public = self.key.export_public_key().decode().strip()
        return f"[127.0.0.1]:{self.port} {public}\n"

    def start(self) -> "SshServer":
        self.acceptor = self.world.do(self._listen())
        self.port = self.acceptor.get_port()
        return self

    def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        self.world.do(self._stop())

    async def _listen(self) -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Session(self),
            server_host_keys=[self.key],
            process_factory=self._run,
            authorized_client_keys=asyncssh.import_authorized_keys(
                CLIENT_KEY.export_public_key().decode()
            ),
            reuse_address=True,
            encoding=None,
        )

    async def _stop(self) -> None:
        self.acceptor.close()
        for connection in list(_Session.alive.get(id(self), ())):
            connection.abort()
        await self.acceptor.wait_closed()

    async def _run(self, process: Any) -> None:
        command, mark = framing.parts(process.command)
        self.words.append(process.command)
        self.commands.append(command)
        if self.mute:
            await process.wait_closed()
            return
        if self.raw_complaint:
            process.stderr.write(self.raw_complaint)
            process.exit(1)
            return
        if self.raw:
            process.stdout.write(self.raw(mark))
            process.exit(0)
            return
        status, output, complaint = self.answer(command)
        if mark:
            process.stdout.write(framing.output(mark, output.encode(), status))
            process.stderr.write(framing.complaint(mark, complaint.encode()))
            process.exit(0)
            return
        process.stdout.write(output.encode())
        process.stderr.write(complaint.encode())
        process.exit(status)


class _Session(asyncssh.SSHServer):
    alive: dict[int, set[Any]] = {}  # noqa: RUF012 (one for all)

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._refused = 0

    def connection_made(self, conn: Any) -> None:
        self._connection = conn
        if self._server.hang_ups:
            self._server.hang_ups -= 1
            conn.abort()
        self.alive.setdefault(id(self._server), set()).add(conn)
        self._server.open += 1
        self._server.most_open = max(self._server.most_open, self._server.open)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive[id(self._server)].discard(self._connection)
        self._server.open -= 1

    def validate_public_key(self, username: str, key: Any) -> bool:
        """Refuse a key that is not authorized; sshd hangs up after the last that it hears."""
        self._refused += 1
        if self._refused >= self._server.tries:
            self._connection.disconnect(
                asyncssh.DISC_PROTOCOL_ERROR, "Too many authentication failures"
            )
        return False

    def public_key_auth_supported(self) -> bool:
        return True

    def auth_completed(self) -> None:
        self._server.logins += 1

    def unix_connection_requested(self, dest_path: str) -> Any:
        assert dest_path == "/run/xray/api.sock"
        return self._forward() if self._server.api else False

    def connection_requested(self, host: str, port: int, orig: str, orig_port: int) -> Any:
        if port == 10085:
            return self._forward() if self._server.api else False
        return True  # it is a jump host

    def _forward(self) -> Any:
        async def pipe(reader: Any, writer: Any) -> None:
            inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._server.api))
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

        return pipe


async def _copy(source: Any, sink: Any) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
        sink.write_eof()
    except (OSError, asyncssh.Error, asyncio.CancelledError):
        pass
    finally:
        sink.close()


@dataclass
class World:
    """A fleet folder, a user's home, and the servers of a test."""

    loop: Loop
    folder: Path
    client_key: Path
    hosts: list[Host] = field(default_factory=list)
    closers: list[Callable[[], object]] = field(default_factory=list)
    runtime: Path = Path()
    """Where the run under test keeps its sockets, and the test the API's."""

    @property
    def fleet(self) -> Fleet:
        return Fleet(folder=self.folder, core=Core(version="1"), hosts=tuple(self.hosts), keys=())

    @property
    def known_hosts(self) -> Path:
        return self.fleet.known_hosts

    def trust(self, line: str) -> None:
        with self.known_hosts.open("a") as file:
            file.write(line)

    def server(self, **changes: Any) -> SshServer:
        """Return a started server that the fleet trusts."""
        server = SshServer(self.loop, **changes).start()
        self.closers.append(server.stop)
        self.trust(server.known_hosts_line)
        return server

    def host(self, port: int, name: str = "", **changes: Any) -> Host:
        """Return a host of the fleet that is reached at *port* of the loopback."""
        name = name or f"host{len(self.hosts)}"
        ssh = {"hostname": "127.0.0.1", "user": "root", "key": str(self.client_key)} | changes
        api = ssh.pop("api", "socket")
        host = Host(name=name, ssh=Ssh(port=port, **ssh), api=api)
        self.hosts.append(host)
        return host

    def silent_port(self) -> int:
        """Return a port that accepts and never says a word, trusted by the fleet."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.closers.append(listener.close)
        port: int = listener.getsockname()[1]
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        self.trust(f"[127.0.0.1]:{port} {key}")
        return port


@contextmanager
def a_world(home: Path) -> Iterator[World]:
    """Yield a world with nothing in it; its servers are gone at the end."""
    loop = Loop()
    (home / "inventory").mkdir()
    (home / "inventory" / "known_hosts").touch()
    client_key = home / "id"
    client_key.write_bytes(CLIENT_KEY.export_private_key())
    world = World(loop, home, client_key)
    try:
        yield world
    finally:
        for close in reversed(world.closers):
            close()
        loop.close()


@contextmanager
def an_agent(*keys: asyncssh.SSHKey) -> Iterator[Path]:
    """Run OpenSSH's agent with *keys*, in their order; yield its socket."""
    with short_folder() as folder:
        path = folder / "agent"
        words = ["ssh-agent", "-D", "-a", str(path)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            try:
                until(lambda: _listens(path), "an ssh agent")
                asyncio.run(_add(path, keys))
                yield path
            finally:
                process.terminate()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


async def _add(path: Path, keys: tuple[asyncssh.SSHKey, ...]) -> None:
    async with asyncssh.SSHAgentClient(str(path)) as agent:
        for key in keys:
            await agent.add_keys([key])


@contextmanager
def short_folder() -> Iterator[Path]:
    """Yield a folder whose path leaves room for the name of a unix socket."""
    folder = tempfile.mkdtemp(prefix="t", dir="/tmp")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)
