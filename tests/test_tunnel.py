"""ssh to one host: logins, refusals, commands, forwards, jump hosts. The server is asyncssh's."""

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import asyncssh
import pytest
from paramiko import HostKeys

from ops.counting import reading
from ops.counting.tunnel import CommandError, Deadline, Dialer, Line, open_dialer, shown_host_keys
from ops.errors import FleetError, TunnelError
from ops.model import Host
from tests.ssh_server import CLIENT_KEY, World, a_world, an_agent

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    with a_world(tmp_path) as world:
        yield world


def on_line(
    world: World, host: Host, use: Callable[[Line], Awaitable[T]], seconds: float = 30
) -> T:
    """Dial *host*, and return what *use* made of the line."""

    async def run() -> T:
        async with (
            open_dialer(world.fleet) as dialer,
            dialer.dial(host, Deadline.after(seconds)) as line,
        ):
            return await use(line)

    return asyncio.run(run())


async def nothing(line: Line) -> None:
    """Only the line itself is asked about."""


def command(text: str, *, as_root: bool = True) -> Callable[[Line], Awaitable[str]]:
    async def run(line: Line) -> str:
        return await line.run(text, Deadline.after(30), as_root=as_root)

    return run


def refused(world: World, host: Host, seconds: float = 30) -> str:
    """Return why *host* cannot be dialled."""
    with pytest.raises(TunnelError) as caught:
        on_line(world, host, nothing, seconds)
    assert caught.value.host == host.name
    return str(caught.value)


def test_a_command_prints(world: World) -> None:
    server = world.server(answer=lambda command: (0, f"ran {command}\n", ""))
    assert on_line(world, world.host(server.port), command("id")) == "ran id\n"


def test_sudo_is_used_where_ssh_is_not_root(world: World) -> None:
    server = world.server(answer=lambda _: (0, "", ""))
    host = world.host(server.port, user="admin")
    on_line(world, host, command("cat '/etc/xray/config.json'"))
    on_line(world, host, command("id", as_root=False))
    assert server.commands == ["cat '/etc/xray/config.json'", "id"]
    by_sudo, plain = server.words
    assert by_sudo.startswith("env LC_ALL=C sudo -n -- sh -c ")
    assert plain.startswith("sh -c ")


def test_a_failed_command_tells_its_last_words(world: World) -> None:
    server = world.server(answer=lambda _: (1, "", "first\nno such file\n"))
    with pytest.raises(CommandError, match="host0: no such file"):
        on_line(world, world.host(server.port), command("cat x"))


def test_an_unknown_host_key_is_refused_without_a_login(world: World) -> None:
    server = world.server()
    world.known_hosts.write_text("")
    reason = refused(world, world.host(server.port, "fra1"))
    assert reason == (
        "fra1: its host key is not in inventory/known_hosts;"
        " make first contact with `ops hosts trust fra1`"
    )
    assert server.most_open == 0


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_changed_host_key_is_refused(world: World, kind: str) -> None:
    server = world.server()
    other = asyncssh.generate_private_key(kind).export_public_key().decode()
    world.known_hosts.write_text(f"[127.0.0.1]:{server.port} {other}")
    reason = refused(world, world.host(server.port, "fra1"))
    assert "not the one in inventory/known_hosts" in reason
    assert "`ops hosts trust fra1 --replace`" in reason
    assert server.logins == 0


def test_a_revoked_host_key_is_refused(world: World) -> None:
    server = world.server()
    world.trust(f"@revoked {server.known_hosts_line}")
    assert "revoked" in refused(world, world.host(server.port))


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ("\n@cert-authority * KEY\n", 2, "@cert-authority is understood by ops"),
        ("*.example.net KEY\n", 1, "a pattern is understood by ops"),
        ("a.example.net,!b.example.net KEY\n", 1, "a pattern is understood by ops"),
        ("# first\n@revoked a KEY\nb KEY\n", 2, "pyinfra reads no line after @revoked"),
        ("a  KEY\nb KEY\n", 1, "no line after this one"),
        ("a ssh-ed25519 AAAAC\nb KEY\n", 1, "no line after this one"),
    ],
)
def test_a_line_of_known_hosts_that_pyinfra_reads_differently_is_refused(
    world: World, lines: str, line: int, said: str
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    world.known_hosts.write_text(lines.replace("KEY", key.strip()))
    with pytest.raises(FleetError) as caught:
        on_line(world, world.host(22), nothing)
    assert f"known_hosts:{line}: " in str(caught.value)
    assert said in str(caught.value)
    if "," not in lines and "*" not in lines:  # proof: paramiko, as pyinfra uses it
        with contextlib.suppress(Exception):
            (found := HostKeys()).load(str(world.known_hosts))
        assert found.lookup("b") is None


def test_no_key_that_it_accepts(world: World) -> None:
    server = world.server()
    world.client_key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    reason = refused(world, world.host(server.port))
    assert f"127.0.0.1 port {server.port} refuses root with every ssh key" in reason


def test_a_locked_key_says_how_to_unlock_it(world: World) -> None:
    server = world.server()
    key = asyncssh.generate_private_key("ssh-ed25519")
    world.client_key.write_bytes(key.export_private_key(passphrase="secret"))
    assert f"`ssh-add {world.client_key}`" in refused(world, world.host(server.port))


@pytest.fixture
def agent(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[asyncssh.SSHKey]]:
    """Eight keys in OpenSSH's own agent, none of which a server accepts."""
    keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(8)]
    with an_agent(*keys) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        yield keys


def usual_key(world: World) -> Path:
    """Put the key that servers accept where ssh looks for it."""
    file = world.folder / "home" / ".ssh" / "id_ed25519"
    file.write_bytes(CLIENT_KEY.export_private_key())
    return file


def test_a_key_that_the_inventory_names_is_the_only_one_offered(
    world: World, agent: list[asyncssh.SSHKey]
) -> None:
    server = world.server(tries=1)
    on_line(world, world.host(server.port), nothing)


def test_a_key_that_the_ssh_config_names_is_offered_before_those_of_the_agent(
    world: World, agent: list[asyncssh.SSHKey]
) -> None:
    server = world.server(tries=1)
    config = f"Host 127.0.0.1\n IdentityFile {world.client_key}\n"
    (world.folder / "home" / ".ssh" / "config").write_text(config)
    on_line(world, world.host(server.port, key=""), nothing)


def test_of_eight_keys_in_the_agent_that_of_the_usual_file_is_offered_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server(tries=1)
    usual_key(world).with_suffix(".pub").write_bytes(CLIENT_KEY.export_public_key())
    others = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(8))
    with an_agent(*others, CLIENT_KEY) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        on_line(world, world.host(server.port, key=""), nothing)


def test_no_key_is_offered_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server would count both."""
    server, other = world.server(tries=2), asyncssh.generate_private_key("ssh-ed25519")
    world.client_key.write_bytes(other.export_private_key())
    usual_key(world)
    files = f"IdentityFile {world.client_key}\nIdentityFile ~/.ssh/id_ed25519\n"
    (world.folder / "home" / ".ssh" / "config").write_text(files)
    with an_agent(other, CLIENT_KEY) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        on_line(world, world.host(server.port, key=""), nothing)


def test_more_keys_in_the_agent_than_sshd_hears_are_counted_and_the_remedy_named(
    world: World, agent: list[asyncssh.SSHKey]
) -> None:
    server = world.server(tries=6)
    reason = refused(world, world.host(server.port, key=""))
    assert "the ssh agent offers 8 keys, and sshd at 127.0.0.1 port" in reason
    assert "tries 6 or fewer (MaxAuthTries): set ssh_key in hosts.toml" in reason


def test_a_login_that_gave_up_on_the_agent_spoils_no_later_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's answer to the first login never comes; the stand-in passes on all others."""
    host = world.host(world.server().port, key="")
    front, asked = world.folder / "front", []
    monkeypatch.setenv("SSH_AUTH_SOCK", str(front))

    async def run(agent: Path) -> None:
        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(writer)
            if len(asked) > 1:
                behind, before = await asyncio.open_unix_connection(str(agent))
                await asyncio.gather(copied(reader, before), copied(behind, writer))

        async with (
            await asyncio.start_unix_server(pass_on, str(front)),
            open_dialer(world.fleet) as dialer,
        ):
            with pytest.raises(TunnelError, match="did not finish the login in time"):
                async with dialer.dial(host, Deadline.after(0.5)):
                    """The agent is silent."""
            async with dialer.dial(host, Deadline.after(30)):
                """The agent answers."""
            for writer in asked:
                writer.close()

    with an_agent(CLIENT_KEY) as agent:
        asyncio.run(run(agent))


async def copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
    sink.close()


def test_a_known_host_key_of_port_22_is_not_that_of_another_port(world: World) -> None:
    server = world.server()
    world.known_hosts.write_text(
        server.known_hosts_line.replace(f"[127.0.0.1]:{server.port}", "127.0.0.1")
    )
    assert "is not in inventory/known_hosts" in refused(world, world.host(server.port))


def test_first_contact_needs_no_ssh_key(world: World) -> None:
    server = world.server()
    host = world.host(server.port, key=str(world.folder / "not here"))

    async def ask() -> list[str]:
        async with open_dialer(world.fleet) as dialer:
            shown = await shown_host_keys(dialer, host, Deadline.after(30))
            return [key.fingerprint for key in shown]

    assert asyncio.run(ask()) == [server.key.get_fingerprint()]


def test_a_key_that_is_not_there(world: World) -> None:
    server = world.server()
    world.client_key.unlink()
    assert "there is no ssh key at" in refused(world, world.host(server.port))


def test_a_closed_port_is_told_at_once(world: World) -> None:
    server = world.server()
    server.stop()
    assert "cannot be reached: Connection refused" in refused(world, world.host(server.port))


def test_a_name_that_nobody_knows(world: World) -> None:
    world.trust(world.server().known_hosts_line.replace("127.0.0.1", "no.such.host.invalid"))
    host = world.host(int(world.known_hosts.read_text().split("]:")[-1].split()[0]))
    host = world.host(host.ssh.port, "odd", hostname="no.such.host.invalid")
    assert "no.such.host.invalid" in refused(world, host)


def test_a_silent_sshd_ends_at_the_deadline(world: World) -> None:
    host = world.host(world.silent_port())
    assert "its sshd sent nothing in time" in refused(world, host, seconds=0.3)


def test_one_that_greets_and_hangs_ends_at_the_deadline(world: World) -> None:
    with speaking(b"SSH-2.0-Hung\r\n") as port:
        host = world.host(port)
        world.trust(f"[127.0.0.1]:{port} {a_public_key()}")
        assert "did not finish the login" in refused(world, host, seconds=0.3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (b"", "closed the connection before the login"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "closed the connection before the login"),
        (b"SSH-1.5-Old\r\n", "does not speak ssh properly"),
    ],
)
def test_what_is_no_ssh_server_is_told(world: World, words: bytes, told: str) -> None:
    with speaking(words, hang=False) as port:
        world.trust(f"[127.0.0.1]:{port} {a_public_key()}")
        assert told in refused(world, world.host(port))


def test_a_server_that_hangs_up_once_is_dialled_again(world: World) -> None:
    server = world.server(answer=lambda _: (0, "hello", ""))
    server.hang_ups = 2
    assert on_line(world, world.host(server.port), command("hello")) == "hello"
    assert server.hang_ups == 0


def test_a_forward_leads_to_the_api_through_a_private_socket(world: World) -> None:
    with echoing(world.folder / "api") as api:
        server = world.server(api=api)
        for way in ("socket", "inbound"):
            answer, mode = on_line(world, world.host(server.port, api=way), ask_through)
            assert (answer, mode) == (b"echo", 0o700)


def test_a_forward_that_works_is_not_refused(world: World) -> None:
    async def refusal(line: Line) -> str:
        return await line.refusal(Deadline.after(30))

    with echoing(world.folder / "api") as api:
        server = world.server(api=api)
        assert on_line(world, world.host(server.port), refusal) == ""
        server.api = None
        assert on_line(world, world.host(server.port), refusal) != ""


def test_a_line_that_broke_says_so(world: World) -> None:
    server = world.server(answer=lambda _: (0, "", ""))

    async def broken(line: Line) -> None:
        await asyncio.to_thread(server.stop)
        await line.run("id", Deadline.after(30))

    with pytest.raises(TunnelError, match="its ssh connection broke"):
        on_line(world, world.host(server.port), broken)


def test_the_keys_of_a_stranger_are_shown(world: World) -> None:
    server = world.server()
    world.known_hosts.write_text("")
    host = world.host(server.port)

    async def scan() -> list[tuple[str, str]]:
        async with open_dialer(world.fleet) as dialer:
            keys = await shown_host_keys(dialer, host, Deadline.after(30))
            return [(key.line + "\n", key.fingerprint) for key in keys]

    [(line, fingerprint)] = asyncio.run(scan())
    assert line.split()[:3] == server.known_hosts_line.split()[:3]
    assert fingerprint == server.key.get_fingerprint()
    assert server.logins == 0


def test_all_behind_a_jump_host_share_one_connection_to_it(world: World) -> None:
    jump, server = world.server(), world.server(answer=lambda _: (0, "hello", ""))
    hosts = [world.host(server.port, jump=f"root@127.0.0.1:{jump.port}") for _ in range(20)]

    async def all_of_them() -> list[str]:
        async with open_dialer(world.fleet) as dialer:
            return list(await asyncio.gather(*(hello(dialer, host) for host in hosts)))

    assert asyncio.run(all_of_them()) == ["hello"] * 20
    assert (jump.logins, server.logins) == (1, 20)


def test_a_jump_host_may_be_called_like_a_host(world: World) -> None:
    jump, server = world.server(), world.server(answer=lambda _: (0, "hello", ""))
    config = world.folder / "home" / ".ssh" / "config"
    config.write_text(f"Host fra1\n HostName 127.0.0.1\n Port {jump.port}\n User root\n")
    world.trust(jump.known_hosts_line)
    behind = world.host(server.port, "fra1", jump="fra1")
    assert on_line(world, behind, command("hello")) == "hello"
    assert (jump.logins, server.logins) == (1, 1)


def test_the_keys_of_one_behind_a_jump_host_are_shown(world: World) -> None:
    jump, server = world.server(), world.server()
    host = world.host(server.port, jump=f"root@127.0.0.1:{jump.port}")

    async def scan() -> int:
        async with open_dialer(world.fleet) as dialer:
            return len(await shown_host_keys(dialer, host, Deadline.after(30)))

    assert asyncio.run(scan()) == 1


def test_a_jump_host_of_the_ssh_config_can_be_met_by_the_name_that_the_refusal_gives(
    world: World,
) -> None:
    jump, server = world.server(), world.server()
    config = f"Host bastion\n HostName 127.0.0.1\n Port {jump.port}\n"
    config += "Match host far\n HostName 127.0.0.1\n ProxyJump bastion\n"
    (world.folder / "home" / ".ssh" / "config").write_text(config)
    host = world.host(server.port, hostname="far")
    world.known_hosts.write_text(server.known_hosts_line)
    assert "its jump host bastion: its host key is not in" in refused(world, host)
    assert "`ops hosts trust bastion`" in refused(world, host)
    bastion = reading.jump_hosts(world.fleet)["bastion"]
    (shown,) = reading.host_keys(world.fleet, bastion)
    assert shown.line == jump.known_hosts_line.strip()
    world.trust(shown.line)
    on_line(world, host, nothing)


def test_a_jump_host_that_is_down_is_named(world: World) -> None:
    server = world.server()
    server.stop()
    host = world.host(22, "fra1", jump=f"127.0.0.1:{server.port}")
    world.trust("127.0.0.1 " + server.known_hosts_line.split(" ", 1)[1])
    assert "fra1: its jump host 127.0.0.1: " in refused(world, host)


def test_one_that_its_jump_host_cannot_reach(world: World) -> None:
    jump, server = world.server(), world.server()
    server.stop()
    host = world.host(server.port, jump=f"127.0.0.1:{jump.port}")
    assert f"its jump host cannot reach 127.0.0.1 port {server.port}" in refused(world, host)


def test_a_proxy_command_carries_the_connection(world: World) -> None:
    server = world.server(answer=lambda _: (0, "hello", ""))
    relay = world.folder / "relay.py"
    relay.write_text(RELAY)
    config = world.folder / "home" / ".ssh" / "config"
    config.write_text(f"Host 127.0.0.1\n ProxyCommand {sys.executable} {relay} %h %p\n")
    assert on_line(world, world.host(server.port), command("hello")) == "hello"
    assert (world.folder / "relay.py.used").read_text() == f"127.0.0.1 {server.port}"


RELAY = """
import os, socket, sys, threading
open(__file__ + ".used", "w").write(" ".join(sys.argv[1:]))
far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        far.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
"""


@pytest.mark.parametrize("jump", ["a,b", "a:b", "[::1"])
def test_a_jump_host_is_one_place(world: World, jump: str) -> None:
    assert "is not [user@]host[:port]" in refused(world, world.host(22, jump=jump))


async def hello(dialer: Dialer, host: Host) -> str:
    async with dialer.dial(host, Deadline.after(30)) as line:
        return await line.run("hello", Deadline.after(30))


async def ask_through(line: Line) -> tuple[bytes, int]:
    async with line.api_target() as target:
        path = Path(target.removeprefix("unix:"))
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"echo")
        answer = await reader.readexactly(4)
        writer.close()
        await writer.wait_closed()
        mode = path.parent.stat().st_mode & 0o777
    assert not path.exists()
    return answer, mode


def a_public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


@contextlib.contextmanager
def speaking(words: bytes, *, hang: bool = True) -> Iterator[int]:
    """Yield a port where whoever comes hears *words*, and then nothing, or the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = listener.accept()
                visitor.sendall(words)
                if hang:
                    accepted.append(visitor)
                else:
                    visitor.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for visitor in accepted:
            visitor.close()


@contextlib.contextmanager
def echoing(path: Path) -> Iterator[Path]:
    """Yield *path*, where a unix socket sends back what it hears first."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = listener.accept()
                with visitor:
                    visitor.sendall(visitor.recv(100))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
