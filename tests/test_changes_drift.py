"""Drift, where what a host says is stood in for: answers that are none, and exit codes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.counting import reading
from ops.counting.reading.fan_out import Outcomes
from ops.counting.tunnel import CommandError
from ops.errors import HostError
from ops.fleet import inventory, secrets
from ops.model import Fleet, Host
from ops.servers.on_host import places
from ops.servers.on_host.state import HostState
from ops.servers.planning.wanted import wanted
from tests import fleets
from tests.hosts import healthy

SUM = "5" * 64
Answers = dict[str, str | HostError]


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def rolled_out(fleet: Fleet, host: Host) -> HostState:
    """Return *host* as a look finds it after a rollout."""
    return healthy(wanted(fleet, host, secrets.load(fleet), "x86_64", []))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    hosts = fleets.HOSTS.replace(
        'version = "26.10.10"', f'version = "26.10.10"\n    sha256.x86_64 = "{SUM}"'
    )
    folder = fleets.write(tmp_path / "fleet", hosts)
    monkeypatch.chdir(folder)
    ops_("secrets", "fill")
    return inventory.load(folder)


@pytest.fixture
def said(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Return what each host answers to a look; a test puts in what is wrong."""
    states = {host.name: rolled_out(fleet, host)._asdict() for host in fleet.hosts}
    answers: Answers = {name: places.ANSWER + json.dumps(state) for name, state in states.items()}

    def run_on_hosts(_: Fleet, hosts: Sequence[Host], *__: object, **___: object) -> Outcomes[str]:
        told = {host.name: answers[host.name] for host in hosts}
        return Outcomes(
            {name: answer for name, answer in told.items() if isinstance(answer, str)},
            tuple(answer for answer in told.values() if isinstance(answer, HostError)),
        )

    monkeypatch.setattr(reading, "run_on_hosts", run_on_hosts)
    return answers


def state(answers: Answers, host: str, change: Callable[[HostState], HostState]) -> None:
    answer = answers[host]
    assert isinstance(answer, str)
    there = HostState(**json.loads(answer.removeprefix(places.ANSWER)))
    answers[host] = places.ANSWER + json.dumps(change(there)._asdict())


@pytest.mark.usefixtures("said")
def test_no_drift_is_exit_0() -> None:
    result = ops_("diff", "--servers")
    assert (result.exit_code, result.stdout) == (0, "hosts: 0 drifted, 2 as the inventory asks\n")


def test_another_secret_in_the_core_is_drift_that_a_rollout_refuses(said: Answers) -> None:
    def another(there: HostState) -> HostState:
        return there._replace(users={"reality": {"alice": "0" * 8}})

    state(said, "fra1", another)
    result = ops_("diff", "--servers")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "fra1: ~ key alice on reality (another secret)",
        "fra1: the running core takes the change: nobody is disconnected",
    ]
    assert "fra1: a rollout would refuse: the secrets of alice" in result.stdout


def test_an_answer_that_is_none_is_an_unknown_host(said: Answers) -> None:
    said["ams1"] = "Welcome to ams1!\nlast login: yesterday"
    result = ops_("diff", "--servers", "--host", "ams1")
    assert result.exit_code == 4
    assert result.stderr == "ams1: last login: yesterday\n"


def test_what_the_host_complains_of_is_told_without_the_program(said: Answers) -> None:
    said["ams1"] = CommandError("ams1", "sudo: a password is required")
    result = ops_("diff", "--servers", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["unknown"] == [
        {"host": "ams1", "reason": "sudo: a password is required"}
    ]


def test_a_core_that_is_another_is_drift(said: Answers) -> None:
    state(said, "ams1", lambda there: there._replace(started_core="6" * 64))
    assert "ams1: the core is restarted: core 26.10.10" in ops_("diff", "--servers").stdout


def test_a_machine_without_a_pinned_core_is_drift(said: Answers) -> None:
    state(said, "ams1", lambda there: there._replace(machine="aarch64"))
    result = ops_("diff", "--servers")
    assert result.exit_code == 1
    assert "pins no SHA-256 of core 26.10.10 for aarch64" in result.stdout


def test_without_secrets_nothing_can_be_compared(fleet: Fleet, said: Answers) -> None:
    (fleet.folder / "inventory" / "secrets.toml").unlink()
    result = ops_("diff", "--servers")
    assert result.exit_code == 1
    assert "inventory/secrets.toml is missing" in result.stderr
