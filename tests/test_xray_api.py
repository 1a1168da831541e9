"""Xray's API: the client against a real gRPC server, the printout, the counters' names."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from ops.counting.xray_api import (
    UnavailableError,
    open_api,
    printed_command,
    printing_failed,
    read,
    read_printed,
    reading_of,
)
from ops.counting.xray_api.stubs import stats_pb2
from ops.errors import ApiError
from ops.model import Host, Reading, Traffic
from proto import STUBS, write_stubs
from tests.ssh_server import short_folder
from tests.stats_server import COUNTERS, RUN, Stats, serving

HOST = Host(name="fra1")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def ask(target: Path, host: Host = HOST, timeout: float = 30) -> Reading:
    return asyncio.run(read(f"unix:{target}", host, timeout=timeout))


def reading(counters: dict[str, int]) -> Reading:
    return reading_of(counters.items(), host="fra1", way="socket", read_at=NOW, counting_since=NOW)


def test_the_stubs_are_fresh(tmp_path: Path) -> None:
    write_stubs(tmp_path)
    for made in (tmp_path / STUBS).iterdir():
        assert made.read_text() == (STUBS / made.name).read_text(), "run `make proto`"


def test_a_reading_holds_the_counters_and_the_run(folder: Path) -> None:
    with serving(folder / "api", Stats()):
        found = ask(folder / "api")
    assert found.host == "fra1"
    assert found.run == RUN
    assert found.way == "socket"
    assert found.users == {
        "alice": Traffic(100, 2_000_000_000_000),
        "bob@example.com": Traffic(0, 7),
    }
    assert found.inbounds == {"reality": Traffic(120, 2_100_000_000_000)}
    assert found.outbounds == {"direct": Traffic()}


def test_the_run_began_its_uptime_ago(folder: Path) -> None:
    with serving(folder / "api", Stats(uptime=90)):
        found = ask(folder / "api")
    assert 90 <= (found.read_at - found.counting_since).total_seconds() < 92
    assert found.counting_since.microsecond == 0


def test_nothing_is_ever_reset(folder: Path) -> None:
    stats = Stats()
    with serving(folder / "api", stats):
        ask(folder / "api")
    assert stats.requests == [b""]
    assert "reset" not in stats_pb2.QueryStatsRequest.DESCRIPTOR.fields_by_name


def test_the_same_run_is_asked_only_once_when_it_began(folder: Path) -> None:
    stats = Stats()

    async def twice() -> tuple[Reading, Reading]:
        async with open_api(f"unix:{folder / 'api'}", HOST) as api:
            first = await api.read(timeout=30)
            return first, await api.read(timeout=30, previous=first)

    with serving(folder / "api", stats):
        first, second = asyncio.run(twice())
    assert sorted(stats.calls) == ["GetSysStats", "QueryStats", "QueryStats"]
    assert second.counting_since == first.counting_since


def test_another_run_is_asked_anew_when_it_began(folder: Path) -> None:
    async def after(previous: Reading) -> Reading:
        async with open_api(f"unix:{folder / 'api'}", HOST) as api:
            return await api.read(timeout=30, previous=previous)

    with serving(folder / "api", Stats(uptime=5)):
        old = replace(ask(folder / "api"), run="before", counting_since=NOW)
        assert asyncio.run(after(old)).counting_since != NOW


def test_a_reply_beyond_4_mib_is_read(folder: Path) -> None:
    many = {f"user>>>{n:030}>>>traffic>>>uplink": 2**30 for n in range(70_000)}
    with serving(folder / "api", Stats(counters=COUNTERS | many)):
        assert len(ask(folder / "api").users) == 70_002


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (grpc.StatusCode.UNKNOWN, "answered UNKNOWN (so it is)"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too large"),
        (grpc.StatusCode.PERMISSION_DENIED, "answered PERMISSION_DENIED"),
    ],
)
def test_a_status_becomes_a_sentence(folder: Path, status: grpc.StatusCode, words: str) -> None:
    with serving(folder / "api", Stats(status=status)), pytest.raises(ApiError) as caught:
        ask(folder / "api")
    assert str(caught.value).startswith("fra1: ")
    assert words in str(caught.value)


def test_an_api_without_statistics_says_so(folder: Path) -> None:
    with serving(folder / "api", None), pytest.raises(ApiError, match="no StatsService"):
        ask(folder / "api")


def test_nobody_at_the_socket_is_unavailable(folder: Path) -> None:
    with pytest.raises(UnavailableError, match="nothing answers at its API"):
        ask(folder / "api")


def test_a_hung_core_ends_at_the_deadline(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "api"))
        silent.listen()
        with pytest.raises(ApiError, match="no answer in time"):
            ask(folder / "api", timeout=0.2)


def test_a_core_that_counts_nothing_is_an_error() -> None:
    with pytest.raises(ApiError, match="keeps no statistics"):
        reading({"user>>>alice>>>traffic>>>uplink": 1})


def test_a_name_may_hold_the_mark() -> None:
    found = reading(COUNTERS | {"user>>>a>>>b>>>traffic>>>uplink": 9})
    assert found.users["a>>>b"] == Traffic(9, 0)


def test_what_is_no_traffic_is_passed_over() -> None:
    found = reading(COUNTERS | {"user>>>alice>>>online": 3, "other>>>x>>>traffic>>>uplink": 3})
    assert found.users["alice"] == Traffic(100, 2_000_000_000_000)


def test_a_core_of_someone_else_has_no_run() -> None:
    found = reading({n: v for n, v in COUNTERS.items() if RUN not in n})
    assert found.run == ""


def test_the_printout_reads_like_the_reply() -> None:
    # int64 as strings, zero left out: what other printers of protobuf do.
    stats = [{"name": n, "value": str(v)} if v else {"name": n} for n, v in COUNTERS.items()]
    text = json.dumps({"stat": stats}, indent=4) + "\n" + json.dumps({"Uptime": 3600}) + "\n"
    found = read_printed(text, HOST)
    assert found.way == "exec"
    assert (found.users, found.run) == (reading(dict(COUNTERS)).users, RUN)


@pytest.mark.parametrize("text", ["", "{}", "Warning: ...\n{}", '{"stat": [{}]} {}', "[] []"])
def test_another_printout_is_an_error(text: str) -> None:
    with pytest.raises(ApiError, match="printed no statistics"):
        read_printed(text, HOST)


def test_the_command_asks_where_the_api_is() -> None:
    assert "-s unix:/run/xray/api.sock" in printed_command(HOST)
    assert "-s 127.0.0.1:10085" in printed_command(replace(HOST, api="inbound"))


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("failed to dial unix:/run/xray/api.sock", "not running"),
        ("admin may not use sudo on it without a password", "needs sudo: admin may not use sudo"),
        ("sh: 1: /usr/local/lib/xray/current/xray: not found", "no core at"),
        ("nothing of ours", "nothing was rolled out there yet: `pyinfra inventory deploy.py"),
        ("no core", "there is no core at"),
        ("no working core", "is damaged: roll it out"),
        ("Segmentation fault", "failed: Segmentation fault"),
    ],
)
def test_a_failed_printout_says_why(complaint: str, words: str) -> None:
    assert words in str(printing_failed(HOST, complaint))
