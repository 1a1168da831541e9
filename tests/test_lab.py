"""The lab's rooms that need no root: addresses, archives, keys, and what payload is made of."""

import asyncio
import hashlib
import io
import os
import re
import socket
import ssl
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from lab import LabError, archive, elf, internet, machine, record, website
from lab.addresses import LOOPBACK, Network, hosts_file
from lab.certificates import Authority
from lab.channel import Channel, TlsChannel
from lab.cli import main
from lab.lab import Lab
from lab.payload import FILLING, Receipt, Request
from lab.ssh import ensure_login_key, fingerprint, make_key_pair
from lab.state import clear, is_locked, locked
from lab.stream import Stream
from lab.waiting import wait_until


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XRAY_OPS_LAB", str(tmp_path / "state"))
    return tmp_path / "state"


def test_labs_have_networks_of_their_own() -> None:
    assert Network(7).block4 == "10.123.7.0/24"
    assert Network(7).host(2) == ("10.123.7.12", "fd0a:7b:7::12")
    assert Network(0).world == ("10.123.0.2", "fd0a:7b::2")


def test_a_hosts_file_has_the_name_that_turns_back() -> None:
    text = hosts_file({"lab1": Network(0).host(1)})
    assert f"127.0.0.1 {LOOPBACK}\n" in text
    assert "10.123.0.11 lab1 lab1.example.net\n" in text


def test_the_demo_is_number_0_and_keeps_its_first_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    first = record.claim("demo", 3)
    monkeypatch.chdir("/")
    again = record.claim("demo", 2)
    assert (again.number, again.count, again.owner) == (0, 3, first.owner)
    assert (first.ours, again.ours) == (False, False)


@pytest.mark.parametrize("name", ["", "Lab", "1st", "a/b", "longer-than-11"])
def test_a_name_no_link_can_carry_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="1 to 11"):
        record.claim(name, 1)


def test_a_transient_lab_is_orphaned_when_nobody_holds_it() -> None:
    lab = record.claim("demo", 1, transient=True)
    with locked(record.alive_file("demo")):
        assert is_locked(record.alive_file("demo"))
        assert not lab.orphaned
    assert lab.orphaned


def test_a_lock_is_on_the_file_that_is_there_and_not_on_a_removed_one(state: Path) -> None:
    place = state / "demo.lock"
    held: list[bool] = []

    def wait() -> None:
        with locked(place) as descriptor:
            held.append(os.path.samestat(os.fstat(descriptor), place.stat()))

    waiting = threading.Thread(target=wait)
    with locked(place) as descriptor:
        waiting.start()
        wait_until(lambda: somebody_waits(descriptor), "somebody waits for the lock")
        place.unlink()
    waiting.join()
    assert held == [True]


def somebody_waits(descriptor: int) -> bool:
    inode = f":{os.fstat(descriptor).st_ino} "
    return any(
        "->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()
    )


def test_clearing_leaves_what_is_not_ours(state: Path) -> None:
    (state / "image").mkdir(parents=True)
    (state / "letters").mkdir()
    clear()
    assert [path.name for path in state.iterdir()] == ["letters"]


def test_a_lab_that_is_not_up_says_how_to_bring_it_up() -> None:
    with pytest.raises(LabError, match="--name mine up"):
        Lab.find("mine")


def test_without_root_one_sentence_says_what_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "make check" in machine.obstacle()


def test_what_never_comes_true_is_named() -> None:
    with pytest.raises(LabError, match="pigs fly"):
        wait_until(lambda: False, "pigs fly", seconds=0)


def test_an_archive_has_the_same_bytes_everywhere() -> None:
    digest = hashlib.sha256(archive.release(b"program")).hexdigest()
    assert digest == "5541e1de5e68fa122a277dda08ad0e79163f17966347c3221ad8ce5c61bacde0"


def test_an_archive_is_shaped_like_the_release() -> None:
    whole = archive.release(b"program")
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert set(opened.namelist()) == {
            "xray",
            "geoip.dat",
            "geosite.dat",
            "LICENSE",
            "README.md",
        }
        assert opened.getinfo("xray").external_attr >> 16 == 0o100755
    assert f"SHA2-256= {hashlib.sha256(whole).hexdigest()}\n" in archive.digests(whole)


def test_a_library_built_otherwise_is_refused() -> None:
    with pytest.raises(LabError, match="x86-64 shared library"):
        elf.program_from_library(b"\x7fELF" + bytes(4096))


def test_a_fingerprint_is_the_one_ssh_prints() -> None:
    known = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert fingerprint(known) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_the_login_key_is_private_and_lasting(tmp_path: Path) -> None:
    key = ensure_login_key(tmp_path / "id")
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert ensure_login_key(key).read_bytes() == before
    assert make_key_pair() != make_key_pair()


def test_a_renewed_certificate_has_a_new_serial_and_may_keep_its_key(authority: Authority) -> None:
    first = authority.issue("lab1.example.net", "10.123.0.11")
    again = authority.issue("lab1.example.net", "10.123.0.11", key=first.key)
    one, two = (x509.load_pem_x509_certificate(c.certificate) for c in (first, again))
    assert one.serial_number != two.serial_number
    assert isinstance(one.public_key(), ec.EllipticCurvePublicKey)
    assert one.public_key() == two.public_key()


def commands() -> list[str]:
    return sorted(main.commands)


@pytest.mark.parametrize("name", commands())
def test_every_command_says_what_it_does_with_an_example(name: str) -> None:
    text = main.commands[name].get_help(click.Context(main.commands[name]))
    assert re.search(rf"Example: python -m lab {name}\b", text)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path)


Ports = tuple[int, int, int]


@pytest.fixture
def world(authority: Authority, tmp_path: Path) -> Iterator[Ports]:
    """The world's servers on this machine: plain payload, payload in TLS, and the web site."""
    issued = authority.issue("localhost")
    for name, content in (("w.crt", issued.certificate), ("w.key", issued.key)):
        (tmp_path / name).write_bytes(content)
    context = internet.tls(str(tmp_path / "w.crt"), str(tmp_path / "w.key"))
    loop = asyncio.new_event_loop()

    async def start() -> list[asyncio.Server]:
        return [
            await asyncio.start_server(internet.move, "127.0.0.1", 0),
            await asyncio.start_server(internet.move, "127.0.0.1", 0, ssl=context),
            await asyncio.start_server(website.answer, "127.0.0.1", 0, ssl=context),
        ]

    servers = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    plain, secure, site = (server.sockets[0].getsockname()[1] for server in servers)
    yield plain, secure, site
    asyncio.run_coroutine_threadsafe(_close(servers), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _close(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    visits = asyncio.all_tasks() - {asyncio.current_task()}
    if visits:
        _, unended = await asyncio.wait(visits, timeout=30)
        assert not unended


def test_both_ends_count_the_same(world: Ports) -> None:
    channel = Channel(socket.create_connection(("127.0.0.1", world[0])))
    channel.send(Request(up=1001, down=70_003, chunk=999).packed())
    channel.send(FILLING[:1001])
    assert len(channel.receive_exactly(70_003)) == 70_003
    assert Receipt.parse(channel.receive_exactly(Receipt.SIZE)) == Receipt(1001, 70_003)
    assert (channel.sent, channel.received) == (32 + 1001, 70_003 + 16)
    channel.close()


def test_inside_tls_the_records_are_counted(world: Ports, authority: Authority) -> None:
    plain = socket.create_connection(("127.0.0.1", world[1]))
    channel = TlsChannel(plain, "localhost", str(authority.certificate))
    channel.send(Request(down=70_003).packed())
    channel.receive_exactly(70_003 + Receipt.SIZE)
    assert 70_003 + Receipt.SIZE < channel.received < 75_000
    channel.close()


def test_a_stranger_is_answered_and_let_go(world: Ports) -> None:
    channel = Channel(socket.create_connection(("127.0.0.1", world[0])))
    channel.send(b"GET / HTTP/1.1\r\nHost: somebody\r\n\r\n".ljust(Request.SIZE))
    assert channel.receive_exactly(1) == b"?"
    channel.close()


def test_a_stream_that_is_dropped_says_so(world: Ports) -> None:
    channel = Channel(socket.create_connection(("127.0.0.1", world[0])))
    channel.send(Request(down=5000).packed())
    stream = Stream(channel)
    wait_until(lambda: stream.received == 5000 + Receipt.SIZE, "the stream's bytes")
    assert stream.alive
    stream.close()
    with pytest.raises(LabError, match="dropped after 5016 bytes"):
        stream.wait_for(1)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_the_web_site_speaks_the_protocol_agreed_on(
    world: Ports, authority: Authority, protocol: str
) -> None:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.set_alpn_protocols([protocol])
    ask = b"GET / HTTP/1.1\r\n\r\n"
    if protocol == "h2":
        headers = bytes([0, 0, 0, 1, 5, 0, 0, 0, 1])
        ask = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + headers
    with (
        socket.create_connection(("127.0.0.1", world[2])) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as session,
    ):
        assert session.version() == "TLSv1.3"
        session.sendall(ask)
        said = b""
        while website.PAGE not in said:
            more = session.recv(4096)
            assert more
            said += more
        session.unwrap()
