"""What an object of Xray's config may hold: ``schema.toml``, read once."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Version = tuple[int, ...]

NEWEST = (26, 10, 10)
"""The newest core that the table was compared with."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object: its name as Xray writes it, its type, and the cores that know it."""

    name: str
    type: str
    since: Version = ()
    until: Version = ()
    """The last that knew it; empty while it lives."""

    def known_to(self, version: Version) -> bool:
        """Return whether the core of *version* acts on it."""
        return self.since <= version and (not self.until or version <= self.until)


Keys = dict[str, Key]
"""The keys of one object, by their name in small letters: Xray takes them in any."""


@cache
def keys_of(name: str) -> Keys:
    """Return the keys of the object called *name* in ``schema.toml``."""
    words = _table()["objects"][name].split()
    return {key.name.lower(): key for key in map(_key, words)}


@cache
def settings_of(side: str, protocol: str) -> str | None:
    """Return the object that ``settings`` is for *protocol* on *side*; None if it is unknown."""
    name: str | None = _table()["protocols"][side].get(protocol.lower())
    return name


@cache
def protocols(side: str) -> tuple[str, ...]:
    """Return the protocols on *side*: ``in``, ``out`` or ``mask``."""
    return tuple(_table()["protocols"][side])


def version_of(text: str) -> Version:
    """Return the numbers of a version.

    >>> version_of("26.10.10")
    (26, 10, 10)
    """
    return tuple(int(part) for part in text.split("."))


def written(version: Version) -> str:
    """Return *version* as people write it."""
    return ".".join(map(str, version))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("schema.toml").read_text())


def _key(word: str) -> Key:
    name, _, rest = word.partition(":")
    rest, _, until = rest.partition("!")
    kind, _, since = rest.partition("@")
    return Key(name, kind, *(version_of(part) if part else () for part in (since, until)))
