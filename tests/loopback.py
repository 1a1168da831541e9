"""Real cores on loopback: a server, its clients, what they want to reach, and their counters."""

import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

DEADLINE = 10.0
"""Seconds that anything here may take."""


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until *condition* holds; fail with *what* once the deadline has passed."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE} s for {what}"
        time.sleep(0.02)


def answers(port: int, address: str = "127.0.0.1") -> bool:
    """Return whether something accepts connections there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(
    core: Path, config: dict[str, Any], place: Path, port: int, **environment: str
) -> Iterator[Path]:
    """Run *core* until the end of the block, from when its *port* answers; give its log.

    Args:
        core: the program.
        config: what it runs.
        place: path of its config and log, but for their endings.
        port: one that it will listen on.
        environment: added to ours.
    """
    file, log = place.with_suffix(".json"), place.with_suffix(".log")
    file.write_text(json.dumps(config))
    command: list[str | Path] = [core, "run", "-c", file]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    try:
        until(lambda: answers(port) or process.poll() is not None, f"{place.name} to start")
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        process.terminate()
        process.wait(DEADLINE)


def api(core: Path, server: str, *words: str | Path) -> Any:
    """Ask the API at *server* through the core's own program; give its JSON, or its text."""
    command = [core, "api", words[0], "-s", server, *words[1:]]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE)
    with suppress(json.JSONDecodeError):
        return json.loads(said.stdout)
    return said.stdout


def counters(core: Path, server: str) -> dict[str, int]:
    """Return every counter of the core whose API is at *server*."""
    found = api(core, server, "statsquery").get("stat", [])
    return {stat["name"]: int(stat.get("value", 0)) for stat in found}


class _Exchange(socketserver.BaseRequestHandler):
    """Take as many bytes as the first eight say, give as many as the next eight say."""

    def handle(self) -> None:
        self.server.reached.append(self.request.getsockname()[0])  # type: ignore[attr-defined]
        with suppress(OSError, struct.error):
            up, down = struct.unpack("!QQ", _exactly(self.request, 16))
            _exactly(self.request, up)
            self.request.sendall(bytes(down))


class _Echo(socketserver.BaseRequestHandler):
    """Send datagrams back."""

    def handle(self) -> None:
        data, answer = self.request
        self.server.reached.append("udp")  # type: ignore[attr-defined]
        answer.sendto(data, self.client_address)


class _TlsSite(socketserver.BaseRequestHandler):
    """A site for REALITY to stand in front of: shakes hands and says nothing."""

    def handle(self) -> None:
        with suppress(OSError):
            context: ssl.SSLContext = self.server.context  # type: ignore[attr-defined]
            with context.wrap_socket(self.request, server_side=True) as site:
                site.recv(1)


class _Tcp(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


class _Udp(socketserver.ThreadingUDPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


class Target:
    """What users want to reach, on every address of this machine; use it as a context manager."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        """The address that each connection came in on, ``udp`` for a datagram."""
        self._tcp = _Tcp(("::", 0), _Exchange)
        self.port: int = self._tcp.server_address[1]
        self._udp = _Udp(("::", self.port), _Echo)
        self._tcp.reached = self._udp.reached = self.reached  # type: ignore[attr-defined]

    def __enter__(self) -> "Target":
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()


@contextmanager
def tls_site(certificate: Path, key: Path) -> Iterator[int]:
    """Serve TLS 1.3 until the end of the block; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.load_cert_chain(certificate, key)
    with _Tcp(("::", 0), _TlsSite) as site:
        site.context = context  # type: ignore[attr-defined]
        threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True).start()
        yield site.server_address[1]
        site.shutdown()


def exchange(socks: int, address: str, port: int, up: int, down: int) -> None:
    """Send *up* bytes to a :class:`Target` through SOCKS and take *down* bytes back."""
    with dialled(socks, address, port) as connection:
        connection.sendall(struct.pack("!QQ", up, down))
        connection.sendall(bytes(up))
        _exactly(connection, down)


@contextmanager
def dialled(socks: int, address: str, port: int) -> Iterator[socket.socket]:
    """Give a connection to *address* (or a name) through the SOCKS server on port *socks*."""
    with socket.create_connection(("127.0.0.1", socks), timeout=DEADLINE) as connection:
        connection.sendall(b"\5\1\0")
        _exactly(connection, 2)
        connection.sendall(b"\5\1\0" + _socks_address(address, port))
        _exactly(connection, 10)
        yield connection


def echoed(socks: int, address: str, port: int, data: bytes, patience: float = DEADLINE) -> bytes:
    """Send a datagram through SOCKS; return what came back, nothing if nothing did in time."""
    with (
        socket.create_connection(("127.0.0.1", socks), timeout=DEADLINE) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        control.sendall(b"\5\1\0")
        _exactly(control, 2)
        control.sendall(b"\5\3\0" + _socks_address("0.0.0.0", 0))  # noqa: S104
        relay = struct.unpack("!H", _exactly(control, 10)[8:])[0]
        header = b"\0\0\0" + _socks_address(address, port)
        datagrams.sendto(header + data, ("127.0.0.1", relay))
        datagrams.settimeout(patience)
        try:
            return datagrams.recv(65536)[-len(data) :]
        except TimeoutError:
            return b""


def _socks_address(address: str, port: int) -> bytes:
    try:
        number = ip_address(address)
    except ValueError:
        return b"\3" + bytes([len(address)]) + address.encode() + struct.pack("!H", port)
    return (b"\1" if number.version == 4 else b"\4") + number.packed + struct.pack("!H", port)


def _exactly(connection: socket.socket, size: int) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        piece = connection.recv(min(size - len(taken), 1 << 16))
        if not piece:
            raise ConnectionResetError(f"closed after {len(taken)} of {size} bytes")
        taken += piece
    return bytes(taken)
