"""What a command printed is told from all that others print around it, by real shells."""

import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass

import pytest

from ops.counting.tunnel.frame import Framed, complaint, framed, unframed

MARK = "0123456789abcdef"
SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "ksh") if shutil.which(shell)]
NOISE = {
    "none": "",
    "a line": "echo boot; echo boot >&2; ",
    "no newline": "printf boot; printf boot >&2; ",
    "a trace of every command": "set -x; ",
    "what looks like a frame": "printf '\\n=begin-0 4=\\nhi\\n0\\n\\n=end-0=\\n'; ",
    "a job that never ends": "(while echo boot; do sleep .001; done) & (sleep 60) & ",
}


@dataclass
class Ran:
    found: Framed | None
    complaint: str


def run(command: str, shell: str = "sh", before: str = "", seconds: int = 5, **how: int) -> Ran:
    words = framed(command, MARK, seconds=seconds, **how)
    group = f"{before}{words}; code=$?; kill $(jobs -p) 2>/dev/null; exit $code"
    text = group if "&" in before else before + words
    done = subprocess.run([shell, "-c", text], capture_output=True, check=False, timeout=30)
    return Ran(unframed(done.stdout, MARK), complaint(done.stderr, MARK))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_prints_the_same_in_every_login_shell(shell: str) -> None:
    command = "printf '%s\\n' \"it's\" 'a\\b' $((1 + 1)); echo no >&2; exit 3"
    assert run(command, shell) == Ran(Framed("it's\na\\b\n2\n", 3), "no")


@pytest.mark.parametrize("noise", NOISE)
def test_noise_of_a_login_shell_is_ignored(noise: str) -> None:
    found = run("sleep .02; echo hi; echo no >&2; exit 1", "bash", NOISE[noise]).found
    assert found == Framed("hi\n", 1)


def test_output_is_whole_to_the_last_newline_and_byte() -> None:
    assert run("printf 'a\\n\\n\\n'").found == Framed("a\n\n\n", 0)
    assert run(":").found == Framed("", 0)
    assert run("printf '\\303\\244\\377'").found == Framed("ä\ufffd", 0)


def test_endless_output_is_cut_on_the_host() -> None:
    found = run("yes", most=100_000).found
    assert found
    assert found.status is None
    assert len(found.output) < 200_000


def test_a_command_that_hangs_is_ended_on_the_host() -> None:
    began = time.monotonic()
    assert run("sleep 4711 & sleep 4712", seconds=1).found is None
    assert time.monotonic() - began < 20
    left = subprocess.run(["pgrep", "-f", "^sleep 471[12]"], check=False, capture_output=True)
    assert left.stdout == b""


def test_a_frame_that_another_program_writes_into_is_none() -> None:
    whole = b"\n=begin-7 4=\nhi\n0\n\n=end-7=\n"
    assert unframed(whole, "7") == Framed("hi", 0)
    for at in range(whole.index(b"hi"), len(whole) - 1):
        mixed = whole[:at] + b"boot" + whole[at:]
        assert unframed(mixed, "7") is None
    for at in range(len(whole) - 1):
        assert unframed(whole[:at], "7") is None


def test_the_command_line_never_holds_the_frame_itself() -> None:
    words = framed("id", MARK, seconds=1)
    assert f"begin-{MARK}" not in words
    assert shlex.split(words)[:2] == ["sh", "-c"]
