"""PostgreSQL that is slow, held or dead: nobody waits for it for ever."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import cast

import psycopg
import pytest
from sqlalchemy.engine import make_url

from ops.errors import LedgerError
from ops.ledger import open_ledger
from ops.ledger.database.engine import engine_of, url_of
from tests.ledgers import Clock, Server
from tests.postgres import database
from tests.test_ledger import all_used


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    with database(postgres, f"held{time.monotonic_ns()}") as url:
        yield url


def test_a_server_that_never_answers_is_told_in_time(silent: int) -> None:
    began = time.monotonic()
    with pytest.raises(LedgerError, match="took no connection in time"):
        open_ledger(f"postgresql+psycopg://ops@127.0.0.1:{silent}/ledger", patience=0.1)
    assert time.monotonic() - began < 15  # two seconds, on a machine that has nothing else to do


@pytest.mark.postgres
def test_pitfall_22_a_lock_that_is_not_let_go_ends_with_a_sentence(url: str) -> None:
    clock = Clock()
    with open_ledger(url, clock=clock) as ledger:
        ledger.enrol(["ams1"], [])
    clock.pass_(seconds=1)
    server = Server("ams1", clock)
    server.use("alice", 1, 2)
    with open_ledger(url, clock=clock, patience=0.5) as ledger:
        with psycopg.connect(url.replace("+psycopg", "")) as frozen:
            frozen.execute("SELECT * FROM hosts FOR UPDATE")
            with pytest.raises(LedgerError, match=r"lock timeout.*Nothing is lost"):
                ledger.book(server.visit())
            frozen.rollback()
        assert ledger.book(server.visit()).traffic == all_used(ledger)
        assert all_used(ledger).total == 3


@pytest.mark.postgres
def test_both_ends_notice_that_the_other_is_gone(url: str) -> None:
    limits = ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT")
    names = [getattr(socket, f"TCP_{name}") for name in limits]
    with (
        over_tcp(url) as address,
        open_ledger(address) as ledger,
        ledger.store.engine.connect() as connection,
    ):
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        with socket.socket(fileno=os.dup(driver.fileno())) as end:
            found = [end.getsockopt(socket.IPPROTO_TCP, name) for name in names]
        assert found == [10, 5, 3, 15_000]
        asked = ("lock_timeout", "idle_in_transaction_session_timeout")
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in asked]
        assert shown == ["20s", "1min"]


@pytest.mark.postgres
def test_a_transaction_that_does_nothing_is_ended_and_an_export_is_not(url: str) -> None:
    with open_ledger(url) as ledger:
        ledger.enrol(["ams1"], ["alice"])
        with ledger.store.reading() as tx:
            name = "idle_in_transaction_session_timeout"
            assert tx.exec_driver_sql(f"SHOW {name}").scalar_one() == "0"
        with ledger.store.engine.connect() as tx:
            assert tx.exec_driver_sql(f"SHOW {name}").scalar_one() == "1min"


def test_what_the_url_says_of_time_holds(silent: int) -> None:
    asked = url_of(f"postgresql://ops@127.0.0.1:{silent}/ledger?connect_timeout=3")
    began = time.monotonic()
    with pytest.raises(Exception, match="timeout"), engine_of(asked, 20.0).connect():
        pass
    assert 2.5 < time.monotonic() - began < 15


@contextmanager
def over_tcp(url: str) -> Iterator[str]:
    """Yield the same database at a TCP port: what is tested has no place on a unix socket."""
    parsed = make_url(url)
    folder = Path(str(parsed.query["host"]))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        relay = (server, folder / ".s.PGSQL.5432")
        threading.Thread(target=_relay, args=relay, daemon=True).start()
        port = server.getsockname()[1]
        there = parsed.set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
        yield there.render_as_string(hide_password=False)


def _relay(server: socket.socket, path: Path) -> None:
    """Pass on what comes, both ways, until *server* is closed."""
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            database = socket.socket(socket.AF_UNIX)
            database.connect(str(path))
            for pair in ((client, database), (database, client)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
