"""Marks: a reset for people, exactly once, and nothing is zeroed."""

from datetime import timedelta

from ops.model import Traffic
from tests.ledgers import Books
from tests.test_ledger import ALWAYS, all_used, new_server


def since_reset(books: Books) -> dict[str, tuple[int, str]]:
    rows = books.ledger.usage_since_marks().rows
    return {row.key: (row.traffic.total, row.certainty) for row in rows}


def test_pitfall_18_a_mark_counts_from_0_and_history_stays(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    mark = books.ledger.mark("alice")
    assert (mark.before, mark.after) == (Traffic(10, 10), Traffic())
    books.clock.pass_(seconds=30)
    server.use("alice", 1, 2)
    books.ledger.book(server.visit())
    assert since_reset(books) == {"alice": (3, "exact")}
    assert all_used(books.ledger, "alice") == Traffic(11, 12)


def test_pitfall_18_a_mark_is_set_once_however_often_it_is_sent(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.ledger.mark("alice", token="order-1")
    books.clock.pass_(seconds=1)
    server.use("alice", 5, 5)
    books.ledger.book(server.visit())
    books.ledger.mark("alice", token="order-1")
    assert len(books.ledger.marks()) == 1
    assert since_reset(books)["alice"][0] == 10


def test_pitfall_18_what_an_offline_host_read_before_the_mark_stays_before_it(
    books: Books,
) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.clock.pass_(minutes=5)
    server.use("alice", 100, 100)
    server.stop()  # a reading of five minutes later is on its disk, and nobody can reach it
    books.clock.pass_(minutes=5)
    mark = books.ledger.mark("alice")
    assert mark.counted_from == books.clock.now - timedelta(minutes=10)
    books.clock.pass_(minutes=5)
    server.start("r2")
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert since_reset(books)["alice"][0] == 2
    assert books.ledger.marks()[0].before == Traffic(110, 110)
    assert all_used(books.ledger) == Traffic(111, 111)


def test_pitfall_18_what_an_offline_host_counts_is_included_later_and_never_comes_back(
    books: Books,
) -> None:
    home, away = new_server(books, "ams1", "r1"), new_server(books, "fra1", "r2")
    for server in (home, away):
        server.use("alice", 10, 10)
        books.ledger.book(server.visit())
    books.ledger.mark("alice")
    away.use("alice", 4, 4)
    for _ in range(3):
        books.clock.pass_(seconds=30)
        books.ledger.book(home.visit())
    assert since_reset(books)["alice"][0] == 0
    books.ledger.book(away.visit())
    books.ledger.book(away.visit())
    assert since_reset(books)["alice"][0] == 8


def test_pitfall_9_a_reset_leaves_look_alikes_untouched(books: Books) -> None:
    server = new_server(books)
    names = ("bob", "bob2", "abob", "b", "bo_", "bob.x", "bob~2")
    for name in names:
        server.use(name, 1, 1)
    books.ledger.book(server.visit())
    books.ledger.mark("bob")
    books.clock.pass_(seconds=1)
    for name in names:
        server.use(name, 2, 2)
    books.ledger.book(server.visit())
    assert {mark.key: mark.after.total for mark in books.ledger.marks()} == {"bob": 8}
    assert all_used(books.ledger, "bob2") == Traffic(3, 3)


def test_marks_hold_when_the_clock_is_set_back(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.clock.pass_(seconds=30)
    books.ledger.mark("alice")
    server.use("alice", 1, 1)
    books.clock.pass_(seconds=30)
    books.ledger.book(server.visit())
    books.clock.pass_(days=-3)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert books.ledger.marks()[0].after == Traffic(2, 2)


def test_a_key_that_used_nothing_can_be_reset(books: Books) -> None:
    assert books.ledger.mark("nobody-yet").before == Traffic()
    server = new_server(books)
    server.use("nobody-yet", 1, 0)
    books.ledger.book(server.visit())
    assert since_reset(books) == {"nobody-yet": (1, "exact")}


def test_a_mark_sees_what_others_book_meanwhile_once(books: Books) -> None:
    server = new_server(books)
    with books.again() as other:
        for _ in range(10):
            server.use("alice", 1, 1)
            books.clock.pass_(seconds=1)
            other.book(server.visit())
            books.ledger.mark("alice")
    marks = books.ledger.marks(["alice"])
    assert [mark.before.total for mark in marks] == list(range(2, 22, 2))


def test_a_key_that_is_back_when_it_is_marked_counts_from_0_in_its_later_life(
    books: Books,
) -> None:
    books.ledger.enrol(["ams1"], ["alice"])
    server = new_server(books)
    books.ledger.enrol(["ams1"], ["alice"])
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.ledger.enrol(["ams1"], [])
    books.clock.pass_(minutes=4)
    books.ledger.book(server.visit())
    books.ledger.mark("alice")  # the inventory has her again, and no round has told so yet
    books.clock.pass_(minutes=1)
    books.ledger.enrol(["ams1"], ["alice"])
    server.use("alice", 1, 2)
    books.clock.pass_(seconds=1)
    books.ledger.book(server.visit())
    assert [row.life for row in books.ledger.usage(*ALWAYS).rows] == [1, 2]
    assert since_reset(books) == {"alice": (3, "exact")}
