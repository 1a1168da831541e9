"""What people type: lines, shapes and exit codes. The reading itself is stood in for here."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import ops.cli
from ops.cli import cli
from ops.cli.printing import console
from ops.counting import reading
from ops.counting.reading import Round
from ops.errors import TunnelError
from ops.model import Host, Reading, Traffic
from tests import fleets

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
USED = {
    "ams1": {"alice": Traffic(1048576, 5242880), "alice~2": Traffic(1, 2), "gone": Traffic(5, 5)},
    "fra1": {"alice": Traffic(10, 20)},
}


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = fleets.write(tmp_path / "fleet")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def dead(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Stand in for the servers; the value is the set of those that are dead."""
    dead: set[str] = set()

    def read(_: object, hosts: Sequence[Host], **__: object) -> Round:
        alive = [host for host in hosts if host.name not in dead]
        return Round(
            readings=tuple(counted(host.name) for host in alive),
            failures=tuple(TunnelError(name, "no route") for name in sorted(dead)),
        )

    monkeypatch.setattr(reading, "read_hosts", read)
    return dead


def counted(host: str) -> Reading:
    return Reading(
        host=host,
        run="r1",
        read_at=NOON,
        counting_since=datetime(2026, 11, 20, tzinfo=UTC),
        users=USED[host],
        inbounds={"reality": Traffic(3, 4)},
    )


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def commands(command: click.Command = cli, *path: str) -> list[tuple[str, click.Command]]:
    found = [(" ".join(path), command)]
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            found += commands(inner, *path, name)
    return found


@pytest.mark.parametrize(("path", "command"), commands(), ids=lambda value: str(value))
def test_every_command_says_what_it_does_with_an_example(path: str, command: click.Command) -> None:
    assert command.help
    assert f"ops {path}".strip() in command.help.split("Example:")[1]


def test_the_help_fits_a_screen() -> None:
    assert len(ops_("--help").stdout.splitlines()) <= 40


def test_traffic_sums_the_fleet_and_a_keys_generations() -> None:
    out = ops_("traffic", "--all-hosts").stdout
    assert out.startswith("Live counters since 2026-11-20 00:00:00 UTC (ams1). ")
    assert [line.split("  ")[0] for line in out.splitlines()[2:]] == [
        *("key", "alice", "gone (removed)", "bob", "total")
    ]
    assert out.splitlines()[3].split() == ["alice", "1.0", "MiB", "5.0", "MiB", "6.0", "MiB"]


def test_traffic_by_host_and_key_has_a_line_for_each_pair() -> None:
    rows = list(csv.DictReader(io.StringIO(ops_("traffic", "--by", "both", "--csv").stdout)))
    assert rows[0] == {
        "key": "alice",
        "host": "ams1",
        "uplink_bytes": "1048577",
        "downlink_bytes": "5242882",
        "total_bytes": "6291459",
        "certainty": "exact",
    }
    assert {"key": "bob", "host": "ams1"}.items() <= rows[-1].items()


def test_traffic_as_json_has_the_promised_fields() -> None:
    answer = json.loads(ops_("traffic", "--json", "--key", "alice").stdout)
    assert answer["traffic"] == [
        {
            "key": "alice",
            "in_inventory": True,
            "certainty": "exact",
            "traffic_bytes": {
                "uplink_bytes": 1048587,
                "downlink_bytes": 5242902,
                "total_bytes": 6291489,
                "uplink_mb": 1.00001,
                "downlink_mb": 5.000021,
                "total_mb": 6.000031,
                "source": "xray_api",
            },
        }
    ]
    assert answer["certainty"] == "exact"
    assert answer["hosts"][0]["counting_since"] == "2026-11-20T00:00:00Z"


def test_a_dead_host_costs_its_own_line(dead: set[str]) -> None:
    dead.add("fra1")
    result = ops_("traffic")
    assert result.exit_code == 3
    assert "total of 1 of 2 hosts" in result.stdout
    assert result.stderr == "fra1: no route\n"
    assert json.loads(ops_("traffic", "--json").stdout)["certainty"] == "at least"


def test_a_key_of_dead_hosts_only_is_unknown_and_no_0(dead: set[str]) -> None:
    dead.add("ams1")
    lines = ops_("traffic").stdout.splitlines()[2:]
    assert [line.split() for line in lines] == [
        ["key", "up", "down", "total", "certainty"],
        ["alice", "10", "B", "20", "B", "30", "B", "at", "least"],
        ["bob", "?", "?", "?", "unknown"],
        ["total", "of", "1", "of", "2", "hosts", "10", "B", "20", "B", "30", "B", "at", "least"],
    ]
    rows = {row["key"]: row for row in json.loads(ops_("traffic", "--json").stdout)["traffic"]}
    assert rows["bob"] == {
        "key": "bob",
        "in_inventory": True,
        "certainty": "unknown",
        "traffic_bytes": None,
    }
    assert rows["alice"]["certainty"] == "at least"
    assert "bob,,,,unknown" in ops_("traffic", "--csv").stdout
    users = {row["key"]: row for row in json.loads(ops_("stats", "users", "--json").stdout)}
    assert (users["bob"]["traffic_bytes"], users["bob"]["certainty"]) == (None, "unknown")
    assert ops_("stats", "users").stdout == "alice uplink=10 downlink=20\n"


@pytest.mark.parametrize("by", ["host", "both", "inbound"])
def test_a_dead_hosts_own_lines_are_unknown_and_the_others_exact(dead: set[str], by: str) -> None:
    dead.add("ams1")
    rows = json.loads(ops_("traffic", "--by", by, "--json").stdout)["traffic"]
    assert {(row["host"], row["certainty"]) for row in rows} == {
        ("ams1", "unknown"),
        ("fra1", "exact"),
    }


def test_spliced_hosts_say_at_least(fleet: Path) -> None:
    hosts = fleet / "inventory" / "hosts.toml"
    hosts.write_text(
        hosts.read_text().replace("[hosts.fra1]", '[hosts.fra1]\naccounting = "spliced"')
    )
    rows = {row["key"]: row for row in json.loads(ops_("traffic", "--json").stdout)["traffic"]}
    assert [rows[key]["certainty"] for key in ("alice", "bob")] == ["at least", "exact"]


def test_what_was_read_by_the_hosts_own_program_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    by_exec = replace(counted("ams1"), way="exec")
    monkeypatch.setattr(
        reading, "read_hosts", lambda *_, **__: Round(readings=(by_exec,), failures=())
    )
    said = "Read by the host's own `xray api`, because sshd there forbids forwarding: ams1."
    assert ops_("traffic").stdout.splitlines()[1] == said


def test_no_answer_at_all_is_exit_4(dead: set[str]) -> None:
    dead.update(USED)
    assert ops_("traffic").exit_code == 4
    assert ops_("traffic").stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["traffic", "--host", "lon*"], "no host matches 'lon*'"),
        (["traffic", "--key", "alise"], "unknown key 'alise'; did you mean 'alice'?"),
        (["traffic", "--group", "egde"], "unknown group 'egde'; did you mean 'edge'?"),
        (["traffic", "--all-hosts", "--host", "ams1"], "say different things"),
        (["trafic"], "no such command 'trafic'; did you mean 'traffic'?"),
        (["traffic", "--watch", "1", "--json"], "--watch shows tables"),
        (["traffic", "--json", "--csv"], "two forms of the same: choose one"),
        (["keys", "list", "--csv", "--json"], "two forms of the same: choose one"),
        (["stats", "user", "alise"], "unknown key 'alise'; did you mean 'alice'?"),
        (["render", "ams2"], "unknown host 'ams2'; did you mean 'ams1'?"),
        (["traffic", "--fleet", "/nowhere"], "does not exist"),
    ],
)
def test_what_names_nothing_is_a_usage_error(words: list[str], said: str) -> None:
    result = ops_(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_stats_users_is_a_line_a_key() -> None:
    assert ops_("stats", "users").stdout.splitlines() == [
        "alice uplink=1048587 downlink=5242902",
        "bob uplink=0 downlink=0",
        "gone uplink=5 downlink=5",
    ]


def test_stats_user_is_two_lines() -> None:
    assert ops_("stats", "user", "alice").stdout == "uplink:1048587\ndownlink:5242902\n"


def test_stats_of_a_key_that_never_connected_is_0() -> None:
    result = ops_("stats", "user", "bob")
    assert (result.exit_code, result.stdout) == (0, "uplink:0\ndownlink:0\n")


def test_stats_user_prints_nothing_while_a_host_is_unknown(dead: set[str]) -> None:
    dead.add("fra1")
    result = ops_("stats", "user", "alice")
    assert (result.exit_code, result.stdout) == (3, "")
    partial = ops_("stats", "user", "alice", "--partial")
    assert (partial.exit_code, partial.stdout) == (3, "uplink:1048577\ndownlink:5242882\n")


def test_a_host_in_maintenance_is_a_line_and_no_failure(tmp_path: Path) -> None:
    more = '[hosts.lon1]\nmaintenance = { why = "new disk", until = 2999-12-31 }\n'
    result = ops_("traffic", "--fleet", str(fleets.write(tmp_path / "other", more=more)))
    assert result.exit_code == 0
    assert "lon1: in maintenance until 2999-12-31, new disk" in result.stderr


def test_problems_of_the_fleet_are_lines_and_exit_1(fleet: Path) -> None:
    (fleet / "inventory" / "keys.toml").write_text("[keys.alice]\nopen = []\n")
    result = ops_("validate")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: inventory/keys.toml:2: unknown field 'open'; did you mean 'opens'?\n"
    )


def test_the_table_of_keys_is_short_however_many_hosts_there_are(fleet: Path) -> None:
    hosts = fleet / "inventory" / "hosts.toml"
    more = "".join(f'[hosts.h{n}]\ngroups = ["edge"]\n' for n in range(300))
    hosts.write_text(f"{hosts.read_text()}\n{more}")
    some = ", ".join(f'"h{n}"' for n in range(40))
    opened = f'["edge"]\n[keys.dan]\nopens = [{some}]\n[keys.eve]\nopens = ["h7"]\n'
    keys = fleet / "inventory" / "keys.toml"
    keys.write_text(f"{keys.read_text()}\n[keys.carol]\nopens = {opened}")
    table = ops_("keys", "list").stdout
    found = dict(line.split(None, 1) for line in table.splitlines())
    assert found["alice"].strip() == "all"
    assert found["bob"].strip() == "all/ws"
    assert found["carol"].strip() == "edge"
    assert found["dan"].strip() == "h0 h1 h2 h3 h4 h5 h6 h7 and 32 more"
    assert found["eve"].strip() == "h7"
    assert max(map(len, table.splitlines())) <= 80
    assert "h39/" in ops_("keys", "list", "--csv").stdout


def test_on_a_terminal_the_keys_fit_into_it(monkeypatch: pytest.MonkeyPatch, fleet: Path) -> None:
    """Only that it is a terminal is stood in for."""
    keys = fleet / "inventory" / "keys.toml"
    keys.write_text('[keys.bob]\nopens = ["ams1/ws", "ams1/ss"]\n')
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "16")
    lines = ops_("keys", "list").stdout.splitlines()
    assert lines[1:] == ["bob  ams1/ws", "     ams1/ss"]


@pytest.mark.parametrize("length", ["90", "1.5m", "0.5h", "1d"])
def test_every_option_takes_the_same_lengths_of_time(length: str) -> None:
    assert ops_("status", "--max-age", length).exit_code == 3
    assert ops_("traffic", "--timeout", length).exit_code == 0
    for words in (("collect", "--every"), ("compare", "--over"), ("traffic", "--watch")):
        assert "no length of time" in ops_(*words, f"{length}x").stderr
        assert ops_(*words, length, "--help").exit_code == 0


@pytest.mark.parametrize(
    ("alone", "command"), [("keys", ("keys", "list")), ("stats", ("stats", "users"))]
)
def test_a_group_alone_prints_its_table(alone: str, command: tuple[str, ...]) -> None:
    for words in ((), ("--json",), ("--key", "a*")):
        assert ops_(alone, *words).stdout == ops_(*command, *words).stdout != ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["render", "amz1"], "unknown host 'amz1'; did you mean 'ams1'?"),
        (["traffic", "--host", "amz1"], "unknown host 'amz1'; did you mean 'ams1'?"),
        (["keys", "list", "--key", "alise"], "unknown key 'alise'; did you mean 'alice'?"),
        (["link", "alise"], "unknown key 'alise'; did you mean 'alice'?"),
        (["validate", "--explain", "XO99"], "unknown rule 'XO99'"),
    ],
)
def test_a_misspelt_name_is_told_in_the_same_words_everywhere(words: list[str], said: str) -> None:
    result = ops_(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_links_are_printed_for_each_address(fleet: Path) -> None:
    ops_("secrets", "fill")
    lines = ops_("link", "bob").stdout.splitlines()
    assert [line.split("@")[1].split("?")[0] for line in lines] == [
        "ams1.example.net:2053",
        "198.51.100.7:2053",
    ]


def test_a_code_that_the_terminal_would_break_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that it is a terminal is stood in for."""
    ops_("secrets", "fill")
    words = ("link", "bob", "--address", "*.net", "--qr")
    in_a_pipe = ops_(*words).stdout
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    result = ops_(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "of ams1/ws needs 55 columns, and the terminal has 40: widen it, or" in result.stderr
    monkeypatch.setenv("COLUMNS", "80")
    assert ops_(*words).stdout == in_a_pipe


def test_a_picture_is_of_one_link_and_private(tmp_path: Path) -> None:
    ops_("secrets", "fill")
    file = tmp_path / "bob.png"
    assert "2 links match" in ops_("link", "bob", "--png", str(file)).stderr
    ops_("link", "bob", "--address", "*.net", "--png", str(file))
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_mode & 0o077 == 0


def test_links_of_one_host_need_no_secret_of_another(fleet: Path) -> None:
    ops_("secrets", "fill")
    hosts = fleet / "inventory" / "hosts.toml"
    more = 'groups = ["edge"]\ninbounds = ["reality", "ws"]\n'
    hosts.write_text(hosts.read_text() + f"[hosts.new1]\n{more}")
    assert "REALITY short id of new1/reality" in ops_("link", "alice").stderr
    assert ops_("link", "alice", "--host", "ams1").exit_code == 0
    assert ops_("link", "alice", "--host", "new1", "--inbound", "ws").exit_code == 0
    assert ops_("link", "alice", "--address", "*.net").exit_code == 0


@pytest.mark.parametrize(
    "words", [(), ("--json",), ("--qr",), ("--host", "fra1", "--address", "*.net", "--client-json")]
)
def test_whatever_is_printed_of_a_link_can_go_to_a_private_file(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ops_("secrets", "fill")
    file = tmp_path / "alice"
    assert ops_("link", "alice", *words, "-o", str(file)).stdout == f"wrote {file}\n"
    printed = ops_("link", "alice", *words).stdout
    assert file.read_text() == printed or "--qr" in words
    assert file.read_text()[:40] == printed[:40]
    assert file.stat().st_mode & 0o777 == 0o600


def test_one_call_draws_all_links_into_a_folder(tmp_path: Path) -> None:
    ops_("secrets", "fill")
    ops_("link", "alice", "--host", "fra1", "--png", str(tmp_path), "--svg", str(tmp_path))
    drawn = sorted(file.name for file in tmp_path.iterdir() if file.suffix in (".png", ".svg"))
    assert drawn == [
        f"alice-fra1-reality-{address}.{kind}"
        for address in ("2001:db8::7", "fra1.example.net")
        for kind in ("png", "svg")
    ]
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in drawn)


def test_render_shows_no_secret_unless_asked(fleet: Path) -> None:
    ops_("secrets", "fill")
    uuid = (fleet / "inventory" / "secrets.toml").read_text().split('uuid = "')[1].split('"')[0]
    assert uuid not in ops_("render", "ams1").stdout
    assert uuid in ops_("render", "ams1", "--with-secrets").stdout


def test_a_new_fleet_is_valid_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert ops_("init", str(folder)).exit_code == 0
    assert ops_("validate", "--fleet", str(folder)).exit_code == 0
    (folder / "inventory" / "keys.toml").write_text("# mine\n")
    again = ops_("init", str(folder))
    assert "unchanged" in again.stderr
    assert (folder / "inventory" / "keys.toml").read_text() == "# mine\n"


def main_with(*words: str, broken: bool = False) -> "subprocess.CompletedProcess[str]":
    breaking = "import ops.fleet.selection; ops.fleet.selection.key = None; " if broken else ""
    script = (
        f"import sys; {breaking}from ops.cli import main; sys.argv = ['ops', *{words!r}]; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


def test_inside_a_fleet_init_adds_the_job_alone(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet)
    before = {path for path in fleet.rglob("*") if path.is_file()}
    done = ops_("init", "--ci", "github")
    new = {path for path in fleet.rglob("*") if path.is_file()} - before
    assert [path.relative_to(fleet) for path in new] == [Path(".github/workflows/fleet.yml")]
    assert done.output == f"wrote {fleet / '.github/workflows/fleet.yml'}\n"
    assert "exists already" in ops_("init", "--ci", "github").output
    assert ops_("init").exit_code == 2


def test_a_bug_of_ours_keeps_its_traceback_and_is_exit_70() -> None:
    done = main_with("stats", "user", "alice", broken=True)
    assert done.returncode == 70
    assert "Traceback" in done.stderr


def test_exit_codes_reach_the_shell() -> None:
    assert main_with("validate").returncode == 0
    assert main_with("nonsense").returncode == 2
    assert main_with("link", "alice").returncode == 1


def test_an_interruption_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ops.cli, "cli", interrupted)
    with pytest.raises(SystemExit) as stop:
        ops.cli.main()
    assert stop.value.code == 130
