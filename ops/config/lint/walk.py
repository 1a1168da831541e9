"""Reduce a config to the fields that the core uses, in Xray's own spelling.

The core silently ignores unknown fields, and ignores the case of known ones. The result has only
known fields with values of the right type. All others are listed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ops.config.lint.positions import Path
from ops.config.lint.schema import Field, Fields, fields_of, settings_of

_SCALARS: dict[str, tuple[type, ...]] = {  # exact types: a bool is an int to Python, not to Xray
    "text": (str,),
    "bool": (bool,),
    "number": (int, float),
    "texts": (str,),
    "port": (int, str),
    "range": (int, str),
}
_WORDS = {
    "text": "text in quotes",
    "bool": "true or false",
    "number": "a number",
    "texts": "text or a list of it",
    "port": "a port, or ports as text",
    "range": "a number, or a range as text",
}
_OR_TEXT = {"dns-server"}
"""Objects that may also be one text."""
_NUMBERED = {"level"}
"""Objects in maps that have numbers as names."""
_GONE = object()


@dataclass(frozen=True, slots=True)
class Odd:
    """A field or value that some or all cores ignore or refuse."""

    path: Path
    field: Field | None = None
    """The field, if some core knows it."""
    known: tuple[str, ...] = ()
    """For an unknown field: the known fields of the object."""
    wanted: str = ""
    """For a value of a wrong type: the right type, in words."""
    twice: bool = False
    """Whether the object has the field twice, in different spellings."""


@dataclass
class Walk:
    """Goes through a config once; ``odd`` collects its odd fields and values, in order."""

    odd: list[Odd] = field(default_factory=list)

    def config(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of *data* that the core uses, in Xray's spelling."""
        return self._object(data, fields_of("config"), ())

    def _object(self, data: dict[str, Any], known: Fields, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in data.items():
            field = known.get(name) or known.get(name.lower())
            if field is None:
                names = tuple(field.name for field in known.values() if not field.until)
                self.odd.append(Odd((*path, name), known=names))
                continue
            if field.until or field.since:
                self.odd.append(Odd((*path, name), field))
            if field.name in made:
                self.odd.append(Odd((*path, name), field, twice=True))
            kind = _settled(field.type, data)
            if type(value) in _SCALARS.get(kind, ()):
                made[field.name] = value
            elif (left := self._value(value, kind, (*path, name))) is not _GONE:
                made[field.name] = left
        return made

    def _value(self, value: Any, kind: str, path: Path) -> Any:
        """Return the parts of *value* that are of type *kind*; ``_GONE`` if no part is."""
        if value is None:
            return _GONE
        if kind == "any" or type(value) in _SCALARS.get(kind, ()):
            return value
        if kind == "texts" and isinstance(value, list):
            return self._list(value, "text", path)
        if kind in _SCALARS:
            return self._wrong(path, _WORDS[kind])
        inner = kind[1:-1]
        if kind[0] == "[":
            right = isinstance(value, list)
            return self._list(value, inner, path) if right else self._wrong(path, "a list in []")
        if isinstance(value, dict):
            if kind[0] == "<":
                return self._map(value, inner, path)
            return self._object(value, fields_of(inner), path)
        if inner in _OR_TEXT and isinstance(value, str):
            return value
        return self._wrong(path, "an object in {}")

    def _list(self, value: list[Any], inner: str, path: Path) -> list[Any]:
        """Return *value* with an empty entry for each wrong one, so that indexes stay the same."""
        blank: Callable[[], Any] = str if inner in _SCALARS else dict
        entries = (self._value(entry, _inner(inner), (*path, at)) for at, entry in enumerate(value))
        return [blank() if entry is _GONE else entry for entry in entries]

    def _map(self, value: dict[str, Any], inner: str, path: Path) -> dict[str, Any]:
        made = {}
        for name, entry in value.items():
            place = (*path, name)
            right = inner not in _NUMBERED or name.isdigit()
            left = (
                self._value(entry, _inner(inner), place)
                if right
                else self._wrong(place, "a number")
            )
            if left is not _GONE:
                made[name] = left
        return made

    def _wrong(self, path: Path, wanted: str) -> Any:
        self.odd.append(Odd(path, wanted=wanted))
        return _GONE


def mistyped(odd: list[Odd]) -> Iterator[Odd]:
    """Yield those of *odd* with a value of a wrong type, which the core refuses."""
    return (one for one in odd if one.wanted)


def _inner(kind: str) -> str:
    """Return the type of entries from its short form in a list or map: a name is an object."""
    return kind if kind in _SCALARS or kind[0] in "[{<" or kind == "any" else f"{{{kind}}}"


def _settled(kind: str, holder: dict[str, Any]) -> str:
    """Return *kind*; if it depends on the protocol in *holder*, the type for that protocol."""
    if not kind.endswith("-*}"):
        return kind
    protocol = next((v for k, v in holder.items() if k.lower() in ("protocol", "type")), None)
    settings = settings_of(kind[1:-3], str(protocol))
    return f"{{{settings}}}" if settings else "any"
