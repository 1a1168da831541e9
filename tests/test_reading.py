"""Many hosts, one deadline: rounds, fallbacks, watches, and how a run ends."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.counting import reading
from ops.errors import ApiError
from ops.model import Reading, Traffic
from tests.ssh_server import SshServer, World, a_world, short_folder
from tests.stats_server import COUNTERS, RUN, Stats, serving

ALICE = Traffic(100, 2_000_000_000_000)
PRINTED = (
    '{"stat": ['
    + ", ".join(f'{{"name": "{name}", "value": "{value}"}}' for name, value in COUNTERS.items())
    + ']}\n{"Uptime": 5}\n'
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with short_folder() as runtime, a_world(tmp_path) as world:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        world.runtime = runtime
        yield world
        assert [path.name for path in runtime.glob("xray-ops/*")] in ([], ["lock"])


@pytest.fixture
def stats(world: World) -> Iterator[Stats]:
    stats = Stats()
    with serving(world.runtime / "api", stats):
        yield stats


@pytest.fixture
def server(world: World, stats: Stats) -> SshServer:
    """A server whose API answers."""
    return world.server(api=world.runtime / "api")


def read(world: World, deadline: float = 30) -> reading.Round:
    return reading.read_hosts(world.fleet, world.hosts, deadline=deadline)


def test_a_round_has_every_host_in_order(world: World, server: SshServer) -> None:
    for _ in range(30):
        world.host(server.port)
    answer = read(world)
    assert answer.failures == ()
    assert [found.host for found in answer.readings] == [host.name for host in world.hosts]
    assert all(found.users["alice"] == ALICE for found in answer.readings)


def test_one_dead_host_costs_its_own_line(world: World, server: SshServer) -> None:
    world.host(server.port, "good")
    world.host(world.silent_port(), "hung")
    world.host(1, "unknown")
    answer = read(world, deadline=2)
    assert [found.host for found in answer.readings] == ["good"]
    assert [failure.host for failure in answer.failures] == ["hung", "unknown"]


def test_hung_hosts_end_together_and_delay_nobody(world: World, server: SshServer) -> None:
    hung = world.silent_port()
    for number in range(150):
        world.host(hung, f"hung{number}")
    world.host(server.port, "good")
    ended: list[str] = []
    answer = reading.read_hosts(
        world.fleet, world.hosts, deadline=4, progress=lambda host, _: ended.append(host.name)
    )
    assert [found.host for found in answer.readings] == ["good"]  # though last in the queue
    assert len(answer.failures) == 150
    assert ended[0] == "good"


def test_no_host_is_no_round(world: World) -> None:
    assert read(world) == reading.Round(readings=(), failures=())


def test_a_port_is_read_like_a_socket(world: World, server: SshServer) -> None:
    world.host(server.port, api="inbound")
    [found] = read(world).readings
    assert (found.way, found.users["alice"]) == ("port", ALICE)


def test_where_nothing_is_forwarded_the_host_reads_itself(world: World) -> None:
    server = world.server(answer=lambda _: (0, PRINTED, ""))
    world.host(server.port, user="admin")
    [found] = read(world).readings
    assert (found.way, found.run, found.users["alice"]) == ("exec", RUN, ALICE)
    assert "sudo -n -- sh -c " in server.words[0]


def test_where_the_core_is_down_both_ways_say_so(world: World) -> None:
    world.host(world.server(answer=lambda _: (1, "", "failed to dial x")).port)
    [failure] = read(world).failures
    assert isinstance(failure, ApiError)
    assert "its core is not running" in str(failure)


def test_a_silent_api_ends_at_the_deadline(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(world.runtime / "api"))
        silent.listen()
        world.host(world.server(api=world.runtime / "api").port)
        [failure] = read(world, deadline=0.5).failures
    assert "its API gave no answer in time" in str(failure)


def test_a_watch_keeps_its_lines(world: World, server: SshServer, stats: Stats) -> None:
    world.host(server.port)
    rounds = reading.watch(world.fleet, world.hosts, every=0, deadline=30)
    failures = [next(rounds).failures for _ in range(3)]
    rounds.close()
    assert server.logins == 1
    assert stats.calls.count("GetSysStats") == 1
    assert failures == [()] * 3


def test_a_watch_dials_anew_what_broke(world: World, server: SshServer) -> None:
    world.host(server.port)
    rounds = reading.watch(world.fleet, world.hosts, every=0, deadline=30)
    assert next(rounds).readings
    server.stop()
    assert next(rounds).failures
    server.start()
    assert next(rounds).readings
    rounds.close()
    assert server.logins == 2


def test_a_watch_keeps_to_the_way_that_works(world: World) -> None:
    server = world.server(answer=lambda _: (0, PRINTED, ""))
    world.host(server.port)
    rounds = reading.watch(world.fleet, world.hosts, every=0, deadline=30)
    assert [next(rounds).readings[0].way for _ in range(3)] == ["exec"] * 3
    rounds.close()
    assert server.logins == 1


def test_an_inspection_tells_core_and_reading(world: World, server: SshServer) -> None:
    server.answer = lambda _: (0, "Xray 26.10.10 (Xray, Penetrates Everything.)\nmore\n", "")
    world.host(server.port)
    found = reading.inspect_hosts(world.fleet, world.hosts, deadline=30).results["host0"]
    assert found.core == "26.10.10"
    assert isinstance(found.reading, Reading)


def test_a_host_without_a_core_is_inspected(world: World) -> None:
    world.host(world.server().port)
    found = reading.inspect_hosts(world.fleet, world.hosts, deadline=30).results["host0"]
    assert found.core == ""
    assert "not found" in str(found.reading)


def test_a_command_runs_on_each(world: World) -> None:
    world.host(world.server(answer=lambda _: (0, "hello\n", "")).port, "good")
    world.host(world.server(answer=lambda _: (1, "", "no")).port, "bad")
    outcome = reading.run_on_hosts(world.fleet, world.hosts, "hi", deadline=30)
    assert outcome.results == {"good": "hello\n"}
    assert [str(failure) for failure in outcome.failures] == ["bad: no"]


def test_host_keys_are_shown(world: World) -> None:
    server = world.server()
    [key] = reading.host_keys(world.fleet, world.host(server.port), deadline=30)
    assert key.fingerprint == server.key.get_fingerprint()


def test_ssh_and_grpc_are_imported_only_to_read() -> None:
    heavy = "{'asyncssh', 'grpc', 'asyncio'}"
    script = f"import sys, ops.counting.reading; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


SCRIPT = """
import contextlib, sys, time
from pathlib import Path
from ops.counting import reading
from ops.model import Core, Fleet, Host, Ssh

host = Host(name="hung", ssh=Ssh(hostname="127.0.0.1", port=int(sys.argv[2]), key=sys.argv[3]))
fleet = Fleet(folder=Path(sys.argv[1]), core=Core(version="1"), hosts=(host,), keys=())
if sys.argv[4] == "once":
    reading.read_hosts(fleet, fleet.hosts, deadline=60)
with contextlib.closing(reading.watch(fleet, fleet.hosts, every=1, deadline=0.1)) as rounds:
    next(rounds)
    print("between two rounds", flush=True)
    time.sleep(60)
"""


def start(world: World, kind: str) -> subprocess.Popen[str]:
    """Start a run against a silent host, and return once it holds its private folder."""
    words = [str(world.folder), str(world.silent_port()), str(world.client_key), kind]
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if kind == "watch":
        assert run.stdout
        run.stdout.readline()
    end = time.monotonic() + 30
    while not list(world.runtime.glob("xray-ops/*/alive")):
        assert time.monotonic() < end
        time.sleep(0.01)
    return run


@pytest.mark.parametrize("kind", ["once", "watch"])
@pytest.mark.parametrize(
    ("number", "status", "left"),
    [(signal.SIGINT, -signal.SIGINT, 0), (signal.SIGTERM, 143, 0), (signal.SIGKILL, -9, 1)],
)
def test_a_run_that_is_ended_cleans_up(
    world: World, number: signal.Signals, status: int, left: int, kind: str
) -> None:
    with start(world, kind) as run:
        run.send_signal(number)
        assert run.wait(30) == status
    assert len(list(world.runtime.glob("xray-ops/*/alive"))) == left
    read(world)  # sweeps what is left
