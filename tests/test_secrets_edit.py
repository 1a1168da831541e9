"""Secrets at a terminal: a real one (a pty), and editors that are real programs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.waiting import wait_until
from ops.fleet import secrets
from ops.fleet.inventory import load
from ops.fleet.secrets import age, store
from ops.fleet.secrets.fill import fill
from ops.model import Fleet
from tests import fleets
from tests.terminal import Terminal


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A fleet whose secrets are encrypted to whoever runs this."""
    monkeypatch.setenv(age.IDENTITY, str(tmp_path / "identity.txt"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir(mode=0o700)
    fleet = load(fleets.write(tmp_path / "fleet"))
    fill(fleet)
    age.keep_recipients(fleet, [age.make_identity()])
    store.encrypt(fleet)
    return fleet


def edit(fleet: Fleet, editor: str) -> Terminal:
    """Type ``ops secrets edit``, where the editor is the shell script *editor*."""
    script = fleet.folder.parent / "editor"
    script.write_text(f"#!/bin/sh\n{editor}\n")
    script.chmod(0o755)
    return Terminal(fleet.folder, "secrets", "edit", variables={"EDITOR": str(script)})


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    """Where the text lies while it is edited; nothing may be left there."""
    yield tmp_path / "runtime"
    assert list((tmp_path / "runtime").iterdir()) == []


def test_what_is_kept_was_checked_and_is_encrypted_again(fleet: Fleet, runtime: Path) -> None:
    before = store.encrypted(fleet).read_bytes()
    typist = edit(fleet, 'echo "# checked" >> "$1"; stat -c %a "$1" "$(dirname "$1")"')
    assert typist.code() == 0
    assert typist.shown.split()[:2] == ["600", "700"]
    assert "stored in inventory/secrets.toml.age" in typist.shown
    assert store.encrypted(fleet).read_bytes() != before
    assert store.read(fleet).endswith("# checked\n")


def test_what_cannot_be_kept_may_be_mended(fleet: Fleet, runtime: Path) -> None:
    mending = 'if grep -q "x = \\[" "$1"; then sed -i "/x = /d" "$1"; else echo "x = [" >> "$1"; fi'
    typist = edit(fleet, f'{mending}; echo "# mine" >> "$1"')
    typist.wait_for("Edit again? [Y/n]: ")
    assert "is not TOML" in typist.shown
    typist.types("y")
    assert typist.code() == 0
    assert "# mine\n# mine" in store.read(fleet)


def test_what_cannot_be_kept_may_be_given_up(fleet: Fleet, runtime: Path) -> None:
    before = store.encrypted(fleet).read_bytes()
    typist = edit(fleet, 'echo "x = [" >> "$1"')
    typist.wait_for("Edit again? [Y/n]: ")
    typist.types("n")
    assert (typist.code(), "nothing was changed" in typist.shown) == (130, True)
    assert store.encrypted(fleet).read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_an_edit_that_is_cut_off_leaves_no_secret_behind(
    fleet: Fleet, runtime: Path, number: signal.Signals
) -> None:
    """By Ctrl-C, by a terminal that is closed, by whoever ends it."""
    before = store.encrypted(fleet).read_bytes()
    typist = edit(fleet, "exec sleep 600")
    wait_until(lambda: any(runtime.rglob("secrets.toml")), "the editor has the text")
    typist.signals(number)
    assert typist.code() in (130, 128 + number)
    assert store.encrypted(fleet).read_bytes() == before


def test_without_a_runtime_folder_memory_is_used(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/nobody")
    typist = edit(fleet, 'echo "$1"')
    assert (typist.code(), typist.shown.startswith("/dev/shm/")) == (0, True)


def test_where_nobody_is_at_the_terminal_nothing_is_asked(fleet: Fleet, tmp_path: Path) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho "x = [" >> "$1"\n')
    script.chmod(0o755)
    words = [sys.executable, "-m", "ops", "secrets", "edit"]
    done = subprocess.run(
        words,
        cwd=fleet.folder,
        env=os.environ | {"EDITOR": str(script), "PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not TOML" in done.stderr
    secrets.load(fleet)
