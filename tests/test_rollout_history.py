"""Uncommitted work of a rollout: what a plan says of it, before and after its commit."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.servers.planning.checkout import checkout
from ops.servers.planning.plan import plan
from tests.test_changes import commit
from tests.test_rollout import transition
from tests.test_rollout_plans import DOWN

KEYS = "inventory/keys.toml"
Work = Callable[[Path], None]


def git_(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository without a commit, with a fleet's files."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts.toml").write_text("")
    git_(tmp_path, "init", "-q")
    return tmp_path


def rolled_out(folder: Path) -> dict[str, Any]:
    """Return the record of a rollout of *folder* as it is, by a colleague."""
    order = plan(transition(DOWN), checkout(folder)).order
    assert order
    return {**order.record, "who": "bob@laptop", "when": "today"}


def warning(folder: Path, record: dict[str, Any]) -> str:
    (first, *_) = plan(transition(DOWN._replace(record=record)), checkout(folder)).lines
    return first if "uncommitted work of" in first else ""


def write(folder: Path) -> None:
    (folder / KEYS).write_text("[keys.alice]\n")


def edit(folder: Path) -> None:
    (folder / "inventory/hosts.toml").write_text("[hosts.fra1]\n")


def delete(folder: Path) -> None:
    (folder / "inventory/hosts.toml").unlink()


def template(folder: Path) -> None:
    (folder / "templates").mkdir()
    (folder / "templates/a b \u00e9.j2").write_text("{{ x }}")


@pytest.mark.parametrize("work", [write, edit, delete, template])
def test_work_that_was_committed_since_is_nobodys_uncommitted_work(
    folder: Path, work: Work
) -> None:
    commit(folder)
    work(folder)
    record = rolled_out(folder)
    commit(folder)
    assert warning(folder, record) == ""
    (folder / KEYS).write_text("[keys.carol]\n")
    commit(folder)
    assert warning(folder, record) == ""


@pytest.mark.parametrize("work", [write, edit, delete, template])
def test_work_that_no_commit_has_is_named_before_it_is_taken_back(folder: Path, work: Work) -> None:
    commit(folder)
    work(folder)
    record = rolled_out(folder)
    git_(folder, "stash", "--include-untracked", "-q")
    assert "has uncommitted work of bob@laptop, rolled out at today (" in warning(folder, record)
    (folder / KEYS).write_text("[keys.carol]\n")
    commit(folder)
    assert "has uncommitted work of bob@laptop" in warning(folder, record)


def test_a_repository_without_a_commit_has_only_uncommitted_work(folder: Path) -> None:
    write(folder)
    (first, *_) = plan(transition(DOWN), checkout(folder)).lines
    assert first.startswith(
        "this includes uncommitted changes of this folder "
        "(inventory/hosts.toml, inventory/keys.toml)"
    )
    record = rolled_out(folder)
    commit(folder)
    assert warning(folder, record) == ""
    edit(folder)
    record = rolled_out(folder)
    git_(folder, "checkout", "-q", ".")
    assert "has uncommitted work of bob@laptop, rolled out at today (inventory/hosts" in warning(
        folder, record
    )


@pytest.mark.parametrize(
    "contents",
    [
        None,
        7,
        [],
        {},
        {KEYS: "--all"},
        {KEYS: "0" * 40},
        {"../..": ""},
        {"": "x"},
        {"\0": ""},
        {"\ud800": ""},
    ],
)
def test_a_record_from_a_host_names_no_option_of_git(folder: Path, contents: object) -> None:
    write(folder)
    commit(folder)
    record = {"commit": "c0ffee", "clean": False, "who": "bob@laptop", "contents": contents}
    assert "has uncommitted work of bob@laptop" in warning(folder, record)
