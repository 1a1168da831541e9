"""What is typed for pyinfra and names nothing, and what pyinfra says that misleads here."""

import logging
from pathlib import Path
from typing import Any

import pytest

from ops.errors import UsageError
from ops.fleet.inventory import pyinfra_groups
from ops.fleet.inventory.pyinfra import refuse_unmatched
from ops.fleet.inventory.pyinfra_cli import name_our_command, typed_targets
from tests import fleets

GROUPS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "all": [("ams1", {}), ("fra1", {})],
    "edge": [("ams1", {})],
}


@pytest.mark.parametrize("pattern", ["fra1", "*1", "edge", "all", "[af]*", "fra?"])
def test_what_names_hosts_or_a_group_is_taken(pattern: str) -> None:
    refuse_unmatched(GROUPS, "--limit", [pattern])


@pytest.mark.parametrize("pattern", ["typo", "fra", "FRA1", "", "edge*", "ams1,fra1"])
@pytest.mark.parametrize("option", ["--limit", "--exclude"])
def test_what_names_neither_a_host_nor_a_group_is_refused(option: str, pattern: str) -> None:
    with pytest.raises(UsageError, match=rf"{option} .* ?names no host and no group") as caught:
        refuse_unmatched(GROUPS, option, ["fra1", pattern])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("words", "limits", "excluded"),
    [
        ("-y --limit fra1 --limit edge", ["fra1", "edge"], []),
        ("--limit=fra1 --exclude=ams1 --dry", ["fra1"], ["ams1"]),
        ("-vvv --data rotate=--limit --data force=yes", [], []),
        ("", [], []),
    ],
)
def test_what_was_typed_is_read_as_pyinfra_reads_it(
    words: str, limits: list[str], excluded: list[str]
) -> None:
    read = typed_targets(["inventory", "deploy.py", *words.split()])
    assert read == {"--limit": limits, "--exclude": excluded}


def test_outside_of_a_run_nothing_was_typed_for_pyinfra() -> None:
    assert typed_targets() == {}


def test_a_changed_host_key_is_answered_with_our_own_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fleets.write(tmp_path)
    (folder / "inventory" / "known_hosts").touch()
    pyinfra_groups(folder)
    logging.getLogger("pyinfra").warning("    ssh-keygen -R 192.0.2.7")
    assert caplog.messages == ["    ops hosts trust NAME --fingerprint SHA256:... --replace"]


def test_other_words_of_pyinfra_stay() -> None:
    record = logging.LogRecord("pyinfra", 30, "", 1, "other words", None, None)
    assert name_our_command(record)
    assert record.msg == "other words"
