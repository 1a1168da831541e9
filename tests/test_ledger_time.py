"""Hours, days and months: zones, summer time, what is kept, and what is cut from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ops.errors import LedgerError, UsageError
from ops.ledger import Ledger, billing_month, month, open_ledger
from ops.ledger.answers.calendar import day_of, midnight, next_day, segments
from ops.model import Traffic
from tests.ledgers import Clock, Server

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def ledger_in(folder: Path, zone: str, begin: datetime) -> tuple[Ledger, Clock, Server]:
    clock = Clock(begin)
    ledger = open_ledger(folder / "ledger.db", zone=zone, clock=clock)
    ledger.enrol(["ams1"], [])
    clock.pass_(seconds=1)
    return ledger, clock, Server("ams1", clock)


def run(ledger: Ledger, clock: Clock, server: Server, until: datetime, **step: float) -> int:
    """Book one byte up each *step*, and return how many that were.

    The byte moves in the last minute of the step, and a reading before it says so.
    """
    count = 0
    while clock.now + timedelta(**step) <= until:
        clock.pass_(**step)
        clock.pass_(minutes=-1)
        ledger.book(server.visit())
        clock.pass_(minutes=1)
        server.use("alice", 1, 0)
        ledger.book(server.visit())
        count += 1
    return count


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", datetime(2026, 10, 25, tzinfo=AMSTERDAM), 25),
        ("Europe/Amsterdam", datetime(2026, 3, 29, tzinfo=AMSTERDAM), 23),
        ("Europe/Amsterdam", datetime(2026, 3, 28, tzinfo=AMSTERDAM), 24),
        ("Asia/Kolkata", datetime(2026, 3, 28, tzinfo=ZoneInfo("Asia/Kolkata")), 24),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, tzinfo=ZoneInfo("Australia/Lord_Howe")), 24.5),
        ("Africa/Cairo", datetime(2026, 4, 24, tzinfo=ZoneInfo("Africa/Cairo")), 23),
    ],
)
def test_pitfall_19_a_day_is_as_long_as_it_is(
    tmp_path: Path, zone: str, day: datetime, hours: float
) -> None:
    begin = day.astimezone(UTC) - timedelta(hours=5)
    ledger, clock, server = ledger_in(tmp_path, zone, begin)
    with ledger:
        # A reading each quarter at :07 or so: none is on an edge.
        clock.now = begin + timedelta(minutes=7)
        run(ledger, clock, server, begin + timedelta(hours=40), minutes=15)
        local = day.astimezone(ZoneInfo(zone))
        second = midnight(local.date(), ZoneInfo(zone))
        since = datetime.fromtimestamp(second, UTC)
        until = datetime.fromtimestamp(next_day(second, ZoneInfo(zone)), UTC)
        assert until - since == timedelta(hours=hours)
        (row,) = ledger.usage(since, until).rows
        assert row.traffic.uplink == hours * 4
        rows = ledger.usage(since, until, by=("day",)).rows
        assert [row.traffic.uplink for row in rows] == [hours * 4]
        assert ledger.verify() == []


def test_pitfall_19_the_31st_is_in_its_month(tmp_path: Path) -> None:
    begin = datetime(2026, 12, 31, 20, tzinfo=UTC)
    ledger, clock, server = ledger_in(tmp_path, "Europe/Amsterdam", begin)
    with ledger:
        run(ledger, clock, server, begin + timedelta(hours=6), minutes=10)
        december = ledger.usage(*month(2026, 12, AMSTERDAM)).total.uplink
        january = ledger.usage(*month(2027, 1, AMSTERDAM)).total.uplink
        # The year ends at 23:00 UTC. A reading at 23:00:01 is of the new one.
        assert (december, january) == (17, 18)
        by_month = ledger.usage(begin, begin + timedelta(days=9), by=("month",)).rows
        assert [row.traffic.uplink for row in by_month] == [17, 18]


def test_months_of_another_zone_are_exact_while_hours_are_kept(tmp_path: Path) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    begin = datetime(2026, 6, 30, 10, tzinfo=UTC)
    ledger, clock, server = ledger_in(tmp_path, "UTC", begin)
    with ledger:
        count = run(ledger, clock, server, begin + timedelta(days=40), hours=1)
        july = ledger.usage(*month(2026, 7, tokyo), zone="Asia/Tokyo")
        assert july.total.uplink == 31 * 24
        assert str(july.since) == "2026-07-01 00:00:00+09:00"
        days = ledger.usage(*month(2026, 7, tokyo), by=("day",), zone="Asia/Tokyo").rows
        assert [row.traffic.uplink for row in days] == [24] * 31
        clock.pass_(days=100)
        count += run(ledger, clock, server, clock.now + timedelta(hours=2), hours=1)
        assert ledger.usage(begin, clock.now + timedelta(days=1)).total.uplink == count
        with pytest.raises(UsageError, match="hours are kept from"):
            ledger.usage(*month(2026, 7, tokyo))
        assert ledger.usage(*month(2026, 7, ZoneInfo("UTC"))).total.uplink == 31 * 24


def test_fine_buckets_go_and_totals_stay(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    ledger, clock, server = ledger_in(tmp_path, "UTC", begin)
    with ledger:
        count = run(ledger, clock, server, begin + timedelta(days=120), hours=7)
        gone = ledger.prune()
        assert ledger.usage(begin, clock.now + timedelta(days=1)).total == Traffic(count, 0)
        with ledger.store.reading() as tx:
            fives = tx.exec_driver_sql("SELECT count(*), min(t) FROM fives").one()
            hours = tx.exec_driver_sql("SELECT min(t) FROM hours").scalar_one()
        assert fives[0] < 10
        assert fives[1] >= (clock.now - timedelta(days=2, hours=1)).timestamp()
        assert hours >= (clock.now - timedelta(days=90, hours=1)).timestamp()
        assert (gone.runs, ledger.verify()) == (0, [])


def test_runs_that_ended_long_ago_are_summed_up_and_stay_known(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    ledger, clock, server = ledger_in(tmp_path, "UTC", begin)
    with ledger:
        server.use("alice", 10, 20)
        server.stop()
        old = server.visit(alive=False)
        server.start("r2")
        ledger.book(server.visit())
        clock.pass_(days=500)
        server.use("alice", 1, 1)
        ledger.book(server.visit())
        with ledger.store.reading() as tx:
            assert tx.exec_driver_sql("SELECT up, down FROM settled").all() == [(10, 20)]
        assert ledger.verify() == []
        assert ledger.book(old).traffic == Traffic()
        assert ledger.usage(begin, clock.now + timedelta(days=1)).total == Traffic(11, 21)
        assert ledger.verify() == []


def test_a_late_reading_is_booked_when_it_was_read_not_when_it_was_found(tmp_path: Path) -> None:
    begin = datetime(2026, 10, 31, 20, tzinfo=UTC)
    ledger, clock, server = ledger_in(tmp_path, "UTC", begin)
    with ledger:
        ledger.book(server.visit())
        clock.pass_(hours=2)
        server.use("alice", 7, 7)
        server.stop()
        clock.pass_(days=3)
        server.start("r2")
        ledger.book(server.visit())
        assert ledger.usage(*month(2026, 10, ZoneInfo("UTC"))).total == Traffic(7, 7)
        assert ledger.usage(*month(2026, 11, ZoneInfo("UTC"))).total == Traffic()
        assert ledger.verify() == []


def test_a_ledger_keeps_its_zone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path, zone="Europe/Amsterdam").close()
    with pytest.raises(LedgerError, match="counts its days in Europe/Amsterdam"):
        open_ledger(path, zone="UTC")
    with open_ledger(path) as ledger:
        assert ledger.zone == "Europe/Amsterdam"
    with pytest.raises(LedgerError, match="no time zone"):
        open_ledger(tmp_path / "other.db", zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("day", "today", "begin", "end"),
    [
        (17, "2026-11-22", "2026-11-17", "2026-12-17"),
        (17, "2026-11-16", "2026-10-17", "2026-11-17"),
        (31, "2026-02-28", "2026-02-28", "2026-03-31"),
        (31, "2026-03-30", "2026-02-28", "2026-03-31"),
        (1, "2026-01-01", "2026-01-01", "2026-02-01"),
        (29, "2028-02-29", "2028-02-29", "2028-03-29"),
    ],
)
def test_the_hosters_month_begins_on_its_day_or_the_last(
    day: int, today: str, begin: str, end: str
) -> None:
    since, until = billing_month(day, datetime.fromisoformat(today).date(), AMSTERDAM)
    assert (f"{since:%F %T}", f"{until:%F %T}") == (f"{begin} 00:00:00", f"{end} 00:00:00")


def test_hours_are_cut_at_midnights_that_lie_within_them() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    evening = int(datetime(2026, 11, 22, 18, tzinfo=UTC).timestamp())
    found = list(segments(iter(range(evening, evening + 7200, 300)), zone))
    assert [(until - begin) // 60 for begin, until, *_ in found] == [30, 30, 60]
    assert {day for *_, day, _ in found} == {day_of(evening, zone), day_of(evening + 7200, zone)}


def test_nothing_and_too_much_are_refused(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db") as ledger:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        with pytest.raises(UsageError, match="nothing lies between"):
            ledger.usage(now, now)
        with pytest.raises(UsageError, match="more than 5000"):
            ledger.usage(now - timedelta(days=900), now, by=("hour",))
