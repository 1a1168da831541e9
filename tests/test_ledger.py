"""The ledger's contract, the same for every database: nothing lost, nothing doubled."""

from ops.model import Observation, Traffic
from tests.ledgers import Books, Server


def new_server(books: Books, name: str = "ams1") -> Server:
    """Return a server whose core starts after the ledger knew of it."""
    books.ledger.enrol([name], [])
    books.clock.pass_(seconds=1)
    return Server(name, books.clock)


def test_usage_is_what_was_counted_since_it_was_last_booked(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    assert books.ledger.book(server.visit()).traffic == Traffic(10, 20)
    server.use("alice", 1, 0)
    assert books.ledger.book(server.visit()).traffic == Traffic(1, 0)
    assert books.ledger.book(server.visit()).traffic == Traffic()


def test_pitfall_7_counters_older_than_the_ledger_wait_for_a_decision(books: Books) -> None:
    old = Server("ams1", books.clock)
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    booked = books.ledger.book(old.visit())
    assert booked.outcome == "needs adoption"
    assert booked.traffic == Traffic()
    assert books.ledger.book(old.visit(), adopt="baseline").traffic == Traffic()
    old.use("alice", 1, 2)
    assert books.ledger.book(old.visit()).traffic == Traffic(1, 2)


def test_an_observation_without_an_answer_makes_the_host_known(books: Books) -> None:
    books.ledger.book(Observation(host="ams1", now=None))
    books.clock.pass_(minutes=1)
    server = Server("ams1", books.clock)
    server.use("alice", 5, 5)
    assert books.ledger.book(server.visit()).traffic == Traffic(5, 5)
