"""Which hosts `ops validate --changed-since` judges."""

import json
from pathlib import Path

import pytest

from tests.test_changes import commit, edit, fleet, ops_

__all__ = ["fleet"]


def judged(*words: str) -> list[str]:
    result = ops_("validate", "--no-core", "--format", "json", "--changed-since", "HEAD", *words)
    subjects: list[str] = json.loads(result.stdout)["subjects"]
    return subjects


@pytest.mark.usefixtures("fleet")
def test_what_did_not_change_is_counted_in_a_line() -> None:
    result = ops_("validate", "--no-core", "--changed-since", "HEAD")
    assert result.exit_code == 0
    assert result.stderr == "2 hosts not judged: as at HEAD\n"
    assert judged() == []


def test_a_host_whose_config_changed_is_judged(fleet: Path) -> None:
    edit(fleet, "[keys.bob]", '[keys.carol]\nopens = ["fra1"]\n[keys.bob]', "keys.toml")
    assert judged() == ["fra1"]
    assert judged("--host", "ams1") == []


def test_a_new_host_is_judged(fleet: Path) -> None:
    edit(fleet, "[hosts.fra1]", '[hosts.lon1]\naddress = ["lon1.example.net"]\n[hosts.fra1]')
    assert judged() == ["lon1"]


def test_another_core_has_all_judged(fleet: Path) -> None:
    edit(fleet, 'version = "26.10.10"', 'version = "26.9.9"')
    assert judged() == ["ams1", "fra1"]


def test_an_excuse_that_goes_has_its_host_judged(fleet: Path) -> None:
    edit(fleet, "[hosts.fra1]", '[hosts.fra1]\nignore = { XO502 = "old links" }')
    assert judged() == ["fra1"]


def test_how_ssh_reaches_a_host_is_no_change_of_its_config(fleet: Path) -> None:
    edit(fleet, "[hosts.fra1]", '[hosts.fra1]\nssh_hostname = "203.0.113.1"')
    assert judged() == []


def test_a_template_that_breaks_is_found_at_every_host(fleet: Path) -> None:
    (fleet / "templates").mkdir()
    (fleet / "templates" / "xray.json.j2").write_text("{{ nothing }}")
    assert judged() == ["ams1", "fra1"]


def test_a_broken_past_has_all_judged_so_that_it_can_be_mended(fleet: Path) -> None:
    keys = (fleet / "inventory" / "keys.toml").read_text()
    edit(fleet, "opens =", "open =", "keys.toml")
    commit(fleet)
    (fleet / "inventory" / "keys.toml").write_text(keys)
    result = ops_("validate", "--no-core", "--changed-since", "HEAD")
    assert result.exit_code == 0
    assert "every host is judged, because HEAD does not validate: HEAD:inventory" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--changed-since", "no"], "no commit 'no'"), (["x.json", "--changed-since", "a"], "FILE")],
)
@pytest.mark.usefixtures("fleet")
def test_what_names_nothing_is_a_usage_error(words: list[str], said: str) -> None:
    result = ops_("validate", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_gitlab_gets_a_code_quality_report(fleet: Path) -> None:
    edit(fleet, "opens =", "open =", "keys.toml")
    result = ops_("validate", "--no-core", "--format", "gitlab")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report[0]["location"] == {"path": "inventory/keys.toml", "lines": {"begin": 4}}
    assert report[0]["severity"] == "critical"
    assert all({"description", "check_name", "fingerprint"} <= entry.keys() for entry in report)
