"""What reads hosts, asked for one host of a case; what it believes is held against the truth."""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, get_args
from unittest import mock

from ops.cli import hosts as hosts_shown
from ops.cli.printing import console, live_table
from ops.counting.collecting import visiting
from ops.counting.collecting.disk import fetched_files
from ops.counting.collecting.visiting import Visit, Visitor
from ops.counting.reading import Round
from ops.counting.reading.commands import Inspection, version_of
from ops.counting.reading.host_reader import HostReader
from ops.counting.tunnel import CommandError, Deadline
from ops.counting.xray_api.stubs import stats_pb2
from ops.errors import HostError
from ops.model import Fleet, Host, Reading
from ops.model.untrusted import LARGEST_COUNT
from ops.reporting.comparison import other_figures
from ops.reporting.comparison.figures import Figures
from ops.reporting.hosts import host_report
from ops.reporting.live import live_report
from ops.reporting.rows import Grouping
from ops.reporting.selection import Selection
from ops.reporting.shapes import live as shapes
from ops.servers.changes import drift
from ops.servers.on_host import places
from ops.servers.planning.decision import LoadedFleet
from ops.servers.secrets_on_host import secrets_in
from tests.fuzzing import truth
from tests.fuzzing.host import FLEET, FuzzedHost
from tests.fuzzing.line import FuzzedLine
from tests.fuzzing.mutating import json_bytes, mangled

STEERING = frozenset(
    chr(code) for code in range(0x110000) if unicodedata.category(chr(code))[0] == "C"
) | {"\u2028", "\u2029"}
_BUT_LINES = STEERING - {"\n"}
LONGEST = 700
"""Characters of an error."""


def visited(fuzzed: FuzzedHost) -> Visit | HostError:
    """Return what `ops collect` learns of the host; what it says of it is proved true."""
    line = fuzzed.line()

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[HostReader]:
        yield HostReader(line, fuzzed.api())  # type: ignore[arg-type]

    async def visit() -> Visit:
        with mock.patch.object(visiting, "open_reader", opened):
            visitor = Visitor(None, fuzzed.host, FLEET, warm=False)  # type: ignore[arg-type]
            return await visitor.visit((), Deadline.after(3600))

    try:
        found = asyncio.run(visit())
    except HostError as error:
        check_error(error)
        return error
    if found.failure:
        check_error(found.failure)
    for warning in found.warnings:
        assert len(warning) <= LONGEST + 100, warning[:LONGEST]
        assert not STEERING & set(warning), warning
    _check_readings(fuzzed, line, found)
    return found


def _check_readings(fuzzed: FuzzedHost, line: FuzzedLine, found: Visit) -> None:
    if now := found.observation.now:
        _check(now, _live_truth(fuzzed, line, now))
    files = dict(
        held
        for command, text in line.said.items()
        if command.startswith("cd ")
        for held in fetched_files(text)
    )
    said = [json.loads(text) for text in files.values() if _is_json(text)]
    for reading in found.observation.on_disk:
        held = next(one for one in said if isinstance(one, dict) and one.get("run") == reading.run)
        _check(reading, truth.users_printed(held["statsquery"]))


def _live_truth(fuzzed: FuzzedHost, line: FuzzedLine, now: Reading) -> truth.Users:
    if now.way == "exec":
        text = next(text for command, text in line.said.items() if "statsquery" in command)
        return truth.users_printed(truth.first_json(text))
    reply = stats_pb2.QueryStatsResponse.FromString(fuzzed.stats)
    return truth.users_of((stat.name, stat.value) for stat in reply.stat)


def _check(reading: Reading, said: truth.Users) -> None:
    users = {name: (used.uplink, used.downlink) for name, used in reading.users.items()}
    assert users == said, f"{users} is believed of {said}"
    for name, used in reading.users.items():
        assert name.isprintable(), name
        assert 0 <= used.uplink <= LARGEST_COUNT, used
        assert 0 <= used.downlink <= LARGEST_COUNT, used
    assert sum(map(sum, users.values())) <= LARGEST_COUNT


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def check_error(error: HostError) -> None:
    """Raise AssertionError if *error* is long, steers a terminal, or shows a bug or a script."""
    text = str(error)
    assert len(text) <= LONGEST, text[:LONGEST]
    assert not STEERING & set(text), text
    assert "please report it" not in text, text
    assert "printf" not in text, text


def check_shown(fleet: Fleet, host: Host, outcome: Visit | HostError) -> None:
    """Show what came of a visit as `ops traffic` does, in each of its forms."""
    now = None if isinstance(outcome, HostError) else outcome.observation.now
    failed = outcome if isinstance(outcome, HostError) else outcome.failure
    answer = Round(readings=(now,) if now else (), failures=(failed,) if failed else ())
    for by in get_args(Grouping):
        report = live_report(Selection(fleet), answer, by)
        shown = [
            console.as_json(shapes.live_traffic(report)),
            live_table.csv(report),
            live_table.rates(report),
        ]
        check_text(shown)
        if by == "key" and now:
            used = (v for name, v in now.users.items() if not name.startswith("~"))
            assert report.total.total == sum(one.total for one in used)


def check_text(shown: Iterable[str]) -> None:
    """Raise AssertionError if something in *shown* steers a terminal or cannot be encoded."""
    for text in shown:
        text.encode()
        plain = text.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert not _BUT_LINES & set(plain), text[:LONGEST]


def inspected(fuzzed: FuzzedHost) -> str:
    """Ask for its core's version as `ops hosts` does, and show it."""
    try:
        version = version_of(asyncio.run(fuzzed.line().run("/usr/local/lib/xray/current/xray v")))
    except (CommandError, HostError) as error:
        check_error(error)
        return "refused"
    failure = HostError(fuzzed.host.name, "no answer")
    inspection = Inspection(core=version, reading=failure)
    report = host_report(fuzzed.host, inspection, None)
    table = console.table(hosts_shown._HEADINGS, [hosts_shown._row(report)])
    check_text([console.as_json([shapes.host(report)]), table])
    return "believed"


def compared(fuzzed: FuzzedHost) -> str:
    """Ask for its other figures as `ops compare` does."""
    true = (
        b"boot b\ncard hardware 1 500 700\nsocket 0 0 a b bytes_acked:900 bytes_received:100\n"
        b"logged\nlog 5 alice\nlog 2 -\nTcp: A PassiveOpens\nTcp: 1 7\n"
    )
    raw = mangled(fuzzed.rng, true).decode("utf-8", "replace")
    try:
        card, guess = other_figures.parse(raw, fuzzed.host)
    except ValueError as error:
        check_error(HostError(fuzzed.host.name, str(error)))
        return "refused"
    figures = Figures(host=fuzzed.host.name, reading=None, card=card, estimate=guess)
    assert guess.total >= 0
    assert guess.of("alice", 2) >= 0
    check_text([console.as_json({"figures": [str(figures.estimate), guess.shares]})])
    return "believed"


def recovered(fuzzed: FuzzedHost, fleet: Fleet, host: Host, config: Any) -> str:
    """Take the secrets out of its config as `ops secrets recover` does."""
    raw = json_bytes(fuzzed.rng, config).decode("utf-8", "replace")
    try:
        found = secrets_in(fleet, host, raw)
    except HostError as error:
        check_error(error)
        return "refused"
    for place, value in found:
        assert isinstance(value, str | list), place
        assert len(str(value)) < 5000
    return "believed"


def drifted(fuzzed: FuzzedHost, loaded: LoadedFleet, host: Host, state: Any) -> str:
    """Compare it with the inventory as `ops diff --servers` does."""
    raw = places.ANSWER + json_bytes(fuzzed.rng, state).decode("utf-8", "replace")
    try:
        drifted = drift.host_drift(loaded, host, raw)
    except HostError as error:
        check_error(error)
        return "refused"
    check_text([*drifted.lines, drifted.refusal])
    return "believed"
