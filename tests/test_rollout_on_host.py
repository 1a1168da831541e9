"""The host's side of a rollout, without a host: files, swaps, users, releases, certificates."""

import ast
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from lab.certificates import Authority
from ops.config.render import render
from ops.counting.collecting.disk import parse_last_reading
from ops.counting.collecting.machine import parse_machine
from ops.model import layout
from ops.servers.on_host import (
    belonging,
    certificates,
    files,
    health,
    hot_users,
    lock,
    network,
    places,
    readings,
    releases,
    transaction,
    users,
)
from ops.servers.on_host.core import LocalApi
from ops.servers.on_host.failure import RolloutError, sentence
from ops.servers.on_host.order import HOT, Order
from ops.servers.on_host.parcel import Parcel
from ops.servers.planning import bundle, look
from ops.servers.planning.look import state_of
from tests import sample

ON_HOST = Path(files.__file__).parent
OLD, NEW, FRESH = "/etc/xray/old", "/etc/xray/new-link", "/etc/xray/fresh"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's file system, for as long as a test."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    for folder in ("/etc/xray", places.STATE, "/run", layout.CORES, "/proc/net"):
        files.at(folder).mkdir(parents=True)
    return tmp_path


def config() -> dict[str, Any]:
    fleet = sample.fleet()
    text: dict[str, Any] = json.loads(render(fleet, sample.host(), sample.secrets(fleet)))
    return text


# The bundle


@pytest.mark.parametrize("file", sorted(ON_HOST.glob("*.py")), ids=lambda file: file.name)
def test_a_host_may_have_an_old_python(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=look.OLDEST)
    names = {n for node in ast.walk(tree) for n in _imports(node)}
    ours = {n for n in names if n.startswith("ops")}
    assert all(n.startswith(("ops.model", "ops.servers.on_host")) for n in ours)
    assert {n.split(".")[0] for n in names - ours} <= sys.stdlib_module_names


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)


def test_a_bundle_is_the_same_bytes_each_time() -> None:
    first = bundle.program()
    bundle.program.cache_clear()
    assert bundle.program() == first


def test_a_bundle_runs_where_nothing_of_ours_is_installed(tmp_path: Path) -> None:
    program = tmp_path / "host.pyz"
    program.write_bytes(bundle.program())
    run = [sys.executable, "-I", "-S", str(program), "state"]
    said = subprocess.run(run, capture_output=True, check=True, cwd="/", text=True).stdout
    assert state_of(said).machine == os.uname().machine


def test_a_bundle_shows_nothing_of_what_it_holds() -> None:
    assert repr(bundle.Bundle(b"secret" * 400)) == "<3 KiB for the host>"


def test_a_parcel_arrives_as_it_was_sent(tmp_path: Path) -> None:
    order = Order(
        host="ams", who="ann@desk", how=HOT, planned_on="", files={"/etc/a": [0o640, "xray"]}
    )
    archive = tmp_path / "set.pyz"
    archive.write_bytes(bundle.parcel(order, {"/etc/a": b"content"}))
    arrived = Parcel(archive)
    assert arrived.order == order
    assert arrived.content("/etc/a") == b"content"


# Files


def test_a_file_is_private_from_its_first_byte() -> None:
    files.write("/etc/xray/secret", b"secret")
    assert files.at("/etc/xray/secret").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_file_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(OLD, b"old")

    def full(handle: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(OLD, b"new")
    assert sentence(caught.value) == f"the disk is full ({OLD}): free some space and run again"
    assert [path.name for path in files.at("/etc/xray").iterdir()] == ["old"]
    assert files.at(OLD).read_bytes() == b"old"


def test_a_digest_tells_files_links_and_nothing_apart() -> None:
    files.write(OLD, b"old")
    files.at(NEW).symlink_to("old")
    assert files.digest(OLD) == hashlib.sha256(b"old").hexdigest()
    assert files.digest(NEW) == "-> old"
    assert files.digest(FRESH) == ""


# The transaction


@pytest.fixture
def before() -> dict[str, str]:
    """A set with a file and a link; FRESH is yet to come."""
    files.write(OLD, b"old")
    files.at(NEW).symlink_to("one")
    return _there()


def _there() -> dict[str, str]:
    found = {path: files.digest(path) for path in (OLD, NEW, FRESH)}
    return found | {p.name: "left over" for p in files.at("/etc/xray").glob("*xray-ops*")}


def _stage() -> list[str]:
    transaction.stage_file(OLD, b"new", 0o640, "root")
    transaction.stage_link(NEW, "two")
    transaction.stage_file(FRESH, b"fresh", 0o600, "root")
    return [OLD, NEW, FRESH]


def test_a_swap_puts_everything_in_place(before: dict[str, str]) -> None:
    paths = _stage()
    transaction.begin(paths)
    for path in paths:
        transaction.switch(path)
    transaction.commit(paths)
    assert files.at(OLD).read_bytes() == b"new"
    assert files.digest(NEW) == "-> two"
    assert not transaction.journal()
    assert set(_there()) == {OLD, NEW, FRESH}


@pytest.mark.parametrize("switched", range(4))
def test_a_swap_left_anywhere_can_be_taken_back_twice(
    before: dict[str, str], switched: int
) -> None:
    paths = _stage()
    transaction.begin(paths)
    for path in paths[:switched]:
        transaction.switch(path)
    for _ in range(2):
        transaction.undo(transaction.journal() or {})
    assert _there() == before


def test_a_swap_left_between_its_link_and_its_rename_can_be_taken_back(
    before: dict[str, str],
) -> None:
    transaction.begin(_stage())
    os.link(files.at(OLD), files.at(OLD + transaction.OLD))
    transaction.undo(transaction.journal() or {})
    assert _there() == before


def test_what_is_no_longer_wanted_goes_and_can_come_back(before: dict[str, str]) -> None:
    transaction.begin([OLD])
    transaction.switch(OLD)
    assert not files.at(OLD).exists()
    transaction.undo(transaction.journal() or {})
    assert _there() == before


# Users


def test_users_are_found_in_every_kind_of_inbound() -> None:
    found = users.of_config(config())
    assert found.keys() == set(sample.KINDS)
    assert all({"alice", "carol"} <= named.keys() for named in found.values())


def test_users_are_no_part_of_the_frame_and_all_else_is() -> None:
    first, second = config(), config()
    second["inbounds"][0]["settings"]["clients"].pop()
    assert users.frame(first) == users.frame(second)
    second["inbounds"][0]["port"] += 1
    assert users.frame(first) != users.frame(second)


def test_fingerprints_give_no_secret_away() -> None:
    held = users.of_config(config())
    shown = json.dumps([users.fingerprints(held), users.inbound_secrets(config())])
    assert not [s for named in held.values() for s in named.values() if s.split()[0] in shown]


class Core(LocalApi):
    """A core that keeps its users in a dict, and may lose what it is told."""

    deaf = False
    there: users.Users = {}  # noqa: RUF012 - set by each test
    said: list[tuple[str, ...]] = []  # noqa: RUF012

    def users(self) -> users.Users:
        return self.there

    def call(self, verb: str, *words: str, patience: int = 3) -> Any:
        self.said.append((verb, *words))
        if verb == "adu":
            added = json.loads(Path(words[0]).read_text())
            assert Path(words[0]).stat().st_mode & 0o777 == 0o600
            for tag, named in users.of_config(added).items():
                self.there[tag] |= named
        else:
            for name in words[1:]:
                self.there[words[0].removeprefix("-tag=")].pop(name)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> type[Core]:
    monkeypatch.setattr(hot_users, "LocalApi", Core)
    Core.there, Core.said = users.of_config(config()), []
    return Core


def test_only_the_users_that_differ_are_touched(core: type[Core]) -> None:
    core.there["ws"]["mallory"] = "stolen"
    core.there["ws"]["alice"] = "before"
    del core.there["trojan"]["carol"]
    hot_users.reconcile(config())
    assert core.there == users.of_config(config())
    assert [said[:2] for said in core.said[:-1]] == [("rmu", "-tag=ws")]
    assert set(core.said[0][2:]) == {"mallory", "alice"}
    assert not files.at(hot_users.ADDED).exists()


def test_a_core_that_has_the_right_users_is_left_alone(core: type[Core]) -> None:
    hot_users.reconcile(config())
    assert core.said == []


def test_a_user_that_differs_is_named() -> None:
    wanted, there = users.of_config(config()), users.of_config(config())
    del there["ss"]["bob@example.com"]
    assert health._same_users(wanted, wanted) == ""
    assert (
        health._same_users(wanted, there) == "the users of the inbound ss differ: bob@example.com"
    )


def test_wanted_ports_are_those_of_the_config() -> None:
    assert {"tcp/443", "tcp/2053", "tcp/8388", "udp/8388"} <= health.wanted_ports(config())


# The lock


def test_a_second_rollout_is_told_who_has_the_host() -> None:
    with (
        lock.held("ann@desk"),
        pytest.raises(RolloutError, match=r"ann@desk, since 20.*run again"),
        lock.held("bob@laptop"),
    ):
        pass
    assert lock.holder() is None
    with lock.held("bob@laptop"):
        assert (lock.holder() or {})["who"] == "bob@laptop"


def test_the_lock_of_a_dead_process_holds_nobody_up() -> None:
    code = f"""
import fcntl, os
handle = os.open({str(files.at(places.LOCK))!r}, os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, {fcntl.LOCK_EX})
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    with lock.held("ann@desk"):
        pass


# Releases


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release's zip."""
    archive = tmp_path / "upload.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("xray", b"program")
        zipped.writestr("geoip.dat", b"addresses")
        zipped.writestr("../../evil", b"evil")
    return archive


def _sum(archive: Path) -> str:
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def test_a_release_that_was_sent_is_unpacked_beside_the_others(
    release: Path, tmp_path: Path
) -> None:
    core = {"sha256": _sum(release), "upload": "/upload.zip", "url": ""}
    assert releases.install(core, tmp_path)
    folder = files.at(releases.folder_of(core["sha256"]))
    assert sorted(path.name for path in folder.iterdir()) == ["geoip.dat", "installed.json", "xray"]
    assert (folder / "xray").stat().st_mode & 0o777 == 0o755
    assert not release.exists()
    assert not releases.install(core, tmp_path)


def test_a_release_is_downloaded_where_that_is_asked(release: Path, tmp_path: Path) -> None:
    core = {"sha256": _sum(release), "upload": "", "url": release.as_uri()}
    assert releases.install(core, tmp_path)


@pytest.mark.parametrize("way", ["upload", "url"])
def test_another_release_than_the_pinned_one_is_not_unpacked(
    release: Path, tmp_path: Path, way: str
) -> None:
    core = {"sha256": "0" * 64, "upload": "", "url": ""}
    core |= {way: "/upload.zip" if way == "upload" else release.as_uri()}
    with pytest.raises(RolloutError, match=r"the inventory pins 0000.*it was not used"):
        releases.install(core, tmp_path)
    assert not list(files.at(layout.CORES).iterdir())


def test_a_download_that_fails_says_what_to_do(tmp_path: Path) -> None:
    core = {"sha256": "0" * 64, "upload": "", "url": "file:///nowhere.zip"}
    with pytest.raises(RolloutError, match=r'cannot download.*fetch = "push"'):
        releases.install(core, tmp_path)


def test_releases_but_two_are_removed() -> None:
    for name in ("a", "b", "c"):
        files.at(f"{layout.CORES}/{name}").mkdir()
    files.at(places.CURRENT).symlink_to("a")
    releases.prune("a", "b")
    assert sorted(p.name for p in files.at(layout.CORES).iterdir()) == ["a", "b", "current"]


# Certificates


@pytest.fixture
def certified(tmp_path: Path) -> certificates.Sources:
    """A host with a certificate of its own."""
    authority = Authority.in_folder(tmp_path)
    _certify(authority, "host")
    return {"ws": ["/etc/host.crt", "/etc/host.key"]}


def _certify(authority: Authority, name: str) -> None:
    issued = authority.issue("ams.example.net")
    files.at(f"/etc/{name}.crt").write_bytes(issued.certificate)
    files.at(f"/etc/{name}.key").write_bytes(issued.key)


def test_a_certificate_is_copied_and_copied_again_when_renewed(
    certified: certificates.Sources, tmp_path: Path
) -> None:
    copy = files.at(f"{layout.CERTIFICATES}/ws.key")
    assert certificates.copy(certified)
    assert copy.stat().st_mode & 0o777 == 0o640
    assert not certificates.copy(certified)
    _certify(Authority.in_folder(tmp_path), "host")
    assert certificates.copy(certified)
    assert copy.read_bytes() == files.at("/etc/host.key").read_bytes()


def test_copies_that_nobody_wants_any_more_go(certified: certificates.Sources) -> None:
    certificates.copy(certified)
    assert certificates.copy({}) is False
    assert not list(files.at(layout.CERTIFICATES).iterdir())


def test_a_certificate_that_is_missing_is_told_with_its_remedy(
    certified: certificates.Sources,
) -> None:
    with pytest.raises(RolloutError, match=r"inbound ws: cannot read /etc/no\.key .*hosts\.toml"):
        certificates.copy({"ws": ["/etc/host.crt", "/etc/no.key"]})


def test_a_certificate_and_another_key_are_refused(
    certified: certificates.Sources, tmp_path: Path
) -> None:
    _certify(Authority.in_folder(tmp_path), "other")
    with pytest.raises(RolloutError, match="no certificate and its private key"):
        certificates.copy({"ws": ["/etc/host.crt", "/etc/other.key"]})
    assert not files.at(layout.CERTIFICATES).exists()


# Readings


def _answers(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    reply = {"stat": [{"name": name} for name in names]}
    monkeypatch.setattr(LocalApi, "call", lambda *_: reply)


def test_a_reading_is_named_by_the_run_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "outbound>>>run-5f>>>traffic>>>uplink", "user>>>a>>>traffic>>>uplink")
    assert readings.take("last") == "5f"
    file = files.at(f"{layout.READINGS}/5f.last.json")
    held = json.loads(file.read_text())
    assert (held["run"], held["kind"], len(held["statsquery"]["stat"])) == ("5f", "last", 2)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_reading_of_no_run_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "user>>>a>>>traffic>>>uplink")
    with pytest.raises(RolloutError, match="names no run"):
        readings.take("last")
    assert not files.at(layout.READINGS).exists()


def test_readings_of_runs_that_ended_long_ago_go() -> None:
    files.folder(layout.READINGS, 0o700)
    for name in ("old.last.json", "now.minute.json", "new.last.json", ".half"):
        files.write(f"{layout.READINGS}/{name}", b"{}")
    for name in ("old.last.json", "now.minute.json", ".half"):
        os.utime(files.at(f"{layout.READINGS}/{name}"), (0, 0))
    readings.prune("now")
    left = sorted(path.name for path in files.at(layout.READINGS).iterdir())
    assert left == ["new.last.json", "now.minute.json"]


def _begins(run: str) -> Path:
    """Have *run* begin as the unit has it; return the file that says so."""
    outbound = {"tag": f"{layout.RUN_PREFIX}{run}", "protocol": "blackhole"}
    files.at(layout.RUNTIME).mkdir(parents=True, exist_ok=True)
    files.write(places.TAIL, json.dumps({"outbounds": [outbound]}).encode())
    files.write(places.STARTED_CONFIG, json.dumps(config()).encode())
    assert readings.begin() == run
    return files.at(f"{layout.READINGS}/{run}.begun.json")


def test_what_says_that_a_run_has_begun_is_a_reading_of_nothing() -> None:
    reading, planned = parse_last_reading(_begins("5f").read_text(), "ams")
    assert (reading.run, reading.users, planned) == ("5f", {}, False)
    assert reading.read_at == reading.counting_since


def test_without_a_run_nothing_begins() -> None:
    with pytest.raises(RolloutError, match="names no run"):
        readings.begin()
    assert not files.at(layout.READINGS).exists()


def test_a_reading_of_a_run_stands_in_for_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, other = _begins("5f"), _begins("60")
    _answers(monkeypatch, "outbound>>>run-5f>>>traffic>>>uplink")
    readings.take("minute")
    assert (begun.exists(), other.exists()) == (False, True)


def test_a_core_that_dies_again_and_again_does_not_fill_the_disk() -> None:
    files.folder(layout.READINGS, 0o700)
    moment = int(time.time()) - 10_000
    for number in range(3 * readings.MOST):
        kind = "last" if number == readings.MOST else "begun"
        name = f"{layout.READINGS}/r{number}.{kind}.json"
        files.write(name, b"{}")
        os.utime(files.at(name), (moment + number, moment + number))
    newest = 3 * readings.MOST - 1
    readings.prune(f"r{newest}")
    left = {path.name.split(".")[0] for path in files.at(layout.READINGS).iterdir()}
    # The first of each row of them is known to last until the next that is known.
    assert left == {"r0", f"r{readings.MOST}", f"r{readings.MOST + 1}", f"r{newest}"}


# The network

FIB_TRIE = """\
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 8.8.4.4
        /32 host LOCAL
     |-- 10.0.0.9
        /32 host LOCAL
     |-- 9.9.9.9
        /32 host BROADCAST
"""
IF_INET6 = """\
20014860486000000000000000008888 02 40 00 80     eth0
20014860486000000000000000009999 02 40 00 01     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
fd000000000000000000000000000001 02 40 00 80     eth0
"""


def test_own_addresses_are_public_and_there_to_stay() -> None:
    files.at("/proc/net/fib_trie").write_text(FIB_TRIE)
    files.at("/proc/net/if_inet6").write_text(IF_INET6)
    assert network.own_addresses() == ["8.8.4.4", "2001:4860:4860::8888"]


@contextmanager
def listening() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_who_holds_a_port_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROOT", Path("/"))
    with listening() as port:
        assert f"tcp/{port}" in network.ports_of(os.getpid())
        held = [one for one in network.listeners(besides=0) if one.port == port]
        assert [one.pid for one in held] == [os.getpid()]
        assert port not in [one.port for one in network.listeners(besides=os.getpid())]


def test_a_host_says_which_runs_were_here_before_its_fleet() -> None:
    files.at(layout.READINGS).mkdir(parents=True)
    files.at(f"{layout.READINGS}/r0.last.json").write_text("{}")
    belonging.claim("f1", belonging.runs())
    files.at(f"{layout.READINGS}/r1.minute.json").write_text("{}")
    belonging.claim("f1", belonging.runs())
    told = parse_machine(files.at(layout.BELONGS).read_text())
    assert told.begun_by("f1", ["r0", "r1"]) == {"r1"}
    assert told.begun_by("another", ["r0", "r1"]) == set()
    belonging.claim("f2", belonging.runs())
    told = parse_machine(files.at(layout.BELONGS).read_text())
    assert told.begun_by("f2", ["r0", "r1", "r2"]) == {"r2"}
