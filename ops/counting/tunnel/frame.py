"""Separate a command's own output from the output of login shells, forced commands and jobs.

The command runs in its own shell. That shell prints the output in one piece, between two lines
with a random mark. The first of these lines also has the length of the output.
"""

import re
import shlex
from dataclasses import dataclass

LARGEST = 32 << 20
"""Bytes that a command may print: four times the size of a reading of 50,000 users."""
NOISE = 1 << 20
"""Bytes that other programs may print around it."""
# `set -x` prints the script itself, so the script never contains a whole line of the frame.
_SCRIPT = """\
say() {{ printf '\\n=%s-%s%s=\\n' "$1" {mark} "$2"; }}
say begin >&2
out=$({{ (
{command}
); printf '\\n%s' $?; }} | head -c {most})
say end >&2
LC_ALL=C
say begin " ${{#out}}"
printf '%s\\n' "$out"
say end
"""
_BOUNDED = (
    'if command -v timeout >/dev/null 2>&1; then exec timeout -k 1 {seconds} sh -c "$1";'
    ' else exec sh -c "$1"; fi'
)


@dataclass(frozen=True, slots=True)
class Framed:
    """The output of a command, and its exit status; None if the host cut the output off."""

    output: str
    status: int | None


def framed(command: str, mark: str, *, seconds: int, most: int = LARGEST) -> str:
    """Return a command line for any login shell that runs *command* in a frame called *mark*.

    The host ends the command after *seconds*, and cuts its output off at *most* bytes.
    """
    script = _SCRIPT.format(command=command, mark=mark, most=most + 16)
    bounded = _BOUNDED.format(seconds=seconds)
    return f"sh -c {shlex.quote(bounded)} sh {shlex.quote(script)}"


def unframed(printed: bytes, mark: str) -> Framed | None:
    """Return the content of the frame called *mark*; None if there is no complete frame.

    >>> unframed(b"boot\\n=begin-7 4=\\nhi\\n0\\n\\n=end-7=\\nbye", "7")
    Framed(output='hi', status=0)
    """
    begin = re.search(rb"^=begin-%s (\d{1,9})=\n" % mark.encode(), printed, re.MULTILINE)
    if not begin:
        return None
    end = begin.end() + int(begin[1])
    if not printed.startswith(b"\n\n=end-%s=\n" % mark.encode(), end):
        return None
    output, newline, status = printed[begin.end() : end].rpartition(b"\n")
    whole = bool(newline) and re.fullmatch(rb"\d{1,3}", status)
    return Framed(output.decode("utf-8", "replace"), int(status) if whole else None)


def complaint(printed: bytes, mark: str) -> str:
    """Return the last line inside the frame on stderr; without a frame, the last line of all."""
    text = printed.decode("utf-8", "replace")
    _, _, inside = text.rpartition(f"=begin-{mark}=\n")
    lines = inside.partition(f"\n=end-{mark}=\n")[0].strip().split("\n")
    return lines[-1].strip()
