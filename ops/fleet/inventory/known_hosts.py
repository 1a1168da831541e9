"""The lines of inventory/known_hosts, in the form that ops and pyinfra read alike.

pyinfra's paramiko knows neither patterns nor markers. It stops at a line that it cannot decode,
and all hosts after this line are then unknown.
"""

import binascii
import hmac
import re
from collections.abc import Iterator, Sequence

from ops.errors import Problem

_SINGLE = re.compile(r"[ \t]")


def problems(file: str, lines: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each line that ops and pyinfra would read differently."""
    revoked = 0
    for number, line in _entries(lines):
        names, *rest = _SINGLE.split(line)
        if names == "@revoked":
            revoked = revoked or number
            continue
        if revoked:
            message = "pyinfra reads no line after @revoked"
            yield Problem(file, revoked, message, "write @revoked lines last")
            revoked = 0
        if names == "@cert-authority":
            message = "@cert-authority is understood by ops, but not by pyinfra"
            remedy = "write each server's own key instead (`ops hosts trust NAME`)"
            yield Problem(file, number, message, remedy)
        elif set(names) & set("*?!"):
            message = "a pattern is understood by ops, but not by pyinfra"
            yield Problem(file, number, message, "write each server's own name")
        elif not _is_decoded(rest):
            message = "pyinfra reads no line after this one, because it is no host key to it"
            yield Problem(file, number, message, "write: name, type, key, with one space between")


def names(lines: Sequence[str]) -> set[str]:
    """Return the names of all servers that *lines* trust."""
    trusted = (_SINGLE.split(line)[0] for _, line in _entries(lines) if not line.startswith("@"))
    return {name for entry in trusted for name in entry.split(",")}


def is_about(line: str, place: str) -> bool:
    """Return whether *line* has a key of *place*, under its name or its hashed name."""
    return any(_is(name, place) for name in _SINGLE.split(line.strip())[0].split(","))


def without(line: str, place: str) -> str:
    """Return *line* without *place*; an empty text if the line has no other name.

    >>> without("fra1,192.0.2.7 ssh-ed25519 AAAA", "fra1")
    '192.0.2.7 ssh-ed25519 AAAA'
    """
    entry, *key = _SINGLE.split(line.strip(), maxsplit=1)
    left = [name for name in entry.split(",") if not _is(name, place)]
    return " ".join([",".join(left), *key]) if left else ""


def _is(name: str, place: str) -> bool:
    if not name.startswith("|1|"):
        return name == place
    try:
        salt, digest = map(binascii.a2b_base64, name.split("|")[2:])
    except ValueError:
        return False
    return hmac.digest(salt, place.encode(), "sha1") == digest


def _entries(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if (bare := line.strip()) and not bare.startswith("#"):
            yield number, bare


def _is_decoded(rest: list[str]) -> bool:
    """Return whether paramiko can decode the key type and key in *rest*."""
    try:
        binascii.a2b_base64(rest[1] if len(rest) > 1 else "")
    except ValueError:
        return False
    return True
