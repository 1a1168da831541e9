"""The ledger's contract, the same for every database: nothing lost, nothing doubled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops.ledger import By, Ledger, Usage, open_ledger
from ops.model import NicCounters, Observation, Traffic
from tests.ledgers import NOON, Books, Server, reading

ALWAYS = (NOON - timedelta(days=300), NOON + timedelta(days=300))


def new_server(books: Books, name: str = "ams1", run: str = "r1") -> Server:
    """Return a server whose core starts after the ledger knew of it."""
    books.ledger.enrol(sorted({name, *(host.name for host in books.ledger.hosts())}), [])
    books.clock.pass_(seconds=1)
    return Server(name, books.clock, run=run)


def all_used(ledger: Ledger, *keys: str) -> Traffic:
    return ledger.usage(*ALWAYS, keys=keys or None).total


def used(answer: Usage) -> dict[str, tuple[int, int]]:
    return {row.key: (row.traffic.uplink, row.traffic.downlink) for row in answer.rows}


def kinds(ledger: Ledger) -> list[str]:
    return [one.kind for one in ledger.missing(*ALWAYS)]


def test_usage_is_what_was_counted_since_it_was_last_booked(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    assert books.ledger.book(server.visit()).traffic == Traffic(10, 20)
    server.use("alice", 1, 0)
    assert books.ledger.book(server.visit()).traffic == Traffic(1, 0)
    assert books.ledger.book(server.visit()).traffic == Traffic()
    assert all_used(books.ledger) == Traffic(11, 20)


def test_pitfall_2_a_planned_stop_is_exact_to_its_last_reading_and_marked(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    server.use("alice", 5, 5)
    server.stop()
    books.clock.pass_(seconds=20)
    server.start("r2")
    server.use("alice", 1, 1)
    assert books.ledger.book(server.visit()).traffic == Traffic(6, 6)
    (stop,) = books.ledger.missing(*ALWAYS)
    assert (stop.kind, stop.run, stop.span) == ("stop", "r1", timedelta(milliseconds=100))


def test_pitfall_2_a_crash_is_marked_with_the_age_of_its_last_reading(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    books.clock.pass_(seconds=41)
    server.start("r2")
    books.clock.pass_(seconds=5)
    books.ledger.book(server.visit())
    answer = books.ledger.usage(*ALWAYS)
    assert answer.certainty == "at least"
    assert [(one.kind, one.span.seconds) for one in answer.missing] == [("crash", 41)]
    assert all_used(books.ledger) == Traffic(10, 20)


def test_pitfall_3_a_reply_that_was_lost_is_in_the_next_one(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    server.visit()  # it answered, and the tunnel broke
    server.use("alice", 1, 1)
    assert books.ledger.book(server.visit()).traffic == Traffic(11, 21)


def test_pitfall_5_baseline_and_usage_are_one_transaction(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)

    def fail(*_: object) -> None:
        raise RuntimeError("the last thing that booking does")

    with monkeypatch.context() as patch:
        patch.setattr("ops.ledger.booking.entries.Entries.write", fail)
        with pytest.raises(RuntimeError):
            books.ledger.book(server.visit())
    assert all_used(books.ledger) == Traffic()
    assert books.ledger.book(server.visit()).traffic == Traffic(10, 20)
    assert books.ledger.verify() == []


def test_pitfall_6_a_restart_that_counted_past_the_old_value_is_a_new_run(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    server.start("r2")
    server.use("alice", 1000, 2000)
    books.clock.pass_(seconds=30)
    assert books.ledger.book(server.visit()).traffic == Traffic(1000, 2000)


def test_pitfall_7_counters_older_than_the_ledger_wait_for_a_decision(books: Books) -> None:
    old = Server("ams1", books.clock)
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    booked = books.ledger.book(old.visit())
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic())
    assert "--adopt count" in booked.reason
    assert books.ledger.book(old.visit(), adopt="baseline").traffic == Traffic()
    old.use("alice", 1, 2)
    assert books.ledger.book(old.visit()).traffic == Traffic(1, 2)
    assert kinds(books.ledger) == ["uncounted"]
    assert books.ledger.verify() == []


def test_pitfall_7_what_is_adopted_to_count_is_counted_once(books: Books) -> None:
    old = Server("ams1", books.clock, run="r0")
    old.use("alice", 7, 7)
    books.clock.pass_(hours=5)
    old.stop()
    old.start("r1")
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    assert books.ledger.book(old.visit(), adopt="count").traffic == Traffic(1007, 2007)
    assert books.ledger.book(old.visit(), adopt="count").traffic == Traffic()
    assert books.ledger.book(old.visit()).outcome == "booked"
    assert books.ledger.verify() == []


def test_pitfall_7_a_new_key_on_an_old_core_counts_from_0(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    server.use("dave", 3, 4)
    assert books.ledger.book(server.visit()).traffic == Traffic(3, 4)


def test_a_restart_while_the_decision_is_open_is_counted_and_the_rest_still_waits(
    books: Books,
) -> None:
    old = Server("ams1", books.clock)
    old.use("alice", 1000, 2000)
    books.clock.pass_(days=3)
    books.ledger.book(old.visit())
    books.clock.pass_(minutes=1)
    old.stop()
    old.start("r2")
    old.use("alice", 1, 1)
    booked = books.ledger.book(old.visit())
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic(1, 1))
    assert books.ledger.book(old.visit(), adopt="baseline").traffic == Traffic()
    assert all_used(books.ledger) == Traffic(1, 1)


def test_old_readings_that_turn_up_later_wait_for_a_decision_alone(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    ancient = reading("ams1", "r0", {"alice": (5, 5)}, NOON - timedelta(days=9), way="disk")
    server.kept = (ancient,)
    server.use("alice", 1, 1)
    booked = books.ledger.book(server.visit())
    assert (booked.outcome, booked.traffic) == ("needs adoption", Traffic(1, 1))
    assert books.ledger.book(server.visit()).outcome == "needs adoption"
    assert books.ledger.book(server.visit(), adopt="count").traffic == Traffic(5, 5)


def test_an_observation_without_an_answer_makes_the_host_known(books: Books) -> None:
    books.ledger.book(Observation(host="ams1", now=None))
    books.clock.pass_(minutes=1)
    server = Server("ams1", books.clock)
    server.use("alice", 5, 5)
    assert books.ledger.book(server.visit()).traffic == Traffic(5, 5)


def test_a_host_that_is_renamed_and_named_back_is_counted_once(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    server.name = "ams2"
    server.use("alice", 1, 1)
    booked = books.ledger.book(server.visit())
    assert (booked.outcome, booked.traffic) == ("booked", Traffic(1, 1))
    server.name = "ams1"
    server.use("alice", 5, 5)
    assert books.ledger.book(server.visit()).traffic == Traffic(5, 5)
    assert all_used(books.ledger) == Traffic(16, 16)
    assert books.ledger.verify() == []


def test_a_host_rebuilt_from_nothing_goes_on_counting(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.clock.pass_(days=1)
    server.kept = ()
    server.start("another-machine")
    server.use("alice", 3, 3)
    assert books.ledger.book(server.visit()).traffic == Traffic(3, 3)


def test_pitfall_8_a_foreign_reset_is_reported_and_nothing_is_counted_twice(
    books: Books,
) -> None:
    server = new_server(books)
    server.use("alice", 100, 200)
    books.ledger.book(server.visit())
    server.counters["alice"] = (10, 10)
    books.clock.pass_(seconds=30)
    booked = books.ledger.book(server.visit())
    assert (booked.resets, booked.traffic) == (("alice",), Traffic())
    assert kinds(books.ledger) == ["reset"]
    assert books.ledger.usage(*ALWAYS).certainty == "at least"


def test_a_foreign_reset_makes_figures_at_least_under_the_next_name_too(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 100, 200)
    books.ledger.book(server.visit())
    server.counters["alice"] = (0, 0)
    books.clock.pass_(seconds=30)
    books.ledger.book(server.visit())
    server.name = "renamed"
    server.use("alice", 1000, 1000)
    books.clock.pass_(seconds=30)
    assert books.ledger.book(server.visit()).traffic == Traffic(900, 800)
    rows = books.ledger.usage(*ALWAYS, by=("host",)).rows
    assert {row.host: row.certainty for row in rows}["renamed"] == "at least"


def test_an_old_answer_that_is_booked_after_a_reset_is_put_to_no_day(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 100, 200)
    held_up = server.visit()
    server.counters["alice"] = (0, 0)
    books.clock.pass_(days=40)
    books.ledger.book(server.visit())
    assert books.ledger.book(held_up).traffic == Traffic(100, 200)
    days = books.ledger.usage(*ALWAYS, by=("day",)).rows
    assert [row.traffic for row in days if not row.late and row.traffic.total] == []
    assert books.ledger.usage(*ALWAYS).total == Traffic(100, 200)


def test_a_foreign_reset_is_noticed_while_the_clock_is_set_back(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 100, 200)
    books.ledger.book(server.visit())
    books.clock.pass_(days=-3)
    server.counters["alice"] = (10, 10)
    assert books.ledger.book(server.visit()).resets == ("alice",)
    assert books.ledger.usage(*ALWAYS).certainty == "at least"


def test_a_look_that_found_no_core_is_dated_by_its_visit_and_not_by_its_booking(
    books: Books,
) -> None:
    server = new_server(books)
    blank = Observation(host=server.name, now=None, listed=True, retired=True, machine="m1")
    look = replace(blank, seen_at=books.clock.now)
    books.clock.pass_(days=40)
    books.ledger.book(look)
    [state] = books.ledger.hosts()
    assert state.read_at == look.seen_at


def test_an_answer_that_was_held_up_is_no_reset_and_no_run_of_now(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 100, 200)
    old = server.visit()
    books.clock.pass_(seconds=5)
    server.start("r2")
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert books.ledger.book(old).traffic == Traffic(100, 200)
    assert books.ledger.hosts()[0].run == "r2"
    books.clock.pass_(seconds=5)
    books.ledger.book(server.visit())
    assert books.ledger.hosts()[0].run == "r2"
    assert kinds(books.ledger) == ["crash"]
    assert books.ledger.verify() == []


def test_pitfall_10_unused_zero_and_unreachable_are_three_answers(books: Books) -> None:
    server = new_server(books)
    server.use("zero", 0, 0)
    books.ledger.book(server.visit())
    opens = {"unused": ["ams1"], "zero": ["ams1"], "elsewhere": ["dead"]}
    books.ledger.enrol(["ams1", "dead"], opens, opens=opens)
    books.clock.pass_(hours=1)
    books.ledger.book(server.visit())
    rows = books.ledger.usage(books.clock.now - timedelta(hours=1), ALWAYS[1], opens=opens).rows
    sure = {row.key: (row.traffic.total, row.certainty) for row in rows}
    assert sure == {
        "unused": (0, "exact"),
        "zero": (0, "exact"),
        "elsewhere": (0, "unknown"),
    }


def test_pitfall_13_a_name_that_is_made_again_inherits_nothing(books: Books) -> None:
    server = new_server(books)
    books.ledger.enrol(["ams1"], ["alice"])
    server.use("alice", 100, 100)
    books.ledger.book(server.visit())
    books.ledger.enrol(["ams1"], [])
    books.clock.pass_(minutes=5)
    server.use("alice", 7, 7)  # a connection that was still open (pitfall 15)
    books.ledger.book(server.visit())
    books.clock.pass_(minutes=5)
    books.ledger.enrol(["ams1"], ["alice"])
    books.clock.pass_(minutes=1)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    rows = books.ledger.usage(*ALWAYS).rows
    lives = {row.life: (row.traffic.uplink, row.gone is not None) for row in rows}
    assert lives == {1: (107, True), 2: (1, False)}
    assert books.ledger.verify() == []


def test_a_key_that_blinks_between_two_checkouts_stays_itself(books: Books) -> None:
    server = new_server(books)
    for _ in range(5):
        books.ledger.enrol(["ams1"], ["alice"])
        books.clock.pass_(seconds=30)
        books.ledger.enrol(["ams1"], [])
    books.ledger.enrol(["ams1"], ["alice"])
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert [row.life for row in books.ledger.usage(*ALWAYS).rows] == [1]


def test_generations_of_a_key_are_one_and_nobody_is_no_key(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 1, 1)
    server.use("alice~2", 2, 2)
    server.use("~nobody", 99, 99)
    books.ledger.book(server.visit())
    assert used(books.ledger.usage(*ALWAYS)) == {"alice": (3, 3)}


def test_pitfall_17_large_and_odd_numbers_add_up_in_every_bucket(books: Books) -> None:
    server = new_server(books)
    total = Traffic()
    for step in range(60):
        books.clock.pass_(minutes=47)
        server.use("alice", 2**52 + step, 1)
        server.use("bob", 0, 3**step % 1000003)
        total += books.ledger.book(server.visit()).traffic
    assert total.uplink == 60 * 2**52 + sum(range(60))
    sizes: list[list[By]] = [["hour"], ["day"], ["month"], ["key", "host"], ["day", "key"], []]
    since, until = NOON - timedelta(days=1), books.clock.now + timedelta(days=1)
    assert {books.ledger.usage(since, until, by=by).total for by in sizes} == {total}
    assert books.ledger.verify() == []


def test_what_no_counter_says_is_refused_and_the_others_are_booked(books: Books) -> None:
    good, bad = new_server(books, "ams1", "r1"), new_server(books, "fra1", "r2")
    good.use("alice", 1, 1)
    bad.counters["alice"] = (-5, 2**70)
    first, second = books.ledger.book_all([bad.visit(), good.visit()])
    assert (first.outcome, second.traffic) == ("refused", Traffic(1, 1))
    assert "alice" in first.reason


def test_pitfall_20_history_stays_when_hosts_and_keys_leave(books: Books) -> None:
    server = new_server(books)
    books.ledger.enrol(["ams1"], ["alice"])
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    books.ledger.enrol([], [])
    books.clock.pass_(days=30)
    answer = books.ledger.usage(*ALWAYS, by=("key", "host"))
    assert [(row.key, row.host, row.traffic.total) for row in answer.rows] == [
        ("alice", "ams1", 20)
    ]
    assert answer.certainty == "exact"  # a host that left is not waited for


def test_pitfall_24_a_host_that_is_not_read_makes_figures_at_least(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    read = books.clock.now
    books.clock.pass_(hours=2)
    answer = books.ledger.usage(*ALWAYS)
    assert (answer.certainty, answer.as_of) == ("at least", read)
    later = books.ledger.usage(read + timedelta(hours=1), ALWAYS[1], by=("host",))
    assert later.certainty == "unknown"
    assert [one.kind for one in later.missing] == ["behind"]


def test_bytes_that_were_read_late_are_told_apart_and_parts_add_up(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    read = books.clock.now
    server.use("alice", 5, 5)
    books.clock.pass_(days=2)
    assert books.ledger.book(server.visit()).unread == timedelta(days=2)
    answer = books.ledger.usage(*ALWAYS, by=("day",))
    day, late = answer.rows
    assert (day.since.day, day.traffic.uplink, day.certainty) == (22, 1, "at least")
    assert (late.late, late.since, late.until) == (True, read, books.clock.now)
    assert (late.traffic.uplink, late.certainty) == (5, "exact")
    assert (answer.total, answer.certainty) == (Traffic(6, 6), "exact")


def test_a_span_claims_no_bytes_that_may_have_moved_before_it(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(server.visit())
    server.use("alice", 5, 5)
    books.clock.pass_(days=2)
    books.ledger.book(server.visit())
    answer = books.ledger.usage(books.clock.now - timedelta(days=1), ALWAYS[1])
    assert (answer.total, answer.certainty) == (Traffic(), "at least")
    assert [one.kind for one in answer.missing] == ["late"]


def test_pitfall_1_spliced_hosts_may_have_open_connections(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 1, 1)
    books.ledger.book(server.visit())
    assert books.ledger.usage(*ALWAYS).certainty == "exact"
    answer = books.ledger.usage(*ALWAYS, spliced={"ams1"})
    assert (answer.certainty, [one.kind for one in answer.missing]) == ("at least", ["open"])


def test_cores_without_identity_are_told_by_when_they_began(books: Books) -> None:
    server = new_server(books, run="")
    server.use("alice", 10, 10)
    books.clock.pass_(seconds=30)
    books.ledger.book(server.visit())
    server.since += timedelta(seconds=1)  # ages come in seconds
    server.use("alice", 1, 1)
    books.clock.pass_(seconds=30)
    assert books.ledger.book(server.visit()).traffic == Traffic(1, 1)
    books.clock.pass_(seconds=10)
    server.start("")
    server.use("alice", 500, 500)
    books.clock.pass_(seconds=20)
    assert books.ledger.book(server.visit()).traffic == Traffic(500, 500)
    assert books.ledger.usage(*ALWAYS).certainty == "at least"


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400), timedelta(hours=-3)])
def test_pitfall_19_no_clock_makes_more_or_less_of_what_was_used(
    books: Books, jump: timedelta
) -> None:
    server = new_server(books)
    for step in range(4):
        server.use("alice", 10, 10)
        server.keep()
        books.ledger.book(server.visit())
        books.clock.pass_(seconds=30)
        if step == 1:
            books.clock.now += jump
            server.stop()
            server.start("r2")
    books.clock.now -= jump
    server.use("alice", 10, 10)
    books.ledger.book(server.visit())
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert books.ledger.usage(long_ago, datetime(2030, 1, 1, tzinfo=UTC)).total == Traffic(50, 50)
    assert books.ledger.verify() == []
    if jump < timedelta():
        rows = books.ledger.usage(long_ago, NOON - timedelta(hours=1)).rows
        assert rows == ()  # never before what is booked


def test_a_hosts_clock_is_not_believed_about_when(books: Books) -> None:
    server = new_server(books)
    books.ledger.book(replace(server.visit(), listed=True))
    server.use("alice", 5, 5)
    server.stop()
    born = datetime(1970, 1, 2, tzinfo=UTC)
    short = reading("ams1", "short", {"alice": (2, 2)}, born, way="disk")
    future = reading("ams1", "next", {"alice": (1, 1)}, born.replace(year=2099), way="disk")
    books.clock.pass_(minutes=10)
    server.start("r2")
    server.kept += (short, future)
    assert books.ledger.book(server.visit()).traffic == Traffic(8, 8)
    hour = books.ledger.usage(NOON, NOON + timedelta(hours=1))
    assert hour.total == Traffic(8, 8)


def test_network_cards_count_by_boot_from_the_first_look_on(books: Books) -> None:
    server = new_server(books)

    def book(boot: str, received: int, sent: int) -> None:
        nic = NicCounters(
            host="ams1", boot=boot, read_at=books.clock.now, received=received, sent=sent
        )
        books.ledger.book(replace(server.visit(), nic=nic))

    day = NOON.replace(hour=0)
    assert books.ledger.nic("ams1", day, day + timedelta(days=1)) is None
    book("b1", 1000, 2000)
    book("b1", 1010, 2020)
    book("b2", 5, 6)
    book("b1", 1010, 2020)
    book("b2", 7, 7)
    moved = books.ledger.nic("ams1", day, day + timedelta(days=1))
    assert moved is not None
    assert (moved.received, moved.sent) == (17, 27)


def test_another_program_sees_the_same_ledger(books: Books) -> None:
    server = new_server(books)
    server.use("alice", 10, 20)
    books.ledger.book(server.visit())
    with books.again() as other:
        assert other.book(server.visit()).traffic == Traffic()
        assert all_used(other, "alice") == Traffic(10, 20)


def test_two_ledgers_come_to_the_same_sums(books: Books, tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    path = tmp_path_factory.mktemp("other") / "ledger.db"
    with open_ledger(path, clock=books.clock) as other:
        other.enrol(["ams1"], [])
        server = new_server(books)
        for step in range(12):
            server.use("alice", 3, 5)
            books.clock.pass_(minutes=7)
            server.keep()
            (books.ledger if step % 3 else other).book(server.visit())
            if step % 4 == 3:
                server.stop()
                server.start(f"run{step}")
        books.ledger.book(server.visit())
        other.book(server.visit())
        assert all_used(books.ledger) == all_used(other) == Traffic(36, 60)


def test_one_server_under_two_names_in_one_round_is_counted_once(books: Books) -> None:
    server = new_server(books)
    new_server(books, "fra1")
    visits = []
    for name in ("ams1", "fra1") * 3:
        server.name = name
        server.use("alice", 1, 1)
        books.clock.pass_(seconds=9)
        visits.append(server.visit())
    for pair in (visits[0:2], visits[2:4], visits[4:6]):
        books.ledger.book_all(pair)
    assert all_used(books.ledger) == Traffic(6, 6)
    rows = books.ledger.usage(*ALWAYS, by=("host",)).rows
    assert {row.host: row.certainty for row in rows} == {"ams1": "at least", "fra1": "at least"}
    assert books.ledger.usage(*ALWAYS).certainty == "exact"
    assert books.ledger.verify() == []


def test_a_host_that_claims_more_than_any_host_can_move_spoils_no_sum(books: Books) -> None:
    good, bad = new_server(books, "ams1", "r1"), new_server(books, "fra1", "r2")
    good.use("alice", 5, 5)
    books.ledger.book(good.visit())
    for number in range(40):
        books.clock.pass_(seconds=10)
        bad.start(f"forged{number}")
        bad.use("alice", 2**57, 2**57)
        booked = books.ledger.book(bad.visit())
    assert "more than any host can" in booked.problems[0]
    assert books.ledger.verify() == []
    assert books.ledger.usage(*ALWAYS, hosts=["ams1"]).total == Traffic(5, 5)
    assert books.ledger.usage(*ALWAYS).certainty == "at least"


def test_forged_counters_that_wait_for_a_decision_spoil_no_sum_either(books: Books) -> None:
    old = Server("fra1", books.clock)
    books.clock.pass_(days=1)
    for number in range(40):
        run, used = f"forged{number}", {"alice": (2**57, 2**57)}
        old.kept = (reading("fra1", run, used, NOON, way="disk"),)
        books.ledger.book(old.visit(alive=False, listed=True))
    books.ledger.decide(["fra1"], "count")
    assert books.ledger.verify() == []
    assert books.ledger.usage(*ALWAYS).total.total <= 2**58
