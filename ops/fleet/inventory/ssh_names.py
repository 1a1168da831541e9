"""The HostName and Port of a name in ``~/.ssh/config``.

pyinfra has its own reader. This one only avoids a false warning about known_hosts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ops.files import expand_home, read_text

_DEEPEST = 16
"""The most levels of includes (OpenSSH, readconf.c)."""
PORT = 22
_SETTLES = ("hostname", "port")


@dataclass(frozen=True, slots=True)
class Setting:
    """A HostName or Port line of an ssh config."""

    patterns: tuple[str, ...] | None
    """The patterns of its Host line; None for a Match block, which is not evaluated."""
    keyword: str
    value: str


def settings(file: Path = Path("~/.ssh/config")) -> list[Setting]:
    """Return the settings of an ssh config; an empty list if it cannot be read."""
    return list(_settings(expand_home(file), ("*",), 0))


def place(name: str, known: list[Setting]) -> tuple[str, int] | None:
    """Return the host name and port of *name*; None if they are not certain."""
    values: dict[str, str] = {}
    for setting in known:
        if setting.patterns is None:
            return None
        if _holds(setting.patterns, name):
            values.setdefault(setting.keyword, setting.value)
    hostname = values.get("hostname", name).replace("%h", name)
    port = values.get("port", str(PORT))
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
