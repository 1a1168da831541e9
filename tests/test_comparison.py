"""Every figure of the same bytes, side by side: what each says, and what it says without an API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.cli import cli
from ops.model import Host, Inbound, NicCounters, Reading, Traffic
from ops.reporting.comparison import METHOD
from ops.reporting.comparison.estimate import command, estimate
from ops.reporting.comparison.figures import Figures, since
from tests.collectors import Core, Fleet, a_fleet, known_host
from tests.ledgers import NOON

SOCKETS = [
    "socket 0 0 10.0.0.1:443 10.0.0.2:5 bbr bytes_sent:900 bytes_acked:800 bytes_received:200 x",
    "socket 0 0 10.0.0.1:443 10.0.0.2:6 bbr bytes_received:3000",
]
TCP = ["Tcp: RtoAlgorithm PassiveOpens AttemptFails", "Tcp: 1 50 0"]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with a_fleet(tmp_path, monkeypatch) as fleet:
        yield fleet


@pytest.fixture
def host(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Core:
    host = known_host(fleet)
    monkeypatch.chdir(fleet.world.folder)
    return host


def compare(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = cli(["compare", "--json", *words], standalone_mode=False)
    return code, json.loads(capsys.readouterr().out)


def test_open_connections_are_summed() -> None:
    guess = estimate([*SOCKETS, *TCP], 10**9)
    assert (guess.connections, guess.total, guess.basis) == (2, 4000, "open connections")
    assert [guess.of(key, keys=4) for key in ("alice", "bob")] == [1000, 1000]


def test_the_access_log_says_whose_the_connections_were() -> None:
    guess = estimate([*SOCKETS, "logged", "log 3 alice", "log 1 bob", *TCP], 10**9)
    assert (guess.connections, guess.total, guess.basis) == (4, 8000, "access log")
    assert [guess.of(key, keys=9) for key in ("alice", "bob", "eve")] == [6000, 2000, 0]


def test_without_an_open_connection_the_mean_is_that_of_all_since_boot() -> None:
    guess = estimate(["logged", "log 2 alice", *TCP], 10_000)
    assert (guess.mean, guess.total) == (100, 200)


def test_a_host_that_says_nothing_has_no_connections() -> None:
    assert estimate([], 0).total == 0


def test_the_question_names_the_ports() -> None:
    inbounds = (
        Inbound(name="a", protocol="vless", port=1),
        Inbound(name="b", protocol="vless", port=2),
    )
    assert "( sport = :1 or sport = :2 )" in command(Host(name="x", inbounds=inbounds))
    assert "ss " not in command(Host(name="x"))


def figures(run: str, used: int, boot: str, sent: int) -> Figures:
    users = {"alice": Traffic(used, used)}
    reading = Reading(
        host="ams",
        run=run,
        read_at=NOON,
        counting_since=NOON,
        users=users,
        inbounds={"ss": Traffic(used, 0)},
    )
    card = NicCounters(host="ams", boot=boot, read_at=NOON, received=sent, sent=sent)
    return Figures(host="ams", reading=reading, card=card, users=users)


def test_over_a_span_every_figure_is_of_that_span() -> None:
    now = since([figures("a", 100, "x", 1000)], figures("a", 150, "x", 1700))
    assert (now.exact, now.inbounds) == (Traffic(50, 50), Traffic(50, 0))
    assert now.card
    assert now.card.sent == 700


def test_what_began_anew_in_between_is_all_new() -> None:
    now = since([figures("a", 100, "x", 1000)], figures("b", 30, "y", 20))
    assert now.exact == Traffic(30, 30)
    assert now.card
    assert now.card.sent == 20


def test_the_fields_of_the_contract(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    host.use("alice", 1 << 20, 3 << 20)
    host.use("bob", 1 << 20, 0)
    code, found = compare(capsys)
    assert code == 0
    [shown] = found["hosts"]
    alice = next(row for row in shown["keys"] if row["key"] == "alice")
    for place, total in ((shown, 5.0), (alice, 4.0)):
        assert place["api_available"] is True
        assert (place["exact"]["total_mb"], place["exact"]["error"]) == (total, None)
        assert place["estimate"]["calculation_method"] == METHOD == "estimate_based_on_connections"
        assert isinstance(place["estimate"]["total_mb"], float)
    assert shown["network_card"]["received_bytes"] >= 0


def test_an_estimate_answers_where_the_api_does_not(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    host.server.api = None
    code, found = compare(capsys)
    [shown] = found["hosts"]
    assert code == 4
    assert shown["api_available"] is False
    assert shown["exact"]["total_mb"] is None
    assert "its core is not running" in shown["exact"]["error"]
    assert shown["estimate"]["total_mb"] is not None


def test_counters_answer_where_the_shell_does_not(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    host.disk_fails = "sudo: a password is required"
    code, found = compare(capsys)
    [shown] = found["hosts"]
    assert (code, shown["api_available"], shown["network_card"]) == (0, True, None)
    assert shown["estimate"]["total_mb"] is None


def test_a_host_that_ssh_does_not_reach_is_a_failure(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.world.host(1, "gone")
    fleet.write()
    code, found = compare(capsys)
    assert (code, [failure["host"] for failure in found["failures"]]) == (3, ["gone"])


def test_pitfall_21_people_see_a_table_and_how_the_figures_should_relate(
    fleet: Fleet, host: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    host.use("alice", 0, 3 << 20)
    cli(["compare", "--key", "alice"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "ams          3.0 MiB" in shown
    assert "alice" in shown
    assert "bob" not in shown
    assert "estimate: no fixed relation: a guess from connections" in shown
