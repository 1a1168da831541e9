"""Runs of the core: how they ended, what is known of them, and when all of it is booked."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from ops.ledger import Ledger, Missing, open_ledger
from ops.ledger.database.migrating import NEWEST, version_of
from ops.ledger.database.schema import runs
from ops.model import Traffic
from tests.ledgers import Books, Clock, Server
from tests.test_ledger import ALWAYS, all_used, kinds, new_server


def crashes_unread(server: Server, books: Books, run: str = "r3") -> None:
    """Let a run begin, serve for 20 seconds and crash, unread."""
    server.start(run)
    server.begin()
    server.use("alice", 1000, 1000)
    books.clock.pass_(seconds=20)


def closed(ledger: Ledger) -> set[str]:
    return set(ledger.closed_runs(["ams1"]).get("ams1", ()))


def unseen(books: Books) -> list[Missing]:
    return [one for one in books.ledger.missing(*ALWAYS) if one.kind == "unseen"]


# Runs that nobody read


def test_pitfall_2_a_run_that_crashed_unread_makes_figures_at_least(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    server.stop()
    began = books.clock.now
    crashes_unread(server, books)
    server.start("r4")
    server.begin()
    books.clock.pass_(seconds=5)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert all_used(books.ledger) == Traffic(11, 21)
    answer = books.ledger.usage(*ALWAYS)
    assert answer.certainty == "at least"
    (crash,) = unseen(books)
    assert (crash.run, crash.since, crash.span) == ("r3", began, timedelta(seconds=20))
    assert books.ledger.verify() == []


def test_a_run_that_was_read_is_not_affected_by_what_says_that_it_began(books: Books) -> None:
    server = new_server(books)
    server.begin()
    books.clock.pass_(seconds=5)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())  # by a round
    server.stop()
    for run in ("r2", "r3"):
        books.clock.pass_(seconds=5)
        server.start(run)
        server.begin()
        books.clock.pass_(seconds=30)
        server.use("alice", 1, 1)
        server.kept = (*server.kept, server.read())  # by the timer
        books.clock.pass_(seconds=7)
    server.start("r4")
    books.clock.pass_(seconds=1)
    books.ledger.book(server.visit())
    assert [(m.kind, m.span.seconds) for m in books.ledger.missing(*ALWAYS)] == [
        ("stop", 0),
        ("crash", 12),
        ("crash", 7),
    ]
    assert all_used(books.ledger) == Traffic(12, 22)


def test_a_run_that_goes_on_unread_is_no_crash(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    server.stop()
    server.start("r2")
    server.begin()
    books.clock.pass_(seconds=9)
    books.ledger.book(server.visit(alive=False))
    assert kinds(books.ledger) == ["stop"]
    assert books.ledger.verify() == []
    server.use("alice", 1, 2)
    assert books.ledger.book(server.visit()).traffic == Traffic(1, 2)
    assert kinds(books.ledger) == ["stop"]


def test_the_longest_crash_is_told_though_the_beginnings_in_between_were_let_go(
    books: Books,
) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    server.stop()
    crashes_unread(server, books, "r3")
    books.clock.pass_(minutes=10)  # of crashes that have no file of their own
    crashes_unread(server, books, "r4")
    server.start("r5")
    books.clock.pass_(seconds=1)
    books.ledger.book(server.visit())
    assert [one.span.seconds for one in unseen(books)] == [620, 20]


def test_what_crashed_before_the_ledger_knew_the_host_is_not_its_business(books: Books) -> None:
    server = Server("ams1", books.clock)
    crashes_unread(server, books)
    server.start("r2")
    server.begin()
    books.clock.pass_(seconds=30)
    books.ledger.book(server.visit(listed=True))
    books.ledger.book(server.visit(listed=True))
    books.clock.pass_(seconds=30)
    server.use("alice", 1, 2)
    books.ledger.book(server.visit(listed=True))
    assert all_used(books.ledger) == Traffic(1, 2)
    assert kinds(books.ledger) == []


def test_pitfall_7_the_beginning_of_an_old_run_is_no_reason_to_bill_it(books: Books) -> None:
    old = Server("ams1", books.clock)
    old.begin()
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    books.ledger.book(old.visit(alive=False, listed=True))
    booked = books.ledger.book(old.visit(listed=True))
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic())


# Runs of which all is booked


def test_a_crashed_run_is_closed_when_the_next_one_is_well_under_way(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.clock.pass_(seconds=1)
    server.keep()
    books.clock.pass_(seconds=9)
    server.start("r2")
    books.clock.pass_(seconds=30)
    books.ledger.book(server.visit(listed=True))
    assert closed(books.ledger) == set()  # the timer may still be writing
    books.clock.pass_(minutes=5)
    books.ledger.book(server.visit())
    assert closed(books.ledger) == set()  # the disk was not looked at
    books.ledger.book(server.visit(listed=True))
    assert closed(books.ledger) == {"r1"}
    assert kinds(books.ledger) == ["crash"]


def test_a_run_that_was_stopped_is_closed_at_once(books: Books) -> None:
    server = new_server(books)
    server.stop()
    server.start("r2")
    books.clock.pass_(seconds=1)
    books.ledger.book(server.visit())
    assert closed(books.ledger) == {"r1"}


def test_a_run_that_lives_is_not_closed_whatever_was_booked_before(books: Books) -> None:
    server = new_server(books)
    server.keep()
    books.ledger.book(server.visit(listed=True))
    books.ledger.store.written(
        lambda tx: tx.execute(runs.update().values(closed=True, ended=runs.c.read))
    )
    books.clock.pass_(minutes=5)
    books.ledger.book(server.visit(listed=True))
    assert closed(books.ledger) == set()
    with books.ledger.store.reading() as tx:
        assert tx.execute(select(runs.c.closed)).scalar_one() is False


def test_what_waits_for_its_adoption_is_not_closed(books: Books) -> None:
    server = Server("ams1", books.clock)
    server.use("alice", 10, 20)
    server.keep()
    books.clock.pass_(minutes=1)
    server.start("r2")
    books.clock.pass_(minutes=5)
    assert books.ledger.book(server.visit(listed=True)).outcome == "needs adoption"
    assert closed(books.ledger) == set()
    booked = books.ledger.book(server.visit(listed=True), adopt="count")
    assert booked.traffic == Traffic(10, 20)
    assert closed(books.ledger) == {"r1"}


def test_a_ledger_from_yesterday_has_closed_nothing_of_today(tmp_path: Path) -> None:
    books = _books(tmp_path)
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    books.ledger.backup(tmp_path / "yesterday.db")
    server.use("alice", 1, 1)
    server.keep()
    server.start("r2")
    books.clock.pass_(minutes=5)
    books.ledger.book(server.visit(listed=True))
    assert closed(books.ledger) == {"r1"}
    with open_ledger(tmp_path / "yesterday.db", clock=books.clock) as yesterday:
        assert closed(yesterday) == set()
        yesterday.book(server.visit(listed=True))
        assert closed(yesterday) == {"r1"}
        assert all_used(yesterday) == all_used(books.ledger) == Traffic(11, 21)


def _books(folder: Path) -> Books:
    clock = Clock()
    where = folder / "ledger.db"
    return Books(open_ledger(where, clock=clock), clock, where)


_SINCE = {
    "ledger": ["told"],
    "hosts": [
        *("machine", "listed_at", "absent", "done", "decision", "total", "earliest"),
        *("address", "addressed", "ruled"),
    ],
    "keys": ["reach_id"],
    "runs": ["closed", "waits", "doubt"],
}
"""The columns that the first form of the ledger lacks."""


def _to_the_first_form(tx: Connection) -> None:
    for table, columns in _SINCE.items():
        for column in columns:
            tx.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in ("reaches", "late", "waiting"):
        tx.exec_driver_sql(f"DROP TABLE {table}")
    tx.exec_driver_sql("UPDATE alembic_version SET version_num = '1'")


def test_a_ledger_of_the_first_form_is_brought_up_to_date(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    server.stop()
    server.start("r2")
    server.use("alice", 1, 1)
    server.keep()
    books.clock.pass_(seconds=1)
    books.ledger.book(server.visit())
    books.ledger.store.written(_to_the_first_form)
    with books.again() as ledger:
        assert ledger.store.read(version_of) == NEWEST
        assert closed(ledger) == {"r1"}
        assert all_used(ledger) == Traffic(11, 21)
        server.start("r3")
        books.clock.pass_(minutes=5)
        ledger.book(server.visit(listed=True))
        assert closed(ledger) == {"r1", "r2"}
        assert ledger.verify() == []
