"""The frame around commands, from the host's side: what a fake shell needs to take part."""

import re
import shlex

_INSIDE = re.compile(r"out=\$\(\{ \(\n(.*)\n\); printf ", re.DOTALL)
_MARK = re.compile(r'"\$1" ([0-9a-f]+) "\$2"')


def parts(words: str) -> tuple[str, str]:
    """Return the command in the framed *words*, and the frame's mark; empty where none is."""
    try:
        script = shlex.split(words)[-1]
    except (ValueError, IndexError):
        return words, ""
    inside, mark = _INSIDE.search(script), _MARK.search(script)
    return (inside[1], mark[1]) if inside and mark else (words, "")


def output(mark: str, printed: bytes, status: int) -> bytes:
    """Return what the host's shell prints on stdout."""
    held = printed + b"\n%d" % status
    return b"\n=begin-%s %d=\n%s\n\n=end-%s=\n" % (mark.encode(), len(held), held, mark.encode())


def complaint(mark: str, printed: bytes) -> bytes:
    """Return what it prints on stderr."""
    return b"\n=begin-%s=\n%s\n=end-%s=\n" % (mark.encode(), printed, mark.encode())
