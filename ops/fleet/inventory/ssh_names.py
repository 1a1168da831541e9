"""Where ``~/.ssh/config`` says that a name leads: as much of it as known_hosts asks for.

pyinfra's own reader runs later. This one only spares people a warning that would not be true.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ops.files import expand_home, read_text

_DEEPEST = 16
"""Includes inside includes, as in OpenSSH's readconf.c."""
PORT = 22
_SETTLES = ("hostname", "port")


@dataclass(frozen=True, slots=True)
class Setting:
    """A line that changes the place of the hosts that its block is for."""

    patterns: tuple[str, ...] | None
    """Of its Host line; None under Match, which this room does not judge."""
    keyword: str
    value: str


def settings(file: Path = Path("~/.ssh/config")) -> list[Setting]:
    """Return the settings of an ssh config; none where it cannot be read."""
    return list(_settings(expand_home(file), ("*",), 0))


def place(name: str, known: list[Setting]) -> tuple[str, int] | None:
    """Return the host name and port that *name* leads to; None where that is not sure."""
    found: dict[str, str] = {}
    for setting in known:
        if setting.patterns is None:
            return None
        if _holds(setting.patterns, name):
            found.setdefault(setting.keyword, setting.value)
    hostname = found.get("hostname", name).replace("%h", name)
    port = found.get("port", str(PORT))
    return (hostname, int(port)) if port.isdecimal() and _is_one_word(hostname) else None


def _is_one_word(hostname: str) -> bool:
    return bool(re.fullmatch(r"[\w.:-]+", hostname))


def _holds(patterns: tuple[str, ...], name: str) -> bool:
    fits = [p for p in patterns if fnmatchcase(name.lower(), p.removeprefix("!").lower())]
    return bool(fits) and not any(p.startswith("!") for p in fits)


def _settings(file: Path, patterns: tuple[str, ...] | None, depth: int) -> Iterator[Setting]:
    try:
        lines = read_text(file).splitlines()
    except OSError:
        return
    for line in lines:
        keyword, *words = line.replace("=", " ", 1).replace('"', " ").split() or [""]
        keyword = keyword.lower()
        if keyword == "host":
            patterns = tuple(words)
        elif keyword == "match":
            patterns = None
        elif keyword == "include" and depth < _DEEPEST:
            for word in words:
                for included in _files(word):
                    yield from _settings(included, patterns, depth + 1)
        elif keyword in _SETTLES and words:
            yield Setting(patterns, keyword, words[0])


def _files(pattern: str) -> list[Path]:
    path = expand_home("~/.ssh") / expand_home(pattern)
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
