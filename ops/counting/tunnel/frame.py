"""Tell a command's own output from what login shells, forced commands and their jobs print.

The command runs in a shell of its own, which prints its output at once, between two lines that
nobody else can know. The output's length stands in the first of them.
"""

import re
import shlex
from dataclasses import dataclass

LARGEST = 32 << 20
"""Bytes that a command may print: four times what 50,000 users need."""
NOISE = 1 << 20
"""Bytes that others may print around it."""
# `set -x` prints the script itself: the words that are looked for do not stand in it as one.
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
    """What a command printed, and its exit status; None where the host cut the output off."""

    output: str
    status: int | None


def framed(command: str, mark: str, *, seconds: int, most: int = LARGEST) -> str:
    """Return words for any login shell that run *command* between frames called *mark*.

    The host ends it after *seconds*, and cuts what it prints at *most* bytes.
    """
    script = _SCRIPT.format(command=command, mark=mark, most=most + 16)
    bounded = _BOUNDED.format(seconds=seconds)
    return f"sh -c {shlex.quote(bounded)} sh {shlex.quote(script)}"


def unframed(printed: bytes, mark: str) -> Framed | None:
    """Return what stands in the frame called *mark*; None where no whole frame is there.

    >>> unframed(b"boot\\n=begin-7 4=\\nhi\\n0\\n\\n=end-7=\\nbye", "7")
    Framed(output='hi', status=0)
    """
    found = re.search(rb"^=begin-%s (\d{1,9})=\n" % mark.encode(), printed, re.MULTILINE)
    if not found:
        return None
    end = found.end() + int(found[1])
    if not printed.startswith(b"\n\n=end-%s=\n" % mark.encode(), end):
        return None
    output, newline, status = printed[found.end() : end].rpartition(b"\n")
    whole = bool(newline) and re.fullmatch(rb"\d{1,3}", status)
    return Framed(output.decode("utf-8", "replace"), int(status) if whole else None)


def complaint(printed: bytes, mark: str) -> str:
    """Return the last line in the frame on stderr, or of all of it where no frame begins."""
    text = printed.decode("utf-8", "replace")
    _, _, inside = text.rpartition(f"=begin-{mark}=\n")
    lines = inside.partition(f"\n=end-{mark}=\n")[0].strip().split("\n")
    return lines[-1].strip()
