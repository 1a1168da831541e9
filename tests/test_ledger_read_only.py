"""A ledger that may be read and not written, and one that cannot be read."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ops.errors import LedgerError
from ops.ledger import Ledger, open_ledger
from ops.ledger.database import only_reading as reads
from ops.ledger.database import schema
from ops.ledger.database.engine import url_of
from tests import fleets
from tests.unprivileged import Ran, Runner, binding, runner

pytestmark = pytest.mark.skipif(binding() is None, reason="root, and no setpriv to bind it")


@pytest.fixture(scope="module")
def bound() -> Iterator[Runner]:
    with runner() as found:
        yield found


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Path]:
    folder = fleets.write(tmp_path / "fleet")
    open_ledger(folder / "state" / "ledger.db").close()
    yield folder
    (folder / "state").chmod(0o700)


def close_to_writing(folder: Path) -> Path:
    state = folder / "state"
    for file in state.iterdir():
        file.chmod(0o400)
    state.chmod(0o500)
    return state


READING = [
    ["usage"],
    ["usage", "--by", "day"],
    ["ledger", "status"],
    ["ledger", "verify"],
    ["ledger", "export"],
    ["ledger", "backup", "../copy.db"],
]
WRITING = [["reset", "alice"], ["ledger", "prune"], ["collect", "--timeout", "1"]]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_commands_work_on_a_ledger_that_cannot_be_written(
    bound: Runner, fleet: Path, words: list[str]
) -> None:
    state = close_to_writing(fleet)
    assert bound.ops(words, fleet).code == 0
    assert [file.name for file in state.iterdir()] == ["ledger.db"]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_commands_work_beside_a_collector_that_they_cannot_disturb(
    bound: Runner, fleet: Path, words: list[str]
) -> None:
    with closing(sqlite3.connect(fleet / "state" / "ledger.db")) as collector:
        collector.execute("UPDATE ledger SET zone = zone")
        collector.commit()
        state = close_to_writing(fleet)
        before = {file.name for file in state.iterdir()}
        assert {"ledger.db-wal", "ledger.db-shm"} <= before
        assert bound.ops(words, fleet).code == 0
        assert {file.name for file in state.iterdir()} == before


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_writing_commands_say_who_can_write_it(
    bound: Runner, fleet: Path, words: list[str]
) -> None:
    close_to_writing(fleet)
    ran = bound.ops(words, fleet)
    assert ran.code in (1, 4)
    assert one_sentence(ran, "ledger.db")


@pytest.mark.parametrize("words", [*READING, *WRITING, ["status"]], ids=" ".join)
@pytest.mark.parametrize("place", ["state", "state/ledger.db"])
def test_a_ledger_that_is_closed_to_this_user_is_a_sentence(
    bound: Runner, fleet: Path, words: list[str], place: str
) -> None:
    (fleet / place).chmod(0)
    ran = bound.ops(words, fleet)
    assert ran.code in (1, 3, 4)
    assert one_sentence(ran, "permission denied", f"{place} is yours: `chmod u+rwX` it")


def one_sentence(ran: Ran, *parts: str) -> bool:
    said = ran.err + ran.out
    return "Traceback" not in said and all(part in said for part in parts)


def test_a_ledger_that_was_not_closed_well_and_cannot_be_mended_is_a_sentence(
    bound: Runner, fleet: Path
) -> None:
    file, log = fleet / "state" / "ledger.db", fleet / "state" / "ledger.db-wal"
    with closing(sqlite3.connect(file)) as collector:
        collector.execute("UPDATE ledger SET zone = zone")
        collector.commit()
        shutil.copy(log, fleet / "log")
    shutil.move(fleet / "log", log)  # as a machine that lost power leaves it, without the index
    close_to_writing(fleet)
    ran = bound.ops(["usage"], fleet)
    assert ran.code == 1
    assert one_sentence(ran, "ledger.db", "was not closed well", "`ops ledger verify` once as")


def test_a_reading_that_met_a_change_is_read_again(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fleet / "state" / "ledger.db"
    monkeypatch.setattr("ops.ledger.database.engine.is_closed_to_writing", lambda _: True)
    ledger: Ledger = open_ledger(file, make=False)
    asked = []

    def zone(tx: Connection) -> object:
        asked.append(1)
        if len(asked) == 1:
            with closing(sqlite3.connect(file)) as collector:
                collector.execute("UPDATE ledger SET zone = 'Asia/Tokyo'")
                collector.commit()
        return tx.execute(select(schema.ledger.c.zone)).scalar()

    with ledger:
        assert ledger.store.read(zone) == "Asia/Tokyo"
    assert len(asked) == 2


def test_a_closed_ledger_is_read_without_a_file_beside_it(fleet: Path) -> None:
    with closing(reads.engine_that_reads(url_of(fleet / "state" / "ledger.db")).connect()):
        assert [file.name for file in (fleet / "state").iterdir()] == ["ledger.db"]


def read_all(file: Path) -> None:
    with open_ledger(file, make=False) as ledger:
        ledger.keys()
        ledger.verify()


@pytest.mark.parametrize("damage", [b"no database at all" * 500, b""], ids=["other", "holes"])
def test_a_damaged_ledger_is_named_and_says_what_to_do(fleet: Path, damage: bytes) -> None:
    file = fleet / "state" / "ledger.db"
    whole = file.read_bytes()
    file.write_bytes(damage or whole[:4096] + b"\xaa" * (len(whole) - 4096))
    with pytest.raises(LedgerError, match=r"ledger.db is damaged: .*put the last backup in its"):
        read_all(file)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite://host/path",
        "sqlite:////tmp/x?mode=ro&uri=true",
        "postgresql://user:secret@host:port/name",
        "mysql://user:secret@host/name",
        "nonsense",
        "://",
        "",
    ],
)
def test_what_is_no_ledger_is_a_sentence_without_a_password(url: str) -> None:
    with pytest.raises(LedgerError, match="write sqlite:////") as caught:
        url_of(url)
    assert "secret" not in str(caught.value)
