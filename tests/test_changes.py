"""What a commit means: read from git, compared as a rollout would, without servers or secrets."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import cli
from ops.fleet import git, inventory
from ops.ledger import open_ledger
from ops.model import Observation
from tests import fleets

SUM = {"x86_64": "5" * 64, "aarch64": "6" * 64}


def ops_(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def commit(folder: Path, *paths: str) -> None:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    for words in (("add", "-A", *paths), ("commit", "-q", "-m", "The fleet")):
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fleet in git, committed, with secrets that git does not hold."""
    folder = fleets.write(tmp_path / "repository" / "fleet")
    monkeypatch.chdir(folder)
    (folder / ".gitignore").write_text("inventory/secrets.toml\n")
    ops_("secrets", "fill")
    subprocess.run(["git", "init", "-q", str(folder.parent)], check=True)
    commit(folder.parent)
    return folder


def edit(folder: Path, old: str, new: str, file: str = "hosts.toml") -> None:
    path = folder / "inventory" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def changed(*words: str) -> dict[str, dict[str, object]]:
    answer = json.loads(ops_("diff", *words, "--json").stdout)
    return {
        change.pop("host"): {name: held for name, held in change.items() if held}
        for change in answer["hosts"]
    }


@pytest.mark.usefixtures("fleet")
def test_nothing_changed_is_a_line() -> None:
    assert ops_("diff", "--exit-code").exit_code == 0
    assert ops_("diff").stdout == "since HEAD: hosts 2 as they were\n"


def test_a_key_that_comes_gains_access_without_a_restart(fleet: Path) -> None:
    edit(fleet, "[keys.bob]", '[keys.carol]\nopens = ["ams1/ws", "fra1"]\n[keys.bob]', "keys.toml")
    assert changed() == {
        "ams1": {"effect": "hot", "gained": {"carol": ["ws"]}},
        "fra1": {"effect": "hot", "gained": {"carol": ["reality"]}},
    }
    assert ops_("diff").exit_code == 0
    assert ops_("diff", "--exit-code").exit_code == 1


def test_a_key_that_goes_loses_each_inbound(fleet: Path) -> None:
    edit(fleet, "[keys.alice]\n", "", "keys.toml")
    assert changed() == {
        "ams1": {"effect": "hot", "lost": {"alice": ["reality", "ss", "trojan", "ws"]}},
        "fra1": {"effect": "hot", "lost": {"alice": ["reality"]}},
    }
    assert "- key alice on reality, ss, trojan, ws" in ops_("diff").stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('version = "26.10.10"', 'version = "26.9.9"', ["core 26.9.9", "config"]),
        ("port = 443", "port = 444", ["inbounds.reality.port: 443 -> 444"]),
        ("[hosts.fra1]", '[hosts.fra1]\naccounting = "spliced"', ["service"]),
    ],
)
def test_what_the_running_core_cannot_take_in_restarts_it(
    fleet: Path, old: str, new: str, why: list[str]
) -> None:
    edit(fleet, old, new)
    told = changed()["fra1"]
    assert told["effect"] == "restart"
    assert set(told["why"]) <= set(why)  # type: ignore[call-overload]
    assert why[0] in told["why"]  # type: ignore[operator]


def test_another_sum_for_one_machine_restarts_and_a_new_machine_does_not(fleet: Path) -> None:
    sums = [f'sha256.{machine} = "{held}"' for machine, held in SUM.items()]
    edit(fleet, 'version = "26.10.10"', f'version = "26.10.10"\n{sums[0]}')
    commit(fleet)
    edit(fleet, sums[0], "\n".join(sums))
    assert changed() == {}
    edit(fleet, SUM["x86_64"], "7" * 64)
    assert {told["effect"] for told in changed().values()} == {"restart"}


def test_an_address_that_moves_ends_links_and_changes_the_guarded_addresses(fleet: Path) -> None:
    edit(fleet, "fra1.example.net", "fra2.example.net")
    assert changed()["fra1"]["links"] == ["reality"]
    assert "its keys need new ones" in ops_("diff").stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("port = 443", "port = 444", "port: 443 -> 444"),
        ('"fra1.example.net"', '"fra2.example.net"', "address: 2001:db8::7, fra1.example.net -> "),
        ("www.example.com:443", "www.example.org:443", "sni: www.example.com -> www.example.org"),
    ],
)
def test_the_parts_in_which_links_differ_are_named(
    fleet: Path, old: str, new: str, why: str
) -> None:
    edit(fleet, old, new)
    assert f"~ links to reality: its keys need new ones ({why}" in ops_("diff").stdout


def test_another_reality_key_restarts_and_ends_links(fleet: Path) -> None:
    ops_("secrets", "fill", "--replace", "fra1/reality")
    told = changed()
    assert list(told) == ["fra1"]
    assert told["fra1"]["effect"] == "restart"
    assert told["fra1"]["links"] == ["reality"]
    assert told["fra1"]["why"] == ["another REALITY key for reality"]
    assert told["fra1"]["why_links"] == {"reality": ["another pbk"]}


def test_hosts_come_go_and_are_forgotten(fleet: Path) -> None:
    edit(fleet, "[hosts.ams1]", '[hosts.lon1]\naddress = ["lon1.example.net"]\n[hosts.ams1]')
    edit(fleet, "[hosts.fra1]", '[hosts.fra1]\nstate = "absent"')
    told = changed()
    assert told["lon1"]["effect"] == "new"
    assert told["lon1"]["gained"] == {"alice": ["reality", "ss", "trojan", "ws"]}
    assert told["fra1"] == {"effect": "absent", "lost": {"alice": ["reality"]}}
    commit(fleet)
    hosts = fleet / "inventory" / "hosts.toml"
    text = hosts.read_text()
    hosts.write_text(text[: text.index("[hosts.fra1]")])
    assert changed() == {}
    assert changed("HEAD~1")["fra1"] == {"effect": "forgotten"}


def test_the_diff_says_whether_a_host_can_be_deleted(fleet: Path) -> None:
    hosts = fleet / "inventory" / "hosts.toml"
    whole = hosts.read_text()
    hosts.write_text(whole[: whole.index("[hosts.fra1]")])
    assert "only after `ops status` said" in ops_("diff").stdout
    with open_ledger(inventory.load(fleet)) as ledger:
        ledger.enrol(["ams1", "fra1"], [], absent=["fra1"])
        assert "deleted before its last readings were fetched" in ops_("diff").stdout
        ledger.book(Observation(host="fra1", now=None, listed=True, retired=True))
    assert "fra1 can be deleted: nothing is left to fetch" in ops_("diff").stdout


def test_the_diff_says_that_a_server_with_a_new_name_loses_nothing(fleet: Path) -> None:
    hosts = fleet / "inventory" / "hosts.toml"
    whole = hosts.read_text()
    hosts.write_text(whole[: whole.index("[hosts.fra1]")])
    assert "another name" not in ops_("diff").stdout
    hosts.write_text(whole.replace("[hosts.fra1]", "[hosts.fra2]"))
    assert "a server that only gets another name loses nothing" in ops_("diff").stdout
    hosts.write_text(
        whole.replace("[hosts.fra1]", "[hosts.fra2]")
        .replace("fra1.", "fra2.")
        .replace("2001:db8::7", "2001:db8::9")
    )
    assert "a server that only gets another name loses nothing: each byte" in ops_("diff").stdout
    hosts.write_text(whole + '\n[hosts.lon1]\naddress = ["lon1.example.net"]\n')
    assert "another name" not in ops_("diff").stdout


def test_a_template_of_the_fleets_own_is_compared_too(fleet: Path) -> None:
    templates = fleet / "templates"
    templates.mkdir()
    ours = Path(__file__).parent.parent / "templates" / "xray.service.j2"
    (templates / "xray.service.j2").write_text(ours.read_text() + "# ours\n")
    assert changed("--host", "fra1") == {
        "fra1": {
            "effect": "restart",
            "why": ["service"],
            "files": {"/etc/systemd/system/xray.service": "~"},
        }
    }
    commit(fleet)
    assert changed() == {}


def test_the_order_of_keys_needs_no_restart(fleet: Path) -> None:
    keys = fleet / "inventory" / "keys.toml"
    keys.write_text('[keys.bob]\nopens = ["edge/ws"]\n[keys.alice]\n')
    assert changed() == {"ams1": {"effect": "files", "files": {"/etc/xray/config.json": "~"}}}


def test_hosts_that_change_alike_are_told_once(fleet: Path) -> None:
    edit(fleet, '[hosts.fra1]\naddress = ["fra1.example.net", "2001:db8::7"]\n', "[hosts.fra1]\n")
    edit(fleet, 'inbounds = ["reality"]\n', "")
    commit(fleet)
    edit(fleet, "[keys.bob]", "[keys.carol]\n[keys.bob]", "keys.toml")
    assert ops_("diff").stdout.splitlines() == [
        "ams1, fra1",
        "  + key carol on reality, ss, trojan, ws",
        "  the running core takes the change: nobody is disconnected",
        "since HEAD: hosts 2 changed hot, 0 as they were",
    ]


def test_no_secret_is_shown_or_needed(fleet: Path) -> None:
    edit(fleet, "port = 443", "port = 444")
    shown = ops_("diff").stdout + ops_("diff", "--json").stdout
    held = (fleet / "inventory" / "secrets.toml").read_text()
    assert not [part for part in held.split('"')[1::2] if part in shown]
    (fleet / "inventory" / "secrets.toml").unlink()
    assert ops_("diff").exit_code == 0


def test_a_commit_that_does_not_validate_is_told_by_its_own_file_and_line(fleet: Path) -> None:
    keys = (fleet / "inventory" / "keys.toml").read_text()
    edit(fleet, "opens =", "open =", "keys.toml")
    commit(fleet)
    (fleet / "inventory" / "keys.toml").write_text(keys)
    result = ops_("diff")
    assert result.exit_code == 1
    assert "Error: HEAD:inventory/keys.toml:4: unknown field 'open'" in result.stderr


def test_a_template_that_was_broken_is_told_by_its_commit(fleet: Path) -> None:
    (fleet / "templates").mkdir()
    (fleet / "templates" / "xray.json.j2").write_text("{{ nothing }}")
    commit(fleet)
    (fleet / "templates" / "xray.json.j2").unlink()
    result = ops_("diff")
    assert result.exit_code == 1
    assert "Error: HEAD:templates/xray.json.j2:1: 'nothing' is undefined" in result.stderr


def test_a_template_that_leads_out_of_the_folder_is_refused(fleet: Path) -> None:
    (fleet / "templates").mkdir()
    (fleet / "templates" / "xray.json.j2").symlink_to("/etc/passwd")
    commit(fleet)
    result = ops_("diff")
    assert result.exit_code == 1
    assert "HEAD:templates/xray.json.j2: is a link that leads out" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is no commit 'nowhere' here; a shallow clone"),
        (["--", "--output=x"], "there is no commit '--output=x' here"),
        (["--host", "lon1"], "unknown host 'lon1'"),
        (["HEAD", "--servers"], "leave one out"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_names_nothing_is_a_usage_error(words: list[str], said: str) -> None:
    result = ops_("diff", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_outside_of_git_is_said(tmp_path: Path) -> None:
    result = ops_("diff", "--fleet", str(fleets.write(tmp_path / "alone")))
    assert result.exit_code == 2
    assert "not a git repository" in result.stderr


def test_a_commit_without_a_fleet_is_said(fleet: Path) -> None:
    subprocess.run(["git", "-C", str(fleet), "rm", "-rq", "--cached", "inventory"], check=True)
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    git.git(fleet, *who, "commit", "-q", "-m", "No fleet")
    result = ops_("diff")
    assert result.exit_code == 2
    assert "HEAD holds no inventory/hosts.toml" in result.stderr


def test_a_hooks_own_repository_is_not_taken_for_the_fleets(
    fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "other")], check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    edit(fleet, "port = 443", "port = 444")
    assert list(changed()) == ["ams1", "fra1"]


def test_a_host_in_maintenance_changes_later(fleet: Path) -> None:
    away = 'maintenance = { why = "new disk", until = 2999-12-31 }'
    edit(fleet, "[hosts.fra1]", f"[hosts.fra1]\n{away}")
    assert changed() == {}
    edit(fleet, "port = 443", "port = 444")
    assert "note: fra1 is in maintenance until 2999-12-31: rollouts" in ops_("diff").stdout


def test_files_that_are_not_compared_are_noted(fleet: Path) -> None:
    (fleet / "requirements.txt").write_text("xray-ops==1\n")
    commit(fleet)
    (fleet / "requirements.txt").write_text("xray-ops==2\n")
    assert "note: requirements.txt differs" in ops_("diff").stdout
