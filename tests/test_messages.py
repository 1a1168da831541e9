"""Messages whose first version sent people the wrong way."""

import errno
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from pyinfra.api.state import State, StateStage

from ops.cli import cli
from ops.cli.printing import comparison_table
from ops.counting.tunnel.failures import tunnel_error
from ops.counting.tunnel.route import Route
from ops.errors import FleetError
from ops.fleet.inventory import load, pyinfra_cli, pyinfra_groups
from ops.ledger import open_ledger
from ops.model import Reading, Traffic
from ops.reporting.comparison import Comparison, Estimate, Figures
from ops.servers.rollout import summary
from tests import fleets


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def problems(folder: Path) -> list[str]:
    with pytest.raises(FleetError) as found:
        load(folder)
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize("name", ["keys.toml", "hosts.toml"])
def test_a_lost_file_of_a_fleet_is_restored_and_not_made_anew(tmp_path: Path, name: str) -> None:
    folder = fleets.write(tmp_path)
    (folder / "inventory" / name).unlink()
    (said, *_) = problems(folder)
    assert "get it back from git: `git restore " in said
    assert "ops init" not in said
    (folder / "inventory" / "keys.toml").unlink(missing_ok=True)
    (folder / "inventory" / "hosts.toml").unlink(missing_ok=True)
    assert "`ops init` writes a fleet folder" in problems(folder)[0]


@pytest.mark.parametrize("target", ["www.example.com", "", "a:b:c", "[::1]", "x" * 300])
def test_an_unfit_target_is_told_once_and_for_what_it_is(tmp_path: Path, target: str) -> None:
    hosts = fleets.HOSTS.replace("www.example.com:443", target)
    found = [line for line in problems(fleets.write(tmp_path, hosts=hosts)) if "target" in line]
    assert len(found) == 1
    assert "is an address" not in found[0]
    assert 'write "host:port"' in found[0]


def test_a_target_that_is_an_address_still_needs_a_name(tmp_path: Path) -> None:
    hosts = fleets.HOSTS.replace("www.example.com:443", "192.0.2.1:443")
    (said,) = set(problems(fleets.write(tmp_path, hosts=hosts)))
    assert "the target '192.0.2.1:443' is an address" in said


@pytest.mark.parametrize(
    ("file", "text", "table"),
    [
        ("keys.toml", "[keys.alice]\n[keys.alice]\n", "[keys.alice]"),
        ("keys.toml", '[keys."a b"]\n[keys.bob]\n[keys.bob]\n', "[keys.bob]"),
        ("hosts.toml", "[hosts.fra1]\n[hosts.fra1]\n", "[hosts.fra1]"),
    ],
)
def test_a_table_that_is_there_twice_is_named_as_it_is_written(
    tmp_path: Path, file: str, text: str, table: str
) -> None:
    folder = fleets.write(tmp_path)
    (folder / "inventory" / file).write_text(text)
    (said,) = problems(folder)
    assert f"{table} is there twice; merge the two, or give one another name" in said


@pytest.mark.parametrize(
    ("words", "code"), [(("backup",), 1), (("export", "--output"), 2)], ids=["backup", "export"]
)
def test_a_new_file_of_the_ledger_names_the_real_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int
) -> None:
    folder = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(folder)
    with open_ledger(load(folder), make=True):
        pass
    absent = ops_("ledger", *words, str(tmp_path / "nope" / "b.db"))
    assert absent.exit_code == code
    assert f"{tmp_path}/nope: there is no such folder: make it first" in absent.stderr
    (tmp_path / "there").touch()
    there = ops_("ledger", *words, str(tmp_path / "there"))
    assert there.exit_code == code
    assert "there is there already: choose another name" in there.stderr


ADDRESSES = [("192.0.2.1", 22), ("2001:db8::1", 22, 0, 0)]


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ETIMEDOUT])
def test_a_network_error_is_told_in_the_words_of_the_system(number: int) -> None:
    route = cast("Route", SimpleNamespace(host="fra1", place="fra1.example.net:22"))
    several = ", ".join(f"[Errno {number}] Connect call failed {place}" for place in ADDRESSES)
    for error in (
        OSError(number, f"Connect call failed {ADDRESSES[0]}"),
        OSError(f"Multiple exceptions: {several}"),
        OSError(number, os.strerror(number)),
    ):
        said = tunnel_error(route, error).reason
        assert said == f"fra1.example.net:22 cannot be reached: {os.strerror(number)}"


@pytest.mark.parametrize(
    ("limits", "warned"),
    [
        ([], {"ams1", "fra1"}),
        (["--limit", "fra1"], {"fra1"}),
        (["--limit=edge"], {"ams1"}),
        (["--limit", "a*"], {"ams1"}),
        (["--exclude", "ams1"], {"fra1"}),
        (["--limit", "all", "--exclude", "edge"], {"fra1"}),
    ],
)
def test_only_hosts_of_this_run_are_warned_about(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limits: list[str],
    warned: set[str],
) -> None:
    more = """
        [hosts.away1]
        inbounds = []
        ssh_key = "lost_away"
        maintenance = { why = "new disk", until = 9999-12-31 }
    """
    hosts = fleets.HOSTS.replace("[hosts.fra1]", '[hosts.fra1]\nssh_key = "lost_fra1"')
    hosts = hosts.replace("[hosts.ams1]", '[hosts.ams1]\nssh_key = "lost_ams1"')
    folder = fleets.write(tmp_path, hosts=hosts, more=more)
    (folder / "inventory" / "known_hosts").touch()
    given = pyinfra_cli.typed_targets(["inventory", "deploy.py", *limits])
    monkeypatch.setattr("ops.fleet.inventory.typed_targets", lambda: given)
    pyinfra_groups(folder)
    said = capsys.readouterr().err
    for host in ("ams1", "fra1", "away1"):
        assert (f"{host}: its host key is not in" in said) == (host in warned)
        assert (f"which hosts.toml names for {host}" in said) == (host in warned)


def fake_run(stage: StateStage, **changes: Any) -> State:
    """Fake the state of a pyinfra run of four hosts: dead1 was not reached, new1 was refused."""
    hosts = {name: SimpleNamespace(name=name) for name in ("ams1", "dead1", "fra1", "new1")}
    reached = {name for name in hosts if name != "dead1"}

    failed = [hosts[name] for name in changes.pop("failed", ["dead1", "new1"])]
    run = SimpleNamespace(
        inventory=list(hosts.values()),
        limit_hosts=None,
        current_stage=stage,
        failed_hosts=failed,
        activated_hosts=[hosts[name] for name in reached],
    )
    if limit := changes.pop("limit", None):
        run.limit_hosts = [hosts[name] for name in limit]
    return cast("State", run)


def test_the_last_lines_of_a_rollout_name_every_host_that_it_left_out() -> None:
    reasons = {"new1": "left as it is: tcp port 443 is held by nginx"}
    assert list(summary.lines(fake_run(StateStage.Disconnect), reasons)) == [
        "--> 2 of 4 hosts have the fleet's set now; the others:",
        "    [dead1] could not be reached: the reason is in its first message above",
        "    [new1] left as it is: tcp port 443 is held by nginx",
    ]
    failed = fake_run(StateStage.Disconnect, failed=["fra1"], limit=["fra1", "ams1"])
    assert list(summary.lines(failed, reasons)) == [
        "--> 1 of 2 hosts have the fleet's set now; the others:",
        "    [fra1] failed: the reason is in its last message above",
    ]


def test_a_run_that_changed_nothing_claims_nothing() -> None:
    (first, *_) = summary.lines(fake_run(StateStage.Prepare), {})
    assert first == "--> 2 of 4 hosts would not be rolled out:"
    assert not list(summary.lines(fake_run(StateStage.Disconnect, failed=[]), {}))


def test_a_repository_without_a_commit_is_told_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    said = ops_("diff")
    assert said.exit_code == 2
    assert "this repository has no commit yet: `git add -A && git commit` first" in said.stderr
    assert "shallow" not in said.stderr


def test_an_idle_host_has_no_percentage_of_an_estimate(tmp_path: Path) -> None:
    fleet = load(fleets.write(tmp_path))
    idle = Estimate(connections=0, mean=5.0, basis="open connections")
    now = datetime.now(UTC)
    same = {"reality": Traffic(10, 20)}
    read = Reading(
        host="fra1", run="1", way="socket", inbounds=same, read_at=now, counting_since=now
    )
    figures = Figures(host="fra1", reading=read, estimate=idle, users={"alice": Traffic(10, 20)})
    text = comparison_table.text(fleet, Comparison(hosts=(figures,), failures=()), None)
    assert "-100" not in text
