"""How a host is asked for its state: whatever its shell, its sudo and its Python say around it."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ops.servers.on_host import places
from ops.servers.planning.bundle import Bundle, program
from ops.servers.planning.look import LOOK, LOOK_BY_SUDO, TOLERANT_LOOK, state_of
from ops.servers.rollout.operation import CARRY_OUT

NOISE = ("", "boot", "boot\n", "{}\n", f"{places.ANSWER}\n", "\x1b[2J\n", '{"machine": 1}\n')
SUDO_ASKS = "sudo: a password is required"
"""pyinfra asks the terminal for a password if this is a line of what a command printed."""


def ask(command: str, path: str) -> subprocess.CompletedProcess[str]:
    """Type *command* with nothing but the programs in *path*."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        input="".join(Bundle(program())),
        capture_output=True,
        env={"PATH": path},
        text=True,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with a Python of ours before the system's programs."""
    (tmp_path / "python3").symlink_to(sys.executable)
    return f"{tmp_path}:/usr/bin:/bin"


def fake(folder: Path, name: str, script: str) -> None:
    """Stand in for the program *name*."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(NOISE, NOISE)))
def test_what_a_login_shell_says_around_the_answer_is_no_part_of_it(
    before: str, after: str
) -> None:
    answer = f'\n{places.ANSWER}{{"machine": "x86_64"}}\n'
    assert state_of(before + answer + after).machine == "x86_64"


def test_a_look_answers_through_a_noisy_shell(path: str) -> None:
    said = ask(f"printf boot; {LOOK}", path).stdout
    assert state_of(said + "bye").machine == os.uname().machine


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "it printed nothing when it was asked for its state"),
        ("Traceback (most recent call last):\nMemoryError\n", "MemoryError"),
        ("boot\nbash: python3: No such file\n\n", "bash: python3: No such file"),
        (f"{places.ANSWER}[]", f"{places.ANSWER}[]"),
        (f"{places.ANSWER}{'[' * 100_000}\noops", "oops"),
    ],
)
def test_a_host_that_tells_no_state_is_told_by_its_last_words(said: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        state_of(said)
    assert str(caught.value) == words


@pytest.mark.parametrize("version", [(2, 7), (3, 5), (3, 7), (3, 8)])
def test_an_old_python_is_told_by_its_number(
    tmp_path: Path, path: str, version: tuple[int, int]
) -> None:
    """Old Pythons are not here: ours says that it is old, and lacks what came later."""
    old = f"import sys, os; sys.version_info = {(*version, 0)}; del os.memfd_create; "
    fake(tmp_path, "python3", f'exec {sys.executable} -I -c "{old} exec(sys.argv[1])" "$3"')
    done = ask(TOLERANT_LOOK, path)
    number = ".".join(map(str, version))
    assert done.returncode == 0
    with pytest.raises(ValueError, match="newer is needed on a host, this is") as caught:
        state_of(done.stdout)
    assert str(caught.value) == f"Python 3.9 or newer is needed on a host, this is {number}"


def test_a_missing_python_is_told_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="python3 is missing on this host; on Debian: apt-get"):
        state_of(ask(TOLERANT_LOOK, str(tmp_path)).stdout)


@pytest.mark.parametrize(
    "sudo",
    [
        f"echo '{SUDO_ASKS}' >&2; exit 1",
        "echo 'sudo-rs: interactive authentication is required' >&2; exit 1",
        "echo 'We trust you have received the usual lecture'; echo; exit 1",
        "exit 1",
    ],
)
def test_sudo_that_wants_a_password_is_a_sentence_and_never_a_question(
    tmp_path: Path, path: str, sudo: str
) -> None:
    """Root runs the tests, so that another user and their sudo are stood in for."""
    fake(tmp_path, "id", "[ $1 = -u ] && echo 1000 || echo ann")
    fake(tmp_path, "sudo", sudo)
    done = ask(LOOK_BY_SUDO, path)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(ValueError, match="ann may not use sudo here without a password"):
        state_of(done.stdout)
    assert not [line for line in done.stdout.splitlines() if line.strip().startswith("sudo")]


def test_sudo_that_wants_no_password_is_used(tmp_path: Path, path: str) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", 'shift; exec "$@"')
    assert state_of(ask(LOOK_BY_SUDO, path).stdout).machine == os.uname().machine


def test_where_the_set_cannot_be_written_a_sentence_says_so(tmp_path: Path, path: str) -> None:
    fake(tmp_path, "mkdir", "echo 'mkdir: Read-only file system' >&2; exit 1")
    done = ask(CARRY_OUT, path)
    assert done.returncode == 1
    assert done.stderr == (
        f"nothing was changed: {places.STATE} cannot be written to: its disk may be full or "
        "mounted read-only\n"
    )
