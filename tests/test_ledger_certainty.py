"""Each figure says truly how sure it is: hosts unread, leaving, renamed, replaced, undecided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops.errors import LedgerError, UsageError
from ops.ledger import Usage
from ops.model import UNKNOWN_MACHINE, Observation, Traffic
from tests.ledgers import NOON, Books, Server
from tests.test_ledger import ALWAYS, all_used, kinds, new_server


def told(server: Server, machine: str = "m1", **more: object) -> Observation:
    """Return a visit that tells the machine behind the name."""
    seen = server.visit(alive="now" not in more, listed=True)
    more.pop("now", None)
    return replace(seen, machine=machine, **more)  # type: ignore[arg-type]


def nothing_there(name: str, machine: str = "m1") -> Observation:
    """Return a visit of a machine without a core and without readings."""
    return Observation(host=name, now=None, listed=True, machine=machine, retired=True)


def rows(answer: Usage) -> dict[str, tuple[int, str]]:
    return {row.key or row.host: (row.traffic.total, row.certainty) for row in answer.rows}


# Hosts that nobody has read


def test_a_host_that_was_never_read_makes_no_exact_figure_from_the_first_moment(
    books: Books,
) -> None:
    server = new_server(books)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    opens = {"alice": ["ams1", "new1"], "bob": ["new1"]}
    books.ledger.enrol(["ams1", "new1"], opens, opens=opens)
    books.clock.pass_(seconds=1)
    answer = books.ledger.usage(*ALWAYS, opens=opens)
    assert rows(answer) == {"alice": (2, "at least"), "bob": (0, "unknown")}
    assert answer.read_at == {"ams1": books.clock.now - timedelta(seconds=1), "new1": None}


def test_a_host_of_the_inventory_that_the_ledger_was_not_told_of_was_never_read(
    books: Books,
) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    assert books.ledger.usage(*ALWAYS, fleet=["ams1"]).certainty == "exact"
    answer = books.ledger.usage(*ALWAYS, fleet=["ams1", "new1"])
    assert (answer.certainty, answer.read_at["new1"]) == ("at least", None)


def test_an_answer_about_a_host_names_the_keys_that_could_ever_open_it(books: Books) -> None:
    opens = {"alice": ["ams1"], "carol": ["new1"], "dave": ["ams1"]}
    books.ledger.enrol(["ams1", "new1"], opens, opens=opens)
    opens |= {"dave": ["new1"], "late": ["ams1"], "other": ["new1"]}  # not told yet
    answer = books.ledger.usage(*ALWAYS, hosts=["ams1"], opens=opens)
    assert {row.key for row in answer.rows} == {"alice", "dave", "late"}
    answer = books.ledger.usage(*ALWAYS, hosts=["ams1"], keys=["carol"], opens=opens)
    assert {row.key for row in answer.rows} == {"carol"}  # she was asked for
    answer = books.ledger.usage(*ALWAYS, by=["host"], keys=["carol"], opens=opens)
    assert {row.host for row in answer.rows} == {"new1"}


def test_by_host_and_by_key_agree_how_sure_one_sum_is(books: Books) -> None:
    books.ledger.enrol(["ams1", "fra1"], ["alice"])
    sums = {books.ledger.usage(*ALWAYS, by=[by]).certainty for by in ("key", "host", "day")}
    assert sums == {"unknown"}
    books.clock.pass_(seconds=1)
    books.ledger.book(Server("ams1", books.clock).visit())
    sums = {books.ledger.usage(*ALWAYS, by=[by]).certainty for by in ("key", "host", "day")}
    assert sums == {"at least"}


@pytest.mark.parametrize("month", [(2027, 1), (2026, 3)])
def test_a_month_of_the_future_or_before_the_ledger_is_unknown(
    books: Books, month: tuple[int, int]
) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    begin = datetime(*month, 1, tzinfo=UTC)
    assert books.ledger.usage(begin, begin + timedelta(days=28)).certainty == "unknown"


# Hosts that leave


def test_an_absent_host_is_finished_once_nothing_is_left_to_fetch(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(told(server))
    books.ledger.enrol(["ams1"], ["alice"], absent=["ams1"])
    server.use("alice", 5, 5)
    server.stop()
    books.clock.pass_(minutes=30)
    assert books.ledger.hosts()[0].done is None
    assert books.ledger.usage(*ALWAYS).certainty == "at least"
    books.ledger.book(told(server, now=None, retired=True))
    assert books.ledger.hosts()[0].done == books.clock.now
    books.ledger.enrol([], ["alice"])
    books.clock.pass_(days=30)
    later = books.clock.now - timedelta(days=20)
    assert all_used(books.ledger) == Traffic(15, 15)
    assert books.ledger.usage(later, books.clock.now).certainty == "exact"
    assert kinds(books.ledger) == ["stop"]  # as a planned stop always says


def test_a_host_deleted_before_its_last_readings_were_fetched_is_at_least_for_ever(
    books: Books,
) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(told(server))
    books.clock.pass_(seconds=20)
    books.ledger.enrol([], ["alice"])
    books.clock.pass_(days=400)
    answer = books.ledger.usage(NOON - timedelta(days=1), NOON + timedelta(days=1))
    assert (answer.certainty, kinds(books.ledger)) == ("at least", ["left"])


# Machines and names


def test_a_used_server_under_a_known_name_is_asked_about(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 1, 1)
    books.ledger.book(told(server))
    books.clock.pass_(days=3)
    used = Server("ams1", books.clock, run="another")
    used.use("alice", 10**12, 0)
    books.clock.pass_(minutes=2)
    booked = books.ledger.book(told(used, "m2"))
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic())
    assert "replaced" in kinds(books.ledger)


def test_a_replaced_machine_that_this_fleet_rolled_out_is_not_asked_about(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(told(server))
    books.clock.pass_(days=3)
    new = Server("ams1", books.clock, run="another")
    new.use("alice", 7, 7)
    books.clock.pass_(minutes=2)
    booked = books.ledger.book(told(new, "m2", begun=frozenset({"another"})))
    assert (booked.outcome, booked.traffic) == ("booked", Traffic(7, 7))
    assert books.ledger.usage(*ALWAYS).certainty == "at least"  # what the old one counted last


def test_counters_from_before_the_ledger_need_no_question_if_this_fleet_began_them(
    books: Books,
) -> None:
    server = Server("ams1", books.clock)
    server.use("alice", 7, 7)
    books.clock.pass_(hours=5)
    books.ledger.enrol(["ams1"], ["alice"])
    booked = books.ledger.book(told(server, begun=frozenset({"r1"})))
    assert (booked.outcome, booked.traffic) == ("booked", Traffic(7, 7))
    assert books.ledger.usage(NOON - timedelta(days=1), ALWAYS[1]).certainty == "exact"


def test_a_machine_replaced_before_its_first_reading_leaves_a_gap(books: Books) -> None:
    books.ledger.enrol(["ams1"], ["alice"])
    books.clock.pass_(days=2)  # another machine may have counted under this name
    server = Server("ams1", books.clock)
    books.clock.pass_(seconds=10)
    books.ledger.book(told(server, begun=frozenset({"r1"})))
    assert (books.ledger.usage(*ALWAYS).certainty, kinds(books.ledger)) == ("at least", ["before"])


@pytest.mark.parametrize(("up", "certainty"), [(60, "exact"), (47, "at least"), (None, "at least")])
@pytest.mark.parametrize("core", [True, False])
def test_a_host_first_read_long_after_it_was_named_is_exact_if_its_machine_was_up_by_then(
    books: Books, core: bool, up: float | None, certainty: str
) -> None:
    books.ledger.enrol(["ams1"], ["alice"])
    books.clock.pass_(days=2)
    been_up = None if up is None else timedelta(hours=up)
    if not core:
        books.ledger.book(replace(nothing_there("ams1"), up=been_up))
    server = Server("ams1", books.clock)
    server.use("alice", 3, 3)
    books.clock.pass_(seconds=10)
    begun = frozenset({"r1"})
    books.ledger.book(told(server, begun=begun, up=been_up))
    assert rows(books.ledger.usage(*ALWAYS)) == {"alice": (6, certainty)}


def test_a_server_known_by_another_name_proves_nothing_of_the_time_before_it_got_this_one(
    books: Books,
) -> None:
    server = new_server(books)
    begun, up = frozenset({"r1"}), timedelta(days=9)
    books.ledger.book(told(server, begun=begun, up=up))
    books.ledger.enrol(["ams1", "new1"], ["alice"])
    books.clock.pass_(days=2)
    server.name = "new1"  # the address of new1 was another server's until now
    books.ledger.book(told(server, begun=begun, up=up))
    assert "before" in kinds(books.ledger)


def test_a_host_that_never_existed_ends_to_matter_once_somebody_rules_it_out(books: Books) -> None:
    server = new_server(books)
    books.ledger.enrol(["ams1", "mistyped"], ["alice"])
    with pytest.raises(LedgerError, match=r"delete it from hosts\.toml"):
        books.ledger.rule_out("mistyped", "ann@desk")  # more time may still pass
    books.clock.pass_(minutes=3)
    books.ledger.enrol(["ams1"], ["alice"])
    books.ledger.book(told(server))
    assert (books.ledger.usage(*ALWAYS).certainty, kinds(books.ledger)) == ("at least", ["never"])
    books.ledger.rule_out("mistyped", "ann@desk")
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, reasons(answer)) == ("exact", ["ruled"])
    assert answer.missing[0].by == "ann@desk, 2026-11-22 12:03 UTC"
    with pytest.raises(LedgerError, match="nothing is in doubt"):
        books.ledger.rule_out("mistyped", "ann@desk")
    with pytest.raises(UsageError, match="has no host"):
        books.ledger.rule_out("nobody", "ann@desk")


def test_a_name_that_was_ruled_out_begins_anew_when_it_comes_back(books: Books) -> None:
    enrol_at(books, "192.0.2.9:22")
    books.clock.pass_(days=1)
    books.ledger.enrol([], ["alice"])
    books.ledger.rule_out("ams1", "ann@desk")
    books.clock.pass_(days=1)
    enrol_at(books, "192.0.2.1:22")
    assert books.ledger.usage(*ALWAYS).certainty == "unknown"
    books.clock.pass_(seconds=1)
    server = Server("ams1", books.clock)
    books.clock.pass_(seconds=1)
    books.ledger.book(told(server, begun=frozenset({"r1"})))
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, reasons(answer)) == ("exact", ["ruled"])


def test_the_doubt_about_a_corrected_address_can_be_ruled_out(books: Books) -> None:
    enrol_at(books, "192.0.2.9:22")
    books.clock.pass_(hours=1)
    enrol_at(books, "192.0.2.1:22")
    books.clock.pass_(seconds=1)
    server = Server("ams1", books.clock)
    books.ledger.book(told(server, begun=frozenset({"r1"}), up=timedelta(days=1)))
    assert reasons(books.ledger.usage(*ALWAYS)) == ["before"]
    books.ledger.rule_out("ams1", "ann@desk")
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, reasons(answer)) == ("exact", ["ruled"])


def test_a_host_seen_without_a_core_before_its_rollout_is_exact_from_the_start(
    books: Books,
) -> None:
    books.ledger.enrol(["ams1"], ["alice"])
    books.ledger.book(nothing_there("ams1"))
    books.clock.pass_(days=2)
    books.ledger.book(nothing_there("ams1"))
    books.clock.pass_(seconds=30)
    server = Server("ams1", books.clock)
    server.use("alice", 3, 3)
    books.clock.pass_(seconds=30)
    books.ledger.book(told(server))
    assert rows(books.ledger.usage(*ALWAYS)) == {"alice": (6, "exact")}


def test_a_run_whose_disk_could_not_be_read_waits_for_the_look_alone(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(told(server))
    books.clock.pass_(minutes=1)
    server.start("r2")
    server.use("alice", 4, 4)
    books.clock.pass_(seconds=30)
    unseen = replace(server.visit(), machine=UNKNOWN_MACHINE)
    assert books.ledger.book(unseen).traffic == Traffic()
    assert books.ledger.usage(*ALWAYS).certainty == "at least"
    assert books.ledger.book(told(server)).traffic == Traffic(4, 4)


# Keys


def test_a_key_that_lost_a_host_depends_on_it_as_before(books: Books) -> None:
    server, other = new_server(books), new_server(books, "fra1", "r2")
    both, one = {"alice": ["ams1", "fra1"]}, {"alice": ["fra1"]}
    books.ledger.enrol(["ams1", "fra1"], both, opens=both)
    for host in (server, other):
        books.ledger.book(host.visit())
    books.clock.pass_(hours=1)
    books.ledger.book(other.visit())
    books.ledger.enrol(["ams1", "fra1"], one, opens=one)
    answer = books.ledger.usage(*ALWAYS, opens=one)
    assert rows(answer) == {"alice": (0, "at least")}
    books.ledger.mark("alice")
    assert rows(books.ledger.usage_since_marks(opens=one)) == {"alice": (0, "at least")}


def test_a_key_depends_on_no_host_that_it_never_could_open(books: Books) -> None:
    server = new_server(books)
    opens = {"alice": ["ams1"], "bob": ["dead"]}
    books.ledger.enrol(["ams1", "dead"], opens, opens=opens)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert rows(books.ledger.usage(*ALWAYS, opens=opens)) == {
        "alice": (2, "exact"),
        "bob": (0, "unknown"),
    }


# Decisions


def test_a_decision_outlives_the_machine_that_it_is_about(books: Books) -> None:
    old = Server("ams1", books.clock)
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    books.ledger.book(told(old))
    old.use("alice", 5, 5)
    books.clock.pass_(minutes=1)
    assert books.ledger.book(told(old)).traffic == Traffic(5, 5)  # after the first reading
    rebuilt = Server("ams1", books.clock, run="another")
    books.clock.pass_(minutes=5)
    books.ledger.book(told(rebuilt, "m2"))
    assert books.ledger.hosts()[0].waiting == 3000
    decided = books.ledger.decide(["ams1"], "count")
    assert decided.applied == {"ams1": Traffic(1000, 2000)}
    assert all_used(books.ledger) == Traffic(1005, 2005)
    assert books.ledger.verify() == []


def test_a_decision_about_a_host_that_was_never_read_is_applied_at_its_first_reading(
    books: Books,
) -> None:
    old = Server("ams1", books.clock)
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    books.ledger.enrol(["ams1"], ["alice"])
    assert books.ledger.decide(["ams1"], "count").stored == ("ams1",)
    assert books.ledger.book(told(old)).traffic == Traffic(1000, 2000)
    books.clock.pass_(days=1)
    used = Server("ams1", books.clock, run="another")
    used.use("alice", 1, 1)
    assert books.ledger.book(told(used, "m2")).outcome == "needs adoption"  # decided once


def test_a_run_of_which_only_a_damaged_file_is_left_is_told_once(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(told(server))
    for _ in range(3):
        books.clock.pass_(minutes=4)
        books.ledger.book(told(server, damaged=frozenset({"lost"})))
    assert kinds(books.ledger) == ["unseen"]
    assert books.ledger.usage(*ALWAYS).certainty == "at least"


def test_a_run_of_a_used_machine_that_had_counted_nothing_is_asked_about_once_it_has(
    books: Books,
) -> None:
    used = Server("ams1", books.clock, run="r0")
    used.begin()
    books.clock.pass_(hours=1)
    books.ledger.book(told(new_server(books)))
    books.clock.pass_(seconds=30)
    # The core of the used machine hangs: its disk says only that the run began.
    assert books.ledger.book(told(used, "m2", now=None)).outcome == "booked"
    used.use("carol", 3, 2)
    books.clock.pass_(seconds=30)
    booked = books.ledger.book(told(used, "m2"))
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic())
    assert books.ledger.hosts()[0].waiting == 5


# Names that stand for another place


def enrol_at(books: Books, place: str, *, absent: bool = False) -> None:
    """Tell the ledger of a host at *place*."""
    away = ["ams1"] if absent else []
    books.ledger.enrol(["ams1"], ["alice"], absent=away, addresses={"ams1": place})


def reasons(answer: Usage) -> list[str]:
    return [one.kind for one in answer.missing]


def test_a_name_that_moves_to_another_place_before_it_was_read_leaves_a_gap(books: Books) -> None:
    server = Server("ams1", books.clock)  # it runs at the second place all the time
    enrol_at(books, "192.0.2.1:22")
    books.clock.pass_(hours=1)
    enrol_at(books, "192.0.2.2:22")
    books.ledger.book(told(server, begun=frozenset({server.run})))
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, reasons(answer)) == ("at least", ["before"])


def test_a_used_server_at_a_changed_address_is_asked_about(books: Books) -> None:
    enrol_at(books, "192.0.2.1:22")
    books.clock.pass_(hours=1)
    used = Server("ams1", books.clock)
    used.use("alice", 2, 3)
    books.clock.pass_(hours=1)
    enrol_at(books, "192.0.2.2:22")
    booked = books.ledger.book(told(used))
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic())


def test_a_name_that_moves_to_a_place_and_back_unread_leaves_a_gap(books: Books) -> None:
    enrol_at(books, "192.0.2.1:22")
    server = Server("ams1", books.clock)
    books.ledger.book(told(server))
    for place in ("192.0.2.2:22", "192.0.2.1:22"):
        books.clock.pass_(minutes=1)
        enrol_at(books, place)
    books.ledger.book(told(server))
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, reasons(answer)) == ("at least", ["before"])


def test_an_absent_host_is_not_finished_at_a_place_where_nobody_has_looked(books: Books) -> None:
    enrol_at(books, "192.0.2.1:22", absent=True)
    books.ledger.book(nothing_there("ams1"))
    assert books.ledger.hosts()[0].done == books.clock.now
    enrol_at(books, "192.0.2.2:22", absent=True)
    assert books.ledger.hosts()[0].done is None


def test_an_absent_host_that_is_back_in_the_inventory_was_never_read(books: Books) -> None:
    books.ledger.enrol(["ams1", "fra1"], ["alice"])
    server = Server("fra1", books.clock)
    for names in (["ams1", "fra1"], ["fra1"], ["fra1"]):
        books.clock.pass_(hours=1)
        books.ledger.enrol(names, ["alice"])
        books.ledger.book(told(server))
    span = books.clock.now - timedelta(minutes=10), books.clock.now + timedelta(minutes=1)
    assert "never" not in reasons(books.ledger.usage(*span, fleet=["fra1"]))
    answer = books.ledger.usage(*span, fleet=["fra1"], absent=["ams1"])
    assert ("never" in reasons(answer), answer.read_at["ams1"]) == (True, None)
