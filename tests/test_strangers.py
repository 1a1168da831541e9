"""What a host sends is a stranger's data: one bad host is one failed host, told in a sentence."""

import asyncio
import json
import os
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops.cli import cli
from ops.cli.printing import console
from ops.cli.printing.exit_codes import of_round
from ops.counting import reading
from ops.counting.collecting import probe
from ops.counting.collecting.disk import parse_last_reading
from ops.counting.reading.fan_out import Outcomes, on_each
from ops.counting.tunnel import CommandError
from ops.counting.xray_api import printed_command, printing_failed, read_printed, reading_of
from ops.errors import ApiError, HostError
from ops.model import Core as Corepin
from ops.model import Fleet as Hosts
from ops.model import Host, NicCounters, Reading, Traffic
from ops.model.layout import CONFIG, CORE, CORES, SOCKET
from ops.model.untrusted import LARGEST_COUNT
from ops.model.visible import visible
from ops.reporting.comparison.figures import Figures, since
from ops.reporting.rates import rates
from ops.reporting.rows import by_key
from tests.collectors import Core, Fleet, a_fleet, known_host, run_called
from tests.ledgers import NOON
from tests.ssh_server import World, a_world, short_folder
from tests.stats_server import COUNTERS, RUN

HOST = Host(name="fra1")
NASTY = "\x1b[2J\x1b]0;owned\x07\u202e\u2028\x85\x7f\r\n\ud800"
STEERING = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code))[0] == "C"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with short_folder() as runtime, a_world(tmp_path) as world:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        world.runtime = runtime
        yield world


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with a_fleet(tmp_path, monkeypatch) as fleet:
        yield fleet


def ask(world: World, command: str = "id", deadline: float = 20) -> Outcomes[str]:
    return reading.run_on_hosts(world.fleet, world.hosts, command, deadline=deadline)


def test_no_character_of_a_stranger_steers_a_terminal() -> None:
    shown = visible("".join(sorted(STEERING)))
    assert not STEERING & set(shown)
    assert visible("bob@example.com über 日本") == "bob@example.com über 日本"


def test_words_of_a_host_are_visible_and_bounded_in_every_error() -> None:
    error = HostError("fra1", NASTY + "x" * 10_000)
    assert str(error).isprintable()
    assert len(str(error)) < 600


def test_tables_json_and_csv_show_no_character_that_steers() -> None:
    printed = [
        console.table(["key"], [[NASTY]]),
        console.as_csv(["key"], [[NASTY]]),
        console.as_json({"key": NASTY}),
    ]
    printed[0] = click.unstyle(printed[0])
    for text in printed:
        assert not (STEERING - {"\n"}) & set(text)
        text.encode()
    assert printed[0].count("\n") == printed[1].count("\n") == 1
    assert json.loads(printed[2])["key"] == NASTY


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_a_csv_cell_is_no_formula(first: str) -> None:
    cell = console.as_csv(["key"], [[f"{first}HYPERLINK(1)"]]).splitlines()[1]
    assert cell.strip('"')[0] == "'"


def test_a_value_is_read_where_it_is_plausible_and_refused_where_not() -> None:
    for value in (-1, LARGEST_COUNT + 1, 2**63 - 1, -(2**63)):
        with pytest.raises(ApiError, match="no count"):
            _reading({**COUNTERS, "user>>>eve>>>traffic>>>uplink": value})
    many = {f"user>>>{n}>>>traffic>>>uplink": LARGEST_COUNT for n in range(2)}
    with pytest.raises(ApiError, match="add up to more than 9 PB"):
        _reading({**COUNTERS, **many})
    assert _reading({**COUNTERS, "user>>>eve>>>traffic>>>uplink": 2**50}).users["eve"].uplink


def test_sums_over_a_thousand_runs_fit_into_63_bits() -> None:
    assert 1024 * LARGEST_COUNT < 2**63


def _reading(counters: dict[str, int]) -> Reading:
    now = datetime.now(UTC)
    pairs = counters.items()
    return reading_of(pairs, host="fra1", way="socket", read_at=now, counting_since=now)


BAD_PRINTOUTS = {
    "Infinity": '{"stat": [{"name": "user>>>a>>>traffic>>>uplink", "value": Infinity}]}',
    "nested": "[" * 100_000,
    "nested objects": '{"stat":' * 100_000,
    "a name that is no text": '{"stat": [{"name": 5, "value": 1}]}',
    "a list as a name": '{"stat": [{"name": [[]], "value": 1}]}',
    "a float": '{"stat": [{"name": "user>>>a>>>traffic>>>uplink", "value": 1.5}]}',
    "1e999": '{"stat": [{"name": "user>>>a>>>traffic>>>uplink", "value": 1e999}]}',
    "true": '{"stat": [{"name": "user>>>a>>>traffic>>>uplink", "value": true}]}',
    "digits of another alphabet": '{"stat": [{"name": "x", "value": "\u0665"}]}',
    "an underscore": '{"stat": [{"name": "x", "value": "1_0"}]}',
    "a huge number": '{"stat": [{"name": "x", "value": ' + "9" * 5000 + "}]}",
    "a long name": json.dumps({"stat": [{"name": "x" * 100_000, "value": 1}]}),
    "too many": json.dumps({"stat": [{"name": "x"}] * 100_001}),
    "a counter twice": json.dumps({"stat": [{"name": "user>>>a>>>traffic>>>uplink"}] * 2}),
    "two runs": json.dumps(
        {"stat": [{"name": f"outbound>>>run-{run}>>>traffic>>>uplink"} for run in "ab"]}
    ),
    "a run that is no name": json.dumps(
        {"stat": [{"name": f"outbound>>>run-{NASTY}>>>traffic>>>uplink"}]}
    ),
}


@pytest.mark.parametrize("bad", BAD_PRINTOUTS)
def test_a_printout_that_breaks_a_rule_is_one_short_error(bad: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_printed(BAD_PRINTOUTS[bad] + '\n{"Uptime": 5}', HOST)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("uptime", ["-1", "1e400", '"x"', str(2**40), "9" * 4000, "null", "[]"])
def test_an_uptime_that_no_core_has_is_an_error(uptime: str) -> None:
    stats = json.dumps({"stat": [{"name": name, "value": 1} for name in COUNTERS]})
    with pytest.raises(ApiError, match="no statistics"):
        read_printed(f'{stats}\n{{"Uptime": {uptime}}}', HOST)


def test_a_name_is_shown_with_its_control_characters_visible() -> None:
    found = _reading({**COUNTERS, f"user>>>{NASTY}>>>traffic>>>uplink": 1})
    assert all(name.isprintable() for name in found.users)
    assert "\\x1b[2J" in "".join(found.users)


def test_noise_of_a_login_shell_changes_no_answer(world: World) -> None:
    def noisy(mark: str) -> bytes:
        frame = b"\n=begin-%s 4=\nhi\n0\n\n=end-%s=\n" % (mark.encode(), mark.encode())
        return b"boot\n" * 1000 + frame + b"bye\n"

    world.host(world.server(raw=noisy).port)
    assert ask(world).results == {"host0": "hi"}


def test_endless_output_costs_one_host_and_little_memory(world: World) -> None:
    world.host(world.server(raw=lambda _: b"x" * (40 << 20)).port, "flood")
    world.host(world.server(answer=lambda _: (0, "hi", "")).port, "good")
    outcome = ask(world)
    assert outcome.results == {"good": "hi"}
    assert [str(failure) for failure in outcome.failures] == [
        "flood: it printed more than 33 MiB: nothing is read of it"
    ]


def test_a_sudo_that_wants_a_password_is_told_with_its_remedy(world: World) -> None:
    server = world.server()
    server.raw_complaint = b"sudo: a password is required\n"
    world.host(server.port, user="admin")
    [failure] = ask(world).failures
    assert str(failure) == (
        "host0: admin may not use sudo on it without a password (sudo: a password is required):"
        ' allow it in /etc/sudoers.d, or set ssh_user = "root"'
    )


def test_a_remote_script_is_never_in_an_error(world: World) -> None:
    world.host(world.server(answer=lambda _: (1, "", "")).port)
    world.host(world.server(raw=lambda _: b"This account is not available.\n").port)
    silent = world.server()
    silent.mute = True
    world.host(silent.port)
    script = "echo one\necho two; exit 1"
    said = [str(failure) for failure in ask(world, script, deadline=2).failures]
    assert said[0] == "host0: a command ended with status 1"
    assert said[1] == "host1: its login shell runs no commands: This account is not available."
    assert said[2] == "host2: ssh is up, but a command did not end in time"


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("tee: /x: No space left on device", "its disk is full: make room on it (tee: /x: No"),
        ("touch: Read-only file system", "its file system is read-only: see `dmesg` on it (t"),
        (NASTY.replace("\n", ""), "\\x1b[2J"),
    ],
)
def test_what_a_host_complains_of_is_a_sentence(world: World, complaint: str, told: str) -> None:
    printable = complaint.encode("utf-8", "replace").decode()
    world.host(world.server(answer=lambda _: (1, "", printable)).port)
    [failure] = ask(world).failures
    assert isinstance(failure, CommandError)
    assert told in str(failure)
    assert str(failure).isprintable()


def test_a_bug_of_ours_stops_no_other_host() -> None:
    async def work(host: Host, _: object) -> str:
        if host.name == "host0":
            raise KeyError("x")
        return "fine"

    hosts = [Host(name="host0"), Host(name="host1")]
    found = asyncio.run(on_each(hosts, work, deadline=1))
    assert found.results == {"host1": "fine"}
    assert "please report it (KeyError: 'x', test_strangers.py line" in str(found.failures[0])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that stands in for / of a host."""
    return tmp_path / "root"


CORE_STATES = {
    "nothing": "nothing was rolled out there yet: `pyinfra inventory deploy.py --limit fra1`",
    "config only": "there is no core at",
    "not executable": "there is no core at",
    "empty": "is damaged: roll it out",
    "half": "is damaged: roll it out",
    "stopped": "its core is not running",
}


@pytest.mark.parametrize("state", CORE_STATES)
def test_the_state_of_a_core_that_does_not_answer_is_named(root: Path, state: str) -> None:
    root.mkdir()
    core = Path(f"{root}{CORE}")
    if state != "nothing":
        Path(f"{root}{CONFIG}").parent.mkdir(parents=True)
        Path(f"{root}{CONFIG}").touch()
    if state not in ("nothing", "config only"):
        core.parent.mkdir(parents=True)
        core.write_bytes({"half": b"\x7fELF\x02\x01\x01", "stopped": b"#!/bin/sh"}.get(state, b""))
        core.chmod(0o644 if state == "not executable" else 0o755)
    host = Host(name="fra1", api="socket" if state == "stopped" else "inbound")
    command = printed_command(host)
    for path in (CONFIG, CORES, SOCKET):
        command = command.replace(path, f"{root}{path}")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    complaint = done.stderr.strip().splitlines()[-1]
    assert CORE_STATES[state] in str(printing_failed(host, complaint))


@pytest.mark.parametrize("name", ["fifo", "folder", "link"])
def test_what_is_no_file_among_the_readings_is_passed_over(fleet: Fleet, name: str) -> None:
    host = known_host(fleet)
    host.use("alice", 1, 1)
    host.restart(run_called("b"))
    odd = host.readings / f"{run_called('c')}.last.json"
    if name == "fifo":
        os.mkfifo(odd)
    elif name == "folder":
        odd.mkdir()
    else:
        odd.symlink_to("/etc/passwd")
    outcome = fleet.collect(deadline=5.0)
    assert (of_round(outcome), outcome.warnings) == (0, ())
    assert outcome.booked.total == 2


def test_a_sparse_file_is_named_and_not_fetched(fleet: Fleet) -> None:
    host = known_host(fleet)
    host.use("alice", 1, 1)
    host.restart(run_called("b"))
    huge = host.readings / f"{run_called('c')}.last.json"
    with huge.open("wb") as file:
        file.truncate(1 << 30)
    outcome = fleet.collect()
    assert outcome.booked.total == 2
    assert f"{huge.name} on its disk is left out: it has 1024 MiB" in outcome.warnings[0]
    assert huge.name not in host.server.commands[-1]


BAD_READINGS = {
    "negative": lambda held: held["statsquery"]["stat"].append(
        {"name": "user>>>alice>>>traffic>>>uplink", "value": -5}
    ),
    "2^63": lambda held: held["statsquery"]["stat"].append(
        {"name": "user>>>alice>>>traffic>>>uplink", "value": 2**63}
    ),
    "no moment": lambda held: held.update(read_at="0001-01-01T00:00:00+14:00"),
    "far future": lambda held: held.update(counting_since="9999-12-31T23:59:59-14:00"),
    "a number as a moment": lambda held: held.update(read_at=5),
    "another run than its name": lambda held: held.update(run="x"),
}


@pytest.mark.parametrize("bad", BAD_READINGS)
def test_a_bad_reading_is_set_aside_and_named_and_later_ones_are_booked(
    fleet: Fleet, bad: str
) -> None:
    host = known_host(fleet)
    host.restart(run_called("b"), planned=False)
    file = host.keep("last")
    held = json.loads(file.read_text())
    BAD_READINGS[bad](held)
    file.write_text(json.dumps(held))
    host.restart(run_called("c"), planned=False)
    host.use("alice", 10, 20)
    host.restart(run_called("d"))
    outcome = fleet.collect()
    assert f"ams: {file.name} on its disk is left out: " in outcome.warnings[0]
    assert of_round(outcome) == 0
    assert outcome.booked.total == 30


def test_many_bad_readings_are_a_few_lines(fleet: Fleet) -> None:
    host = known_host(fleet)
    for number in range(50):
        (host.readings / f"{number:032}.last.json").write_text("{")
    outcome = fleet.collect()
    assert len(outcome.warnings) == 6
    assert "45 more files on its disk are left out" in "".join(outcome.warnings)


def test_a_bad_live_answer_is_a_failure_whose_disk_is_read(fleet: Fleet) -> None:
    host = known_host(fleet)
    host.use("alice", 10, 20)
    host.restart(run_called("b"))
    host.stats.counters = {**host.stats.counters, "user>>>eve>>>traffic>>>uplink": -1}
    outcome = fleet.collect()
    assert "-1 is no count" in str(outcome.failures[0])
    assert (of_round(outcome), outcome.booked.total) == (4, 30)


@pytest.mark.parametrize(
    "line",
    [
        "card",
        "card hardware 1 5",
        "card hardware 1 x 5",
        f"card hardware 1 {2**70} 5",
        "clock x",
        f"clock {'9' * 5000}",
        "\n".join(["file 1 1.5 a.last.json"] * 5001),
        f"file {'9' * 5000} 1.5 a.last.json",
    ],
)
def test_a_probe_that_breaks_a_rule_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        probe.parse_probe(f"boot b\n{line}\nend\n", "ams", datetime.now(UTC))


@pytest.mark.parametrize("line", ["file", "file 1 nan a.last.json", "file 1 x", "boot", "clock"])
def test_a_line_of_a_probe_that_is_malformed_is_passed_over(line: str) -> None:
    found = probe.parse_probe(f"{line}\nend\n", "ams", datetime.now(UTC))
    assert (found.files, found.nic, found.clock) == ((), None, None)


@pytest.mark.parametrize("text", ["null", "5", '"x"', "[[", '{"statsquery": 5}', "\ud800"])
def test_a_file_that_is_no_reading_is_an_error_of_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is no reading"):
        parse_last_reading(text, "ams")


def in_maintenance(fleet: Fleet, *names: str) -> None:
    file = fleet.world.folder / "inventory" / "hosts.toml"
    until = date.today() + timedelta(days=2)  # noqa: DTZ011 (as the inventory does)
    for name in names:
        table = f'[hosts.{name}]\nmaintenance = {{ until = {until}, why = "new disk" }}\n'
        file.write_text(file.read_text().replace(f"[hosts.{name}]\n", table))


def typed(fleet: Fleet, *words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, [*words, "--fleet", str(fleet.world.folder)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def two(fleet: Fleet) -> tuple[Core, Core]:
    both = fleet.core("ams"), fleet.core("fra", run=run_called("b"))
    for core in both:
        core.use("alice", 100, 200)
    fleet.write()
    return both


@pytest.mark.usefixtures("two")
def test_a_total_without_a_host_in_maintenance_says_so(fleet: Fleet) -> None:
    in_maintenance(fleet, "fra")
    code, printed, _ = typed(fleet, "traffic")
    assert code == 0
    assert "total of 1 of 2 hosts" in printed
    code, printed, _ = typed(fleet, "traffic", "--json")
    assert json.loads(printed)["certainty"] == "at least"
    assert typed(fleet, "stats", "user", "alice")[:2] == (3, "")
    assert typed(fleet, "stats", "user", "alice", "--partial")[0] == 0


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("words", [["traffic"], ["stats", "users"], ["hosts"], ["compare"]])
def test_where_no_host_is_left_to_ask_that_is_said(fleet: Fleet, words: list[str]) -> None:
    in_maintenance(fleet, "ams", "fra")
    code, _, complaint = typed(fleet, *words)
    assert code == 4
    assert "no host was asked: each selected host is in maintenance or absent" in complaint


def test_negative_and_overflowing_counters_are_no_figures(
    fleet: Fleet, two: tuple[Core, Core]
) -> None:
    two[0].use("bob", -5, 0)
    code, printed, complaint = typed(fleet, "traffic", "--csv")
    assert code == 3
    assert "alice,100,200,300,at least" in printed
    assert complaint.startswith("ams: its API sent an impossible answer: -5 is no count")


def test_a_reply_of_too_many_users_is_one_short_failure(
    fleet: Fleet, two: tuple[Core, Core]
) -> None:
    many = {f"user>>>{n}>>>traffic>>>uplink": 1 for n in range(100_001)}
    two[0].stats.counters = {**two[0].stats.counters, **many}
    code, _, complaint = typed(fleet, "traffic", "--timeout", "20")
    assert code == 3
    assert "counters, more than 100000" in complaint
    assert len(complaint) < 1000


def test_a_run_is_known_by_a_name_of_its_own() -> None:
    assert _reading(dict(COUNTERS)).run == RUN


def test_a_counter_that_fell_gives_no_rate_and_no_negative_figure() -> None:
    before = _reading({**COUNTERS, "user>>>bob>>>traffic>>>uplink": 50})
    now = replace(_reading(dict(COUNTERS)), read_at=before.read_at + timedelta(seconds=1))
    fallen = replace(now, users={**now.users, "bob": Traffic(5, 0)})
    empty = Hosts(folder=Path(), core=Corepin(version="1"), hosts=(HOST,), keys=())
    assert rates(empty, [fallen], [before], "key") == []
    assert rates(empty, [before], [fallen], "host")
    card = NicCounters(host="fra1", boot="b", read_at=NOON, received=100, sent=100)
    first = Figures(host="fra1", reading=before, card=card, users=by_key(before.users))
    second = Figures(
        host="fra1", reading=fallen, card=replace(card, sent=1), users=by_key(fallen.users)
    )
    found = since([first], second)
    assert (found.exact, found.inbounds, found.card) == (None, None, None)
    assert found.error == "its counters fell: somebody resets them"
