"""The fields and types of every object in Xray's config, from ``schema.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Version = tuple[int, ...]

NEWEST = (26, 10, 10)
"""The newest core that ``schema.toml`` was compared with."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object: Xray's spelling, its type, and the cores that know it."""

    name: str
    type: str
    since: Version = ()
    until: Version = ()
    """The last core that knew it; empty if the newest core knows it."""


Fields = dict[str, Field]
"""The fields of one object, by name in small letters: Xray ignores the case of names."""


@cache
def fields_of(name: str) -> Fields:
    """Return the fields of the object called *name* in ``schema.toml``."""
    words = _table()["objects"][name].split()
    return {field.name.lower(): field for field in map(_field, words)}


@cache
def settings_of(side: str, protocol: str) -> str | None:
    """Return the name of the object for ``settings`` of *protocol*; None if it is unknown.

    *side* is ``in``, ``out`` or ``mask``.
    """
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
    """Return *version* as text, such as ``26.10.10``."""
    return ".".join(map(str, version))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("schema.toml").read_text())


def _field(word: str) -> Field:
    name, _, rest = word.partition(":")
    rest, _, until = rest.partition("!")
    kind, _, since = rest.partition("@")
    return Field(name, kind, *(version_of(part) if part else () for part in (since, until)))
