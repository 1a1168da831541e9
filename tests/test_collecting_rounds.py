"""Rounds that go on, collectors that die, ledgers that are away: nothing is lost or doubled."""

import fcntl
import gc
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import click
import psycopg
import pytest

from ops.cli import cli
from ops.cli.printing.exit_codes import of_round
from ops.counting import collecting
from ops.errors import FleetError
from ops.ledger import Ledger
from ops.ledger import thread as ledger_thread
from ops.model import Traffic
from tests.collectors import Core, Fleet, a_fleet, known_host, run_called
from tests.postgres import AbsentError, database, running

A, B = map(run_called, "ab")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with a_fleet(tmp_path, monkeypatch) as fleet:
        yield fleet


@pytest.fixture
def host(fleet: Fleet) -> Core:
    return known_host(fleet)


OPS = [sys.executable, "-m", "ops"]


@contextmanager
def started(fleet: Fleet, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Type ``ops collect`` and go on; it is gone at the end."""
    fleet.write()
    process = subprocess.Popen(
        [*OPS, "collect", *words],
        cwd=fleet.world.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def held(fleet: Fleet) -> Iterator[None]:
    """Hold the ledger's write lock, as a backup or a slow disk would."""
    with closing(_shared(fleet.ledger_file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def _shared(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)


def test_lines_stay_open_and_the_disk_is_read_when_the_run_changed(
    fleet: Fleet, host: Core
) -> None:
    with fleet.rounds() as rounds:
        for up in (1, 10, 100):
            host.use("alice", up, 0)
            assert next(rounds).booked == Traffic(up, 0)
        assert len(host.server.commands) == 1
        host.restart(B)
        host.use("alice", 1000, 0)
        assert next(rounds).booked == Traffic(1000, 0)
    assert host.server.logins == 2  # the fixture's round, and one for all of these
    assert len(host.server.commands) == 3


def test_a_line_that_broke_is_dialled_anew(fleet: Fleet, host: Core) -> None:
    with fleet.rounds() as rounds:
        next(rounds)
        host.server.stop()
        host.use("alice", 1, 2)
        assert of_round(next(rounds)) == 4
        host.server.start()
        assert next(rounds).booked == Traffic(1, 2)


def test_a_core_that_comes_back_is_read_again(fleet: Fleet, host: Core) -> None:
    way = host.server.api
    with fleet.rounds() as rounds:
        next(rounds)
        host.use("alice", 1, 2)
        host.keep("last")
        host.server.api = None
        host.server.stop()
        host.server.start()
        assert next(rounds).booked == Traffic(1, 2)
        host.restart(B)
        host.use("alice", 10, 20)
        host.server.api = way
        assert next(rounds).booked == Traffic(10, 20)


def test_a_host_that_is_new_in_the_files_is_read_from_the_next_round(
    fleet: Fleet, host: Core
) -> None:
    with fleet.rounds() as rounds:
        assert next(rounds).read == ("ams",)
        fleet.core("fra", run=B)
        fleet.write()
        assert next(rounds).read == ("ams", "fra")


def test_files_that_are_wrong_are_not_followed(fleet: Fleet, host: Core) -> None:
    with fleet.rounds() as rounds:
        next(rounds)
        (fleet.world.folder / "inventory" / "keys.toml").write_text("[keys.alice]\nx = 1\n")
        outcome = next(rounds)
    assert outcome.read == ("ams",)
    assert "the fleet's files are wrong" in outcome.warnings[0]
    with pytest.raises(FleetError):
        collecting.Roster(fleet.world.folder).targets()


def test_pitfall_4_killed_between_reading_and_booking(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    with ExitStack() as locked, started(fleet) as process:
        host.stats.answered = lambda: locked.enter_context(held(fleet))
        until(lambda: host.stats.calls.count("QueryStats") > 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        host.stats.answered = lambda: None
    assert fleet.usage() == Traffic()
    host.use("alice", 1, 1)
    fleet.collect()
    assert fleet.usage() == Traffic(101, 201)


def test_pitfall_22_a_ledger_that_is_held_for_a_while_is_waited_for(
    fleet: Fleet, host: Core
) -> None:
    host.use("alice", 100, 200)
    with ExitStack() as locked, started(fleet, "--json") as process:
        host.stats.answered = lambda: locked.enter_context(held(fleet))
        until(lambda: host.stats.calls.count("QueryStats") > 1)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        locked.close()
        output, _ = process.communicate(timeout=60)
    assert json.loads(output)["booked"] == {"uplink_bytes": 100, "downlink_bytes": 200}
    assert process.returncode == 0


def test_a_ledger_that_is_held_too_long_is_told_and_nothing_is_lost(
    fleet: Fleet, host: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_thread, "PATIENCE", 1.0)
    host.use("alice", 100, 200)
    with fleet.rounds(deadline=1.0) as rounds:
        next(rounds)
        host.use("alice", 1, 1)
        with held(fleet):
            outcome = next(rounds)
            assert (of_round(outcome), outcome.read) == (1, ("ams",))
            assert "database is locked" in outcome.ledger_error
        host.use("alice", 10, 10)
        assert not next(rounds).ledger_error
    assert fleet.usage() == Traffic(111, 211)


def test_what_was_read_while_the_ledger_was_away_outlives_a_crash_of_the_core(
    fleet: Fleet, host: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_thread, "PATIENCE", 1.0)
    with fleet.rounds(deadline=1.0) as rounds:
        next(rounds)
        host.use("alice", 100, 200)
        with held(fleet):
            assert next(rounds).ledger_error
        host.restart(B, planned=False)
        host.use("alice", 1, 2)
        assert not next(rounds).ledger_error
    assert fleet.usage() == Traffic(101, 202)


def test_a_full_disk_is_told_and_nothing_is_lost(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    with closing(sqlite3.connect(fleet.ledger_file)) as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
    # SQLite's own word for a full disk; the limit holds for one connection only.
    script = (
        "import sqlalchemy.event as e, ops.ledger.database.engine as o; "
        f"o._PRAGMAS = (*o._PRAGMAS, 'max_page_count={pages}'); "
        "from ops.cli import main; import sys; sys.argv = ['ops', 'collect']; main()"
    )
    for key in range(400):
        host.use(f"key{key}", 1, 1)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=fleet.world.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "full" in done.stderr) == (1, True), done.stderr
    assert fleet.usage() == Traffic()
    fleet.collect()
    assert fleet.usage() == Traffic(100, 200)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_running_transaction(
    fleet: Fleet, host: Core, number: signal.Signals
) -> None:
    host.use("alice", 1, 1)
    with started(fleet, "--every", "0.05s") as process:
        assert process.stdout
        assert "1 of 1 host read, 1 B up, 1 B down booked" in process.stdout.readline()
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert "Traceback" not in output
    assert fleet.usage() == Traffic(1, 1)


def test_a_signal_ends_a_round_that_waits_for_its_ledger(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    with ExitStack() as locked, started(fleet) as process:
        host.stats.answered = lambda: locked.enter_context(held(fleet))
        until(lambda: host.stats.calls.count("QueryStats") > 1)
        process.send_signal(signal.SIGTERM)
        locked.close()
        assert process.wait(60) == 143
    assert fleet.usage() in (Traffic(), Traffic(100, 200))


def test_a_second_collector_stands_by_and_takes_over(fleet: Fleet, host: Core) -> None:
    with started(fleet, "--every", "0.1s") as first:
        assert first.stdout
        first.stdout.readline()
        with started(fleet, "--every", "0.1s") as second:
            assert second.stdout
            assert "another collector reads 1 host;" in second.stdout.readline()
            first.kill()
            assert "1 of 1 host read" in second.stdout.readline()
    fleet.collect()


def test_a_single_round_beside_a_collector_has_nothing_to_do(fleet: Fleet, host: Core) -> None:
    lock = fleet.ledger_file.with_name("ledger.db.collector")
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        outcome = fleet.collect(deadline=0.5)
    assert (outcome.elsewhere, outcome.asked, of_round(outcome)) == (1, 0, 0)
    assert host.stats.calls.count("QueryStats") == 1  # the fixture's


@pytest.mark.postgres
def test_collectors_share_the_hosts_and_a_dead_ones_are_taken_over(
    fleet: Fleet, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = [fleet.core(name, run=run_called(name)) for name in "abcd"]
    with database(postgres, "shared") as url:
        monkeypatch.setenv("OPS_LEDGER", url)
        with started(fleet, "--every", "0.1s", "--json") as first:
            assert first.stdout
            assert json.loads(first.stdout.readline())["asked"] == 4
            with started(fleet, "--every", "0.1s", "--json") as second:
                assert second.stdout
                lines = map(json.loads, second.stdout)
                next(line for line in lines if (line["asked"], line["elsewhere"]) == (2, 2))
                first.kill()
                first.wait()
                next(line for line in lines if line["asked"] == 4)
                for one in cores:
                    one.use("alice", 1, 10)
                booked = 0
                for line in lines:
                    booked += line["booked"]["downlink_bytes"]
                    if booked >= 40:
                        break
                assert booked == 40
        fleet.collect()


@pytest.mark.postgres
def test_a_database_that_was_restarted_costs_no_round(
    fleet: Fleet, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = fleet.core()
    with database(postgres, "restarted") as url:
        monkeypatch.setenv("OPS_LEDGER", url)
        with fleet.rounds() as rounds:
            next(rounds)
            host.use("alice", 1, 2)
            with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as admin:
                # What a restart does to those who are connected.
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = 'restarted'"
                )
            assert next(rounds).booked == Traffic(1, 2)


@pytest.mark.postgres
def test_a_database_that_hangs_ends_a_round_and_costs_no_byte(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_thread, "PATIENCE", 1.0)
    host = fleet.core()
    try:
        server = running()
        url = server.__enter__()
    except AbsentError as error:
        pytest.skip(str(error))
    try:
        monkeypatch.setenv("OPS_LEDGER", url)
        postmaster = _postmaster(url)
        with fleet.rounds(deadline=5.0) as rounds:
            next(rounds)
            host.use("alice", 1, 2)
            with _stopped(postmaster):
                outcome = next(rounds)
                assert "gave no answer" in outcome.ledger_error
                assert of_round(outcome) == 1
            host.use("alice", 10, 20)
            booked = Traffic()
            while booked != Traffic(11, 22):
                booked += next(rounds).booked
    finally:
        server.__exit__(None, None, None)


def _postmaster(url: str) -> int:
    folder = Path(url.split("host=")[1])
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def _stopped(postmaster: int) -> Iterator[None]:
    """Stop a database and all its processes, as a machine does that hangs."""
    listed = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    processes = [postmaster, *map(int, listed)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a_ledger_that_cannot_be_reached_is_told(
    fleet: Fleet, host: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_thread, "PATIENCE", 1.0)
    monkeypatch.setenv("OPS_LEDGER", "postgresql+psycopg://ops@127.0.0.1:1/none")
    outcome = fleet.collect(deadline=0.5)
    assert (of_round(outcome), outcome.read) == (1, ())
    assert "refused" in outcome.ledger_error


def test_the_command_says_a_line_a_round(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.world.folder)
    host.use("alice", 1024, 3 << 20)
    fleet.world.host(1, "gone")
    fleet.write()
    code = cli(["collect"], standalone_mode=False)
    shown = capsys.readouterr()
    assert code == 3
    assert "1 of 2 hosts read, 1.0 KiB up, 3.0 MiB down booked in" in shown.out
    assert shown.err.startswith("gone: its host key is not in inventory/known_hosts")


@pytest.mark.parametrize("words", [["--every", "0s"], ["--every", "soon"], ["--adopt", "maybe"]])
def test_nonsense_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        cli(["collect", *words], standalone_mode=False)


def test_quiet_says_only_what_is_wrong(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.world.folder)
    cli(["collect", "--quiet"], standalone_mode=False)
    assert capsys.readouterr() == ("", "")


def test_the_long_run_keeps_nothing(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    with fleet.rounds() as rounds:
        for _ in range(20):
            next(rounds)
        tracemalloc.start()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            next(rounds)
        gc.collect()  # what is left for it to find is not kept, only found late
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown < 200_000


def test_a_bug_in_the_booking_is_shown_and_not_waited_for(
    fleet: Fleet, host: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Ledger, "book_all", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        fleet.collect()


def test_a_decision_holds_while_another_collector_reads_the_hosts(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.world.folder)
    host = fleet.core()
    host.use("alice", 100, 200)
    with fleet.rounds() as rounds:
        assert of_round(next(rounds)) == 1  # it waits for a decision, and holds the lease
        code = cli(["collect", "--adopt", "count", "--timeout", "1"], standalone_mode=False)
        shown = capsys.readouterr().out
        assert (code, "100 B up and 200 B down" in shown) == (0, True)
        assert of_round(next(rounds)) == 0
    assert fleet.usage() == Traffic(100, 200)


def test_a_decision_about_a_host_that_does_not_answer_says_what_it_waits_for(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.world.folder)
    fleet.world.host(1, "gone")
    fleet.write()
    words = ["collect", "--adopt", "count", "--host", "gone", "--timeout", "1"]
    assert cli(words, standalone_mode=False) != 0
    assert "gone: it was not read yet; the decision is stored" in capsys.readouterr().err
    cli(["ledger", "status", "--json"], standalone_mode=False)
    told = {
        state["host"]: state["decision"] for state in json.loads(capsys.readouterr().out)["hosts"]
    }
    assert told == {"ams": None, "gone": "count"}
    cli(["ledger", "status"], standalone_mode=False)
    assert "decided: count, at the first reading" in " ".join(capsys.readouterr().out.split())


def test_a_decision_for_hosts_that_nobody_named_is_not_stored_for_one_never_read(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.world.folder)
    host = fleet.core()
    host.use("alice", 100, 200)
    fleet.world.host(1, "gone")
    fleet.write()
    cli(["collect", "--adopt", "count", "--timeout", "1"], standalone_mode=False)
    assert "100 B up and 200 B down" in capsys.readouterr().out
    with fleet.ledger() as ledger:
        assert {state.name: state.decision for state in ledger.hosts()} == {"ams": "", "gone": ""}


def test_an_absent_host_is_read_until_nothing_is_left_to_fetch(fleet: Fleet, host: Core) -> None:
    host.use("alice", 10, 10)
    fleet.collect()
    host.use("alice", 5, 5)
    host.keep("last")
    host.leave()
    fleet.absent = ("ams",)
    done = fleet.collect()
    assert (of_round(done), fleet.usage()) == (0, Traffic(15, 15))
    assert "can be deleted from hosts.toml" in done.notes[0]
    with fleet.ledger() as ledger:
        assert ledger.hosts()[0].done is not None
    assert fleet.collect().asked == 0
