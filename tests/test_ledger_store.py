"""The database under the ledger: shared, killed, full, moved, copied, of another form."""

import json
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select

from ops.errors import LedgerError
from ops.fleet import inventory
from ops.ledger import open_ledger
from ops.ledger.booking.entries import Entries
from ops.ledger.database import schema
from ops.ledger.database.engine import url_of
from ops.ledger.database.migrating import NEWEST
from ops.ledger.database.schema import metadata
from ops.model import Traffic
from tests import fleets
from tests.ledgers import Books, Clock, Server
from tests.test_ledger import ALWAYS, all_used, new_server

ROOT = Path(__file__).parent.parent
BOOK = """
import sys
from datetime import datetime, timedelta, UTC
from ops.ledger import open_ledger
from ops.model import Observation, Reading, Traffic
where, count = sys.argv[1], int(sys.argv[2])
began = datetime(2026, 11, 22, 12, tzinfo=UTC)
with open_ledger(where, clock=lambda: began + timedelta(hours=2)) as ledger:
    print("open", flush=True)
    for step in range(1, count + 1):
        users = {f"key{number}": Traffic(step, 2 * step) for number in range(50)}
        read = began + timedelta(seconds=step)
        reading = Reading(host="ams1", run="r1", read_at=read, counting_since=began, users=users)
        ledger.book(Observation(host="ams1", now=reading))
"""


def booking(books: Books, count: int) -> "subprocess.Popen[str]":
    """Start a program that books *count* readings of 50 keys; the last says what all say."""
    where = books.where if isinstance(books.where, str) else f"sqlite:///{books.where}"
    program = subprocess.Popen(
        [sys.executable, "-c", BOOK, where, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stdout.readline() == "open\n"
    return program


def booked(books: Books) -> Traffic:
    return all_used(books.ledger)


@contextmanager
def known(books: Books) -> Iterator[None]:
    books.clock.pass_(seconds=-1)
    books.ledger.enrol(["ams1"], [])
    books.clock.pass_(hours=1)
    yield
    assert books.ledger.verify() == []


def test_pitfall_4_killed_anywhere_nothing_is_lost_or_doubled(books: Books) -> None:
    with known(books):
        for attempt in range(6):
            program = booking(books, 100_000)
            # Not to be safe: the moment of its death is the test's variable.
            time.sleep(0.03 * attempt)
            program.kill()
            program.communicate()
            assert books.ledger.verify() == []
            total = booked(books)
            assert total.downlink == 2 * total.uplink
            assert total.uplink % 50 == 0  # each reading whole or not at all
        with booking(books, 200) as program:
            program.communicate()
        highest = max(200, booked(books).uplink // 50)
        assert booked(books) == Traffic(50 * highest, 100 * highest)


def test_pitfall_22_collectors_that_book_the_same_at_once_book_it_once(books: Books) -> None:
    with known(books):
        programs = [booking(books, 30) for _ in range(3)]
        for program in programs:
            program.communicate()
            assert program.returncode == 0
        assert booked(books) == Traffic(50 * 30, 100 * 30)


def test_pitfall_22_a_database_that_is_held_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    clock = Clock()
    with open_ledger(path, clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
        server = Server("ams1", clock)
        server.use("alice", 1, 2)
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(1.5, other.rollback).start()
            assert ledger.book(server.visit()).traffic == Traffic(1, 2)


def test_pitfall_22_patience_ends_with_a_sentence_and_nothing_is_booked(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    clock = Clock()
    with open_ledger(path, clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
    with open_ledger(path, clock=clock, patience=0.1) as ledger:
        server = Server("ams1", clock)
        server.use("alice", 1, 2)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="Nothing is lost"):
                ledger.book(server.visit())
            other.rollback()
        assert ledger.book(server.visit()).traffic == Traffic(1, 2)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    with open_ledger(tmp_path / "ledger.db", clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
        clock.pass_(seconds=1)
        server = Server("ams1", clock)
        server.use("alice", 1, 2)
        ledger.book(server.visit())
        for number in range(5000):
            server.use(f"somebody-{number}", 1, 1)
        with ledger.store.reading() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(LedgerError, match="full"):
            ledger.book(server.visit())
        assert all_used(ledger) == Traffic(1, 2)
        with ledger.store.reading() as tx:
            tx.exec_driver_sql("PRAGMA max_page_count=1073741823")
        ledger.book(server.visit())
        assert all_used(ledger) == Traffic(5001, 5002)
        assert ledger.verify() == []


def test_a_connection_that_breaks_while_it_books_is_made_anew(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    if books.ledger.store.is_sqlite:
        pytest.skip("SQLite has no connections that break")
    server = new_server(books)
    server.use("alice", 1, 1)
    write, breaks = Entries.write, [True, True]

    def broken(self: Entries, tx: Connection) -> None:
        write(self, tx)
        if breaks and breaks.pop():
            tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(Entries, "write", broken)
    assert books.ledger.book(server.visit()).traffic == Traffic(1, 1)
    assert breaks == []
    assert all_used(books.ledger) == Traffic(1, 1)


def test_a_server_that_is_away_is_told_in_a_sentence() -> None:
    with pytest.raises(LedgerError, match="the ledger's database says"):
        open_ledger("postgresql+psycopg://ops@/ledger?host=/nowhere", patience=0.1)


def test_an_export_is_the_whole_ledger_and_can_be_taken_in(books: Books, tmp_path: Path) -> None:
    server = new_server(books)
    for step in range(5):
        books.clock.pass_(hours=9)
        server.use("alice", 1, 2)
        server.use("bob", 2**50, step)
        server.stop()
        books.ledger.book(server.visit())
        server.start(f"run{step}")
    books.ledger.mark("alice")
    lines = list(books.ledger.export())
    assert json.loads(lines[0]) == {"format": "xray-ops ledger", "version": NEWEST, "zone": "UTC"}
    with open_ledger(tmp_path / "other.db", clock=books.clock) as other:
        assert other.import_(lines) == json.loads(lines[-1])["rows"]
        assert list(other.export()) == lines
        assert other.verify() == []
        assert other.usage(*ALWAYS, by=["key", "day"]).rows == tuple(
            books.ledger.usage(*ALWAYS, by=["key", "day"]).rows
        )
        server.use("carol", 1, 1)
        other.book(server.visit())  # new numbers go on after those that were taken in
        with pytest.raises(LedgerError, match="not empty"):
            other.import_(lines)


def test_what_was_taken_in_goes_on_in_either_database(books: Books, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "first.db", clock=books.clock) as first:
        first.enrol(["ams1"], ["alice"])
        books.clock.pass_(seconds=1)
        server = Server("ams1", books.clock)
        server.use("alice", 1, 1)
        first.book(server.visit())
        books.ledger.import_(first.export())
    server.use("alice", 1, 1)
    server.use("dora", 1, 1)
    assert books.ledger.book(server.visit()).traffic == Traffic(2, 2)
    books.ledger.enrol(["ams1", "fra1"], ["alice", "dora", "eve"])
    books.ledger.mark("eve")
    assert books.ledger.verify() == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda lines: lines[1:], "no export"),
        (lambda lines: lines[:-1], "not whole"),
        (lambda lines: [line for line in lines if "alice" not in line], "not whole"),
        (lambda lines: [*lines[:4], "{", *lines[4:]], "line 5 is no JSON"),
        (lambda lines: [lines[0], '{"table": "x", "columns": []}', *lines[1:]], "no such table"),
        (lambda lines: [*lines[:3], "[1]", *lines[3:]], "fits no table"),
        (lambda lines: [lines[0].replace(f'"{NEWEST}"', '"99"'), *lines[1:]], "has form 99"),
        (lambda lines: [lines[0].replace("UTC", "Asia/Tokyo"), *lines[1:]], "in Asia/Tokyo"),
    ],
)
def test_a_spoilt_export_changes_nothing(
    books: Books, tmp_path: Path, spoil: Callable[[list[str]], list[str]], complaint: str
) -> None:
    with open_ledger(tmp_path / "first.db") as first:
        first.enrol(["ams1", "fra1"], ["alice"])
        lines = list(first.export())
    with pytest.raises(LedgerError, match=complaint):
        books.ledger.import_(spoil(lines))
    assert books.ledger.hosts() == []


def test_a_backup_is_a_ledger_and_one_of_yesterday_catches_up(tmp_path: Path) -> None:
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    clock = Clock()
    with open_ledger(path, clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
        clock.pass_(seconds=1)
        server = Server("ams1", clock)
        server.use("alice", 1, 1)
        ledger.book(server.visit())
        ledger.backup(copy)
        with pytest.raises(LedgerError, match="already"):
            ledger.backup(copy)
        for run in ("r2", "r3", "r4"):
            server.use("alice", 5, 5)
            server.stop()
            clock.pass_(hours=8)
            server.start(run)
            ledger.book(server.visit())
        server.use("alice", 1, 1)
        ledger.book(server.visit())
        wanted = all_used(ledger)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with open_ledger(copy, clock=clock) as restored:
        assert all_used(restored) == Traffic(1, 1)
        restored.book(server.visit())
        assert all_used(restored) == wanted
        assert restored.verify() == []


def test_postgres_has_a_tool_of_its_own_for_backups(books: Books, tmp_path: Path) -> None:
    if not books.ledger.store.is_sqlite:
        with pytest.raises(LedgerError, match="pg_dump"):
            books.ledger.backup(tmp_path / "x")


def test_the_file_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    with open_ledger(path) as ledger:
        ledger.enrol(["ams1"], [])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_migrations_come_to_the_schema_that_the_program_knows(books: Books) -> None:
    with books.ledger.store.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        version = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    assert version == NEWEST


def test_a_ledger_of_a_newer_program_is_refused(books: Books) -> None:
    books.ledger.store.written(
        lambda tx: tx.exec_driver_sql("UPDATE alembic_version SET version_num = '99'")
    )
    with pytest.raises(LedgerError, match="update ops"):
        books.again()


def test_opening_to_read_makes_nothing(books: Books, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="`ops collect` begins it"):
        open_ledger(tmp_path / "none" / "ledger.db", make=False)
    assert not (tmp_path / "none").exists()


def test_where_the_ledger_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fleets.write(tmp_path / "a")
    monkeypatch.delenv("OPS_LEDGER", raising=False)
    assert url_of(inventory.load(folder)).database == str(folder / "state" / "ledger.db")
    more = '\n    [ledger]\n    url = "postgresql://ops@db.example.net/x"\n'
    fleet = inventory.load(fleets.write(tmp_path / "b", more=more))
    assert str(url_of(fleet)) == "postgresql+psycopg://ops@db.example.net/x"
    monkeypatch.setenv("OPS_LEDGER", "sqlite:////tmp/x.db")
    assert url_of(fleet).database == "/tmp/x.db"
    for wrong in ("mysql://x/y", "nonsense", "sqlite://"):
        with pytest.raises(LedgerError):
            url_of(wrong)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE months SET up = up + 1", "hold"),
        ("UPDATE counters SET down = down - 1", "its runs counted"),
        ("UPDATE hours SET up = 0 - up", "below zero"),
        ("UPDATE runs SET ended = NULL WHERE identity = 'r1'", "neither alive nor ended"),
        ("DELETE FROM fives", "its runs counted"),
    ],
)
def test_verify_finds_what_does_not_add_up(books: Books, damage: str, found: str) -> None:
    server = new_server(books)
    server.use("alice", 5, 5)
    books.ledger.book(server.visit())
    server.start("r2")
    books.clock.pass_(hours=1)
    server.use("alice", 5, 5)
    books.ledger.book(server.visit())
    assert books.ledger.verify() == []
    books.ledger.store.written(lambda tx: tx.exec_driver_sql(damage))
    assert any(found in fault for fault in books.ledger.verify())


def test_one_collector_at_a_time_on_sqlite_and_shares_on_postgres(books: Books) -> None:
    hosts = [f"host{number}" for number in range(10)]
    with books.ledger.lease() as first, books.again() as other, other.lease() as second:
        assert first.take(hosts) == set(hosts)
        mine = second.take(hosts)
        if books.ledger.store.is_sqlite:
            assert mine == frozenset()
        else:
            assert len(first.take(hosts)) == 5
            theirs = second.take(hosts)
            assert theirs | first.take(hosts) == set(hosts)
            assert not theirs & first.take(hosts)
        first.__exit__(None, None, None)
        assert second.take(hosts) == set(hosts)


def test_a_collector_that_is_killed_lets_go(books: Books) -> None:
    hosts = ["a", "b"]
    where = books.where if isinstance(books.where, str) else f"sqlite:///{books.where}"
    hold = (
        "import sys\nfrom ops.ledger import open_ledger\n"
        "lease = open_ledger(sys.argv[1]).lease()\n"
        "print(len(lease.take(['a', 'b'])), flush=True)\nsys.stdin.read()"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", hold, where],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stdout.readline() == "2\n"
    with books.ledger.lease() as lease:
        assert lease.take(hosts) == frozenset()
        program.kill()
        program.communicate()
        until = time.monotonic() + 10
        while lease.take(hosts) != set(hosts):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_rounds_that_bring_nothing_new_to_name_add_no_rows(tmp_path: Path) -> None:
    clock = Clock()
    with open_ledger(tmp_path / "ledger.db", clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
        clock.pass_(seconds=1)
        server = Server("ams1", clock)
        for _ in range(200):
            server.use("alice", 1, 1)
            clock.pass_(seconds=1)
            ledger.book(server.visit())
        with ledger.store.reading() as tx:
            tables = (schema.fives, schema.gaps, schema.runs, schema.counters)
            counts = [tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]
        assert counts == [1, 0, 1, 1]
