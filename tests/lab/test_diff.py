"""Drift on real servers: what `ops diff --servers` names is what a rollout then changes."""

import json
import subprocess
from typing import Any

from lab import Host
from lab.waiting import wait_until
from ops.model import layout
from tests.lab.operator import BIN, Operator

API = f"{layout.CORE} api"


def live(operator: Operator, *words: str, exits: int = 0) -> str:
    """Type ``ops diff --servers``; it must end with *exits*, and show no secret."""
    done = subprocess.run(
        [str(BIN / "ops"), "diff", "--servers", *words],
        cwd=operator.folder,
        env=operator.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exits, done.stdout + done.stderr
    assert not [held for held in operator.secrets() if held in done.stdout + done.stderr]
    return done.stdout


def drift(operator: Operator, *words: str, exits: int = 1) -> dict[str, list[str]]:
    answer: dict[str, Any] = json.loads(live(operator, "--json", *words, exits=exits))
    return {told["host"]: told["changes"] for told in answer["hosts"] if told["drifted"]}


def restart(host: Host) -> None:
    host.run("systemctl restart xray")
    wait_until(
        lambda: host.run(f"test -S {layout.SOCKET}", check=False).returncode == 0,
        "the core answers",
    )


def test_after_a_rollout_there_is_no_drift_on_any_kind_of_login(operator: Operator) -> None:
    assert live(operator) == "hosts: 0 drifted, 3 as the inventory asks\n"


def test_what_is_committed_and_not_rolled_out_is_drift_and_a_rollout_ends_it(
    operator: Operator,
) -> None:
    operator.keys = ["alice", "carol"]
    operator.fill()
    told = drift(operator)
    assert list(told) == ["lab1", "lab2", "lab3"]
    for lines in told.values():
        assert lines == [
            "+ key carol on reality, ss, ws",
            "- key bob on reality, ss, ws",
            "the running core takes the change: nobody is disconnected",
        ]
    said = operator.roll_out()
    assert all(f"[{host}] {line}" in said for host, lines in told.items() for line in lines)
    live(operator)


def test_users_changed_in_the_running_core_by_hand_are_named(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    host.run(f"{API} rmu --server=unix://{layout.SOCKET} -tag=ws bob")
    assert drift(operator) == {
        "lab1": ["+ key bob on ws", "the running core takes the change: nobody is disconnected"]
    }
    operator.roll_out()
    live(operator)


def test_a_config_edited_on_a_server_is_drift_before_and_after_its_core_takes_it(
    operator: Operator,
) -> None:
    host = operator.lab.host("lab2")
    host.run(f'sed -i \'s/"port": 2053/"port": 2054/\' {layout.CONFIG}')
    assert drift(operator)["lab2"] == [f"~ {layout.CONFIG}", "the core runs on as it is"]
    restart(host)
    assert drift(operator)["lab2"] == [
        "~ links to ws: the old ones stop working, so make new ones",
        "the core is restarted: inbounds.ws.port: 2054 -> 2053",
    ]


def test_a_unit_edited_on_a_server_is_named(operator: Operator) -> None:
    host = operator.lab.host("lab3")
    host.run("echo '# by hand' >> /etc/systemd/system/xray.service && systemctl daemon-reload")
    told = drift(operator)["lab3"]
    assert told[0] == "~ /etc/systemd/system/xray.service"


def test_a_core_that_is_down_is_drift(operator: Operator) -> None:
    operator.lab.host("lab1").run("systemctl stop xray")
    assert drift(operator)["lab1"] == ["the core is restarted: the service is inactive"]


def test_a_server_that_does_not_tell_is_unknown_and_beats_drift(operator: Operator) -> None:
    operator.lab.host("lab1").run("systemctl stop xray")
    operator.lab.host("lab2").cut()
    try:
        said = live(operator, "--timeout", "10", exits=3)
    finally:
        operator.lab.host("lab2").heal()
    assert "lab1: the core is restarted" in said
    assert "hosts: 1 drifted, 1 as the inventory asks, 1 unknown" in said


def test_a_host_without_a_core_that_should_have_none_is_no_drift(operator: Operator) -> None:
    operator.of_host = {"lab3": 'state = "absent"\n'}
    operator.fill()
    assert drift(operator)["lab3"][0] == "the core is removed; its readings stay"
    operator.roll_out()
    live(operator)
