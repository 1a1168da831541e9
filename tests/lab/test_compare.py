"""Every figure of the same real bytes, side by side: exact within half a percent, estimates not."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lab.waiting import wait_until
from tests.lab.accounts import API, OPS
from tests.lab.operator import Operator

MIB = 1 << 20


@pytest.fixture(scope="module")
def operator(shared: Operator) -> Operator:
    """Somebody whose fleet is in place on all three hosts, once for all tests here."""
    return shared.reset()


@pytest.fixture
def silent(operator: Operator) -> Iterator[str]:
    """A host whose API nobody reaches, while its core goes on relaying."""
    host = operator.lab.host("lab1")
    host.run("mv /run/xray/api.sock /run/xray/away.sock")
    yield host.name
    host.run("mv /run/xray/away.sock /run/xray/api.sock")


def compare(operator: Operator, *words: str) -> tuple[int, dict[str, Any]]:
    """Type ``ops compare``; its exit code, and what it says of the first host."""
    done = subprocess.run(
        [OPS, "compare", "--json", "--timeout", "30", *words],
        cwd=operator.folder,
        env=operator.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    shown: dict[str, Any] = json.loads(done.stdout)["hosts"][0]
    return done.returncode, shown


def of_key(shown: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in shown["keys"] if row["key"] == key)
    return found


@pytest.mark.parametrize(("host", "inbound"), [("lab1", "reality"), ("lab2", "ws"), ("lab3", "ss")])
def test_pitfall_21_exact_is_within_half_a_percent_and_the_others_relate_as_expected(
    operator: Operator, host: str, inbound: str
) -> None:
    _, before = compare(operator, "--host", host)
    with operator.client("alice", host, inbound) as alice:
        sent = alice.send(up=5_000_011, down=20_000_003, connections=4)
    code, after = compare(operator, "--host", host)
    assert code == 0

    def moved(*path: str) -> float:
        was, now = (_at(of_key(shown, "alice"), path) for shown in (before, after))
        return now - was

    exact = moved("exact", "uplink_bytes") + moved("exact", "downlink_bytes")
    payload = sent.up + sent.down
    assert abs(exact / payload - 1) <= 0.005
    through = _at(after, ("inbounds", inbound, "total_bytes")) - _at(
        before, ("inbounds", inbound, "total_bytes")
    )
    assert 1 <= through / exact < 1.05
    card = sum(
        _at(after, ("network_card", way)) - _at(before, ("network_card", way))
        for way in ("received_bytes", "sent_bytes")
    )
    assert 2 <= card / exact < 2.6
    # The connections are closed: what was estimated from them has nothing left to go by.
    assert of_key(after, "alice")["estimate"]["total_mb"] * MIB < 0.95 * exact


def _at(shown: Any, path: tuple[str, ...]) -> float:
    for name in path:
        shown = shown[name]
    return float(shown)


def test_over_a_span_all_figures_are_of_that_span(operator: Operator) -> None:
    with operator.client("bob", "lab1", "ws") as bob, bob.stream(rate=8 * MIB) as stream:
        stream.wait_for(8 * MIB)
        begun = stream.received
        _, shown = compare(operator, "--host", "lab1", "--over", "2s")
        most = stream.received - begun
    exact = of_key(shown, "bob")["exact"]["total_mb"] * MIB
    assert 4 * MIB < exact <= most * 1.01
    assert 50 < shown["network_card"]["difference_percent"] < 200
    assert abs(shown["estimate"]["difference_percent"]) < 30


def test_the_estimate_answers_where_the_api_does_not(operator: Operator, silent: str) -> None:
    with ExitStack() as opened:
        streams = []
        for key in ("alice", "bob"):
            client = opened.enter_context(operator.client(key, silent, "ws"))
            streams.append(opened.enter_context(client.stream(rate=8 * MIB)))
        for stream in streams:
            stream.wait_for(8 * MIB)
        least = sum(stream.carried for stream in streams)
        code, shown = compare(operator, "--host", silent)
    assert code == 4
    assert shown["api_available"] is False
    assert shown["exact"]["total_mb"] is None
    assert shown["exact"]["error"]
    guess = shown["estimate"]
    assert guess["calculation_method"] == "estimate_based_on_connections"
    assert guess["connections"] >= 2
    assert guess["total_mb"] * MIB > least * 0.9


def test_the_access_log_says_whose_connections_they_were(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    log = "/var/log/xray-access.log"
    lines = "".join(
        f"2026/11/22 10:55:41.1 from 10.0.0.1:5 accepted tcp:x:1 [ws >> direct] email: {key}\n"
        for key in ("alice", "alice", "alice", "bob")
    )
    host.put(lines, log)
    edit = f"""sed -i 's#"access": "none"#"access": "{log}"#' /run/xray/config.json"""
    host.run(f"cp /run/xray/config.json /run/xray/was.json; {edit}")
    try:
        _, shown = compare(operator, "--host", "lab1")
    finally:
        host.run("mv /run/xray/was.json /run/xray/config.json")
    assert (shown["estimate"]["basis"], shown["estimate"]["connections"]) == ("access log", 4)
    alice, bob = (of_key(shown, key)["estimate"]["total_mb"] for key in ("alice", "bob"))
    assert alice == pytest.approx(3 * bob, rel=0.01)


def test_nothing_of_it_changes_a_counter(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    wait_until(lambda: "run-" in host.run(API, check=False).stdout, "it answers")
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for told in (before, after):
        told += sorted(json.loads(host.run(f"{API} -pattern user").stdout)["stat"], key=str)
        operator.ops("compare", "--host", "lab1")
    assert before == after
