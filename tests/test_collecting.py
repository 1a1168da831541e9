"""Rounds into the ledger: what hosts counted is booked once, whatever fails in between."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.cli import cli
from ops.cli.collect import collect
from ops.cli.printing.exit_codes import of_round
from ops.counting.collecting import disk, probe
from ops.counting.collecting.disk import parse_last_reading
from ops.fleet import starter
from ops.model import Traffic
from tests.collectors import EVER, Core, Fleet, a_fleet, known_host, run_called

A, B, C = map(run_called, "abc")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with a_fleet(tmp_path, monkeypatch) as fleet:
        yield fleet


@pytest.fixture
def host(fleet: Fleet) -> Core:
    return known_host(fleet)


def test_a_round_books_what_every_host_counted(fleet: Fleet, host: Core) -> None:
    other = fleet.core("fra", run=B)
    fleet.collect()
    host.use("alice", 100, 2_000_000)
    other.use("alice", 7, 3)
    outcome = fleet.collect()
    assert (outcome.read, outcome.failures, of_round(outcome)) == (("ams", "fra"), (), 0)
    assert outcome.booked == fleet.usage() == Traffic(107, 2_000_003)


def test_a_round_again_books_nothing(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    fleet.collect()
    assert fleet.collect().booked == Traffic()
    assert fleet.usage() == Traffic(100, 200)


def test_pitfall_3_a_reply_that_was_lost_is_asked_for_again(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    host.stats.answered = host.server.stop
    assert of_round(fleet.collect()) == 4
    assert host.stats.calls.count("QueryStats") > 1
    host.stats.answered = lambda: None
    host.server.start()
    host.use("alice", 1, 1)
    assert fleet.collect().booked == fleet.usage() == Traffic(101, 201)


def test_pitfall_6_a_restart_is_seen_though_the_counters_are_higher(
    fleet: Fleet, host: Core
) -> None:
    host.use("alice", 100, 200)
    fleet.collect()
    host.use("alice", 10, 20)
    host.restart(B)
    host.use("alice", 1000, 2000)
    assert fleet.collect().booked == Traffic(1010, 2020)
    assert fleet.usage() == Traffic(1110, 2220)


def test_pitfall_2_a_killed_core_costs_what_passed_since_its_last_reading(
    fleet: Fleet, host: Core
) -> None:
    host.use("alice", 100, 200)
    host.keep("minute")
    host.use("alice", 5, 5)
    host.restart(B, planned=False)
    host.use("alice", 1, 2)
    fleet.collect()
    assert fleet.usage() == Traffic(101, 202)


def test_runs_that_nobody_saw_alive_are_booked_from_the_disk(fleet: Fleet, host: Core) -> None:
    for run, up in ((B, 10), (C, 100)):
        host.restart(run)
        host.use("alice", up, 0)
    host.restart(run_called("d"))
    assert fleet.collect().booked == Traffic(110, 0)
    assert fleet.collect().booked == Traffic()


def test_what_is_booked_of_an_ended_run_is_not_fetched_again(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    host.restart(B)
    fleet.collect()
    assert A in host.server.commands[-1]
    host.server.commands.clear()
    fleet.collect()
    assert host.server.commands == [probe.PROBE]


def test_what_is_booked_of_a_crashed_run_is_not_fetched_again(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    host.keep("minute")
    host.restart(B, planned=False)
    fleet.collect()
    assert A in host.server.commands[-1]
    host.server.commands.clear()
    fleet.collect()
    assert host.server.commands == [probe.PROBE]


def test_pitfall_2_a_run_that_began_and_was_never_read_is_told(fleet: Fleet, host: Core) -> None:
    host.restart(B)
    host.begin()
    host.use("alice", 100, 200)
    host.restart(C, planned=False)
    host.begin()
    host.use("alice", 1, 2)
    host.stats.uptime = 0
    fleet.collect()
    assert fleet.usage() == Traffic(1, 2)
    with fleet.ledger() as ledger:
        until = datetime.now(UTC) + timedelta(days=1)
        runs = {one.run for one in ledger.missing(EVER, until) if one.kind == "unseen"}
        assert runs == {B}


def test_two_ledgers_and_one_from_yesterday_come_to_the_same(
    fleet: Fleet, host: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.use("alice", 10, 10)
    fleet.collect()
    with fleet.ledger() as ledger:
        ledger.backup(fleet.world.folder / "yesterday.db")
    host.use("alice", 1, 1)
    host.restart(B)
    host.use("alice", 100, 100)
    fleet.collect()
    today = fleet.usage()
    fleet.ledger_file.unlink()
    for left in fleet.ledger_file.parent.glob("ledger.db-*"):
        left.unlink()
    (fleet.world.folder / "yesterday.db").rename(fleet.ledger_file)
    fleet.collect()
    assert fleet.usage() == today == Traffic(111, 111)


def test_a_host_whose_api_is_down_gives_what_it_kept(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    host.keep("last")
    host.server.api = None
    outcome = fleet.collect()
    assert [str(failure) for failure in outcome.failures] == [
        "ams: ssh is up, but its core is not running: on the host, `systemctl status xray`"
    ]
    assert (of_round(outcome), outcome.booked) == (4, Traffic(100, 200))


def test_a_host_whose_disk_cannot_be_read_gives_its_counters(fleet: Fleet, host: Core) -> None:
    host.use("alice", 100, 200)
    host.disk_fails = "sudo: a password is required"
    outcome = fleet.collect()
    assert (of_round(outcome), outcome.booked) == (0, Traffic(100, 200))
    assert "a password is required" in outcome.warnings[0]


def test_a_broken_file_costs_only_itself(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    host.restart(B)
    host.use("alice", 1, 1)
    host.keep("minute").write_text('{"run": ')
    host.restart(C, planned=False)
    outcome = fleet.collect()
    assert outcome.booked == Traffic(1, 1)
    assert f"{B}.minute.json on its disk is left out" in outcome.warnings[0]


def test_a_reading_of_another_run_than_it_says_is_refused(fleet: Fleet, host: Core) -> None:
    text = host.keep("last", run=B).read_text()
    with pytest.raises(ValueError, match="not of the run"):
        parse_last_reading(text, "ams")
    assert parse_last_reading(host.keep("last").read_text(), "ams")[1]
    assert not parse_last_reading(host.keep("minute").read_text(), "ams")[1]


@pytest.mark.parametrize("text", ["{}", "[]", '{"statsquery": {}}', "{", '"x"'])
def test_what_is_no_reading_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is no reading"):
        parse_last_reading(text, "ams")


def test_pitfall_7_old_counters_wait_for_a_decision(fleet: Fleet) -> None:
    host = fleet.core()
    host.use("alice", 100, 200)
    outcome = fleet.collect()
    assert (of_round(outcome), outcome.booked) == (1, Traffic())
    assert "--adopt" in outcome.unadopted[0]
    assert fleet.decide("baseline") == Traffic(100, 200)
    assert of_round(fleet.collect()) == 0
    host.use("alice", 1, 2)
    fleet.collect()
    assert fleet.usage() == Traffic(1, 2)


def test_pitfall_7_old_counters_are_billed_if_somebody_says_so(fleet: Fleet) -> None:
    host = fleet.core()
    host.use("alice", 100, 200)
    host.restart(B)
    host.use("alice", 1, 2)
    fleet.collect()
    assert fleet.decide("count") == fleet.usage() == Traffic(101, 202)


def test_pitfall_7_a_new_key_counts_from_0(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    fleet.collect()
    host.use("bob", 100, 200)
    assert fleet.collect().booked == fleet.usage("bob") == Traffic(100, 200)


def test_pitfall_8_counters_that_somebody_else_resets_are_reported(
    fleet: Fleet, host: Core
) -> None:
    host.use("alice", 100, 200)
    fleet.collect()
    host.used["alice"] = (5, 5)
    host.counters()
    outcome = fleet.collect()
    assert outcome.warnings == ("ams: somebody else resets counters: alice",)
    assert fleet.usage() == Traffic(100, 200)


def test_pitfall_19_a_hosts_wrong_clock_is_told_in_every_round_in_the_same_words(
    fleet: Fleet, host: Core
) -> None:
    fleet.core("fra")
    host.ahead = -185
    with fleet.rounds() as rounds:
        first, second = next(rounds), next(rounds)
    (said,) = first.warnings
    assert said.startswith("ams: its clock is 3 min behind this machine's")
    assert first.warnings == second.warnings


def test_pitfall_19_a_wrong_clock_here_is_told_once(fleet: Fleet, host: Core) -> None:
    host.ahead, fleet.core("fra").ahead = -7200, -7201
    (said,) = fleet.collect().warnings
    assert said.startswith("the clock of this machine is 2 h ahead of that of every host")


def test_users_that_the_inventory_does_not_name_are_noted_and_counted(
    fleet: Fleet, host: Core
) -> None:
    host.use("eve", 1, 1)
    host.use("~nobody", 1, 1)
    outcome = fleet.collect()
    assert outcome.notes == ("ams: counts users that are not in the inventory: eve",)
    assert fleet.usage("eve") == Traffic(1, 1)


def test_pitfall_23_one_hung_host_costs_its_own_line(fleet: Fleet, host: Core) -> None:
    fleet.world.host(fleet.world.silent_port(), "hung")
    host.use("alice", 1, 1)
    outcome = fleet.collect(deadline=3.0)
    assert outcome.read == ("ams",)
    assert [failure.host for failure in outcome.failures] == ["hung"]
    assert of_round(outcome) == 3
    assert fleet.usage() == Traffic(1, 1)


def test_a_core_that_hangs_keeps_nobody_from_its_disk(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    host.keep("minute")
    host.server.api = fleet.world.runtime / "silent"
    with ExitStack() as opened:
        silent = opened.enter_context(socket.socket(socket.AF_UNIX))
        silent.bind(str(host.server.api))
        silent.listen()
        outcome = fleet.collect(deadline=5.0)
    assert "gave no answer in time" in str(outcome.failures[0])
    assert outcome.booked == Traffic(1, 1)


def test_pitfall_16_nothing_is_done_to_a_host(fleet: Fleet, host: Core) -> None:
    host.use("alice", 1, 1)
    host.restart(B)
    fleet.collect()
    first, second = host.server.commands
    assert first == probe.PROBE
    assert second == disk.fetch_command([disk.ReadingFile(f"{A}.last.json", A, 0, "0")])
    assert set(host.stats.calls) == {"QueryStats", "GetSysStats"}
    assert set(host.stats.requests) == {b""}  # no pattern, and no reset


def test_a_host_without_a_rollout_has_an_empty_disk(fleet: Fleet, host: Core) -> None:
    host.readings.rmdir()
    assert of_round(fleet.collect()) == 0


CARDS = {
    "a server": (["hardware 1 5 7", "virtual 772 9 9"], (5, 7)),
    "docker on it": (
        ["hardware 1 5 7", "inner-bridge 1 9 9", "virtual-brport 1 9 9", "virtual 772 9 9"],
        (5, 7),
    ),
    "a bridge over its card": (["hardware-brport 1 5 7", "inner-bridge 1 9 9"], (5, 7)),
    "a bond of two, with a VLAN": (
        ["hardware 1 5 7", "hardware 1 50 70", "inner-bonding 1 9 9", "inner 1 9 9"],
        (55, 77),
    ),
    "a tunnel": (["hardware 1 5 7", "virtual-tun_flags 65534 9 9", "inner 65534 9 9"], (5, 7)),
    "a container": (["virtual 1 5 7", "virtual 772 9 9"], (5, 7)),
    "an OpenVZ container": (["virtual 65535 5 7", "virtual 772 9 9"], (5, 7)),
    "a container with a tunnel": (["virtual 1 5 7", "virtual-tun_flags 65534 9 9"], (5, 7)),
}


@pytest.mark.parametrize(("cards", "expected"), CARDS.values(), ids=list(CARDS))
def test_what_leaves_the_host_is_counted_once(cards: list[str], expected: tuple[int, int]) -> None:
    printed = "\n".join(["boot b", *(f"card {card}" for card in cards), "end", ""])
    nic = probe.parse_probe(printed, "ams", datetime.now(UTC)).nic
    assert nic
    assert (nic.received, nic.sent) == expected


def test_an_answer_that_is_cut_off_is_none() -> None:
    with pytest.raises(ValueError, match="cut off"):
        probe.parse_probe("boot b\ncard hardware 1 5", "ams", datetime.now(UTC))


def test_large_files_are_fetched_in_parts() -> None:
    files = [disk.ReadingFile(f"{n}.last.json", str(n), 6 << 20, "0") for n in range(3)]
    assert [len(part) for part in disk.batches(files)] == [1, 1, 1]


def test_file_names_are_checked() -> None:
    names = ["a.last.json", "b;reboot.last.json", ".c.last.json", "d.json", "e.minute.json"]
    printed = "\n".join(["boot b", *(f"file 1 1.5 {name}" for name in names), "end"])
    assert [k.run for k in probe.parse_probe(printed, "a", datetime.now(UTC)).files] == ["a", "e"]


@pytest.mark.parametrize("unit", ["ops-collect.service", "ops-collect-once.service"])
def test_a_shipped_unit_types_what_the_command_understands(tmp_path: Path, unit: str) -> None:
    starter.write(tmp_path)
    lines = (tmp_path / "systemd" / unit).read_text().splitlines()
    words = next(line for line in lines if line.startswith("ExecStart=")).split()[1:]
    assert words[0] == "collect"
    parent = cli.make_context("ops", ["collect"])
    context = collect.make_context("collect", words[1:], parent=parent)
    assert context.params["quiet"] == ("once" in unit)
