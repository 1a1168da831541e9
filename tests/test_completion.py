"""The shell's completion: quick, without secrets, and correct in every verb."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ops.cli import cli
from tests.fleets import write

BIN = Path(sys.executable).parent
HEAVY = {"pydantic", "jinja2", "sqlalchemy", "asyncssh", "grpc", "segno", "tomlkit", "alembic"}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write(tmp_path / "fleet")
    (folder / "inventory" / "secrets.toml").mkdir()  # a read of it would fail
    return folder


def completed(words: str, folder: Path) -> list[str]:
    """Return the completions of the last of *words*, which may be empty."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [BIN / "ops"],
        env={**os.environ, **asked, "_OPS_COMPLETE": "bash_complete"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ops tra", ["traffic"]),
        ("ops traffic --watc", ["--watch"]),
        ("ops traffic --host ", ["ams1", "fra1"]),
        ("ops usage --key a", ["alice"]),
        ("ops status --group e", ["edge"]),
        ("ops link b", ["bob"]),
        ("ops link alice --inbound r", ["reality"]),
        ("ops render f", ["fra1"]),
        ("ops hosts trust a", ["ams1"]),
        ("ops stats user a", ["alice"]),
        ("ops reset b", ["bob"]),
    ],
)
def test_verbs_options_and_names_are_completed(words: str, names: list[str], fleet: Path) -> None:
    assert completed(words, fleet) == names


def test_a_fleet_that_is_wrong_or_missing_completes_nothing(fleet: Path, tmp_path: Path) -> None:
    (fleet / "inventory" / "hosts.toml").write_text("[")
    assert completed("ops link a", fleet) == []
    assert completed("ops link a", tmp_path) == []


def _selecting() -> list[str]:
    context = click.Context(cli)
    verbs = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return [
        name
        for name, verb in verbs.items()
        if verb and any(option.name == "host_globs" for option in verb.params)
    ]


@pytest.mark.parametrize("verb", _selecting())
def test_hosts_are_completed_without_the_libraries_that_work_needs(verb: str, fleet: Path) -> None:
    words = f"ops {verb} --host "
    assert completed(words, fleet) == ["ams1", "fra1"]  # and the fleet is in the cache now
    script = (
        "import sys, runpy, atexit;"
        f"atexit.register(lambda: print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr));"
        "runpy.run_module('ops', run_name='__main__')"
    )
    asked = {"COMP_WORDS": words, "COMP_CWORD": "3", "_OPS_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **asked, "PYTHONPATH": str(Path(__file__).parent.parent)},
        cwd=fleet,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_is_accepted_by_its_shell(shell: str) -> None:
    script = subprocess.run(
        [BIN / "ops", "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    assert "_OPS_COMPLETE" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)
