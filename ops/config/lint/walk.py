"""Go through a config with Xray's own names and types, and bring it into one form.

The core ignores a key that it does not know without a word, and takes the others in any case. What
is left here is what the core acts on: names as Xray writes them, values of the right type.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ops.config.lint.positions import Path
from ops.config.lint.schema import Key, Keys, keys_of, settings_of

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
"""Objects that Xray also takes as one text."""
_NUMBERED = {"level"}
"""Objects whose names are numbers."""
_GONE = object()


@dataclass(frozen=True, slots=True)
class Odd:
    """A key or value that Xray's config has no place for."""

    path: Path
    key: Key | None = None
    """Where the key is known."""
    known: tuple[str, ...] = ()
    """Where it is not: those that are."""
    wanted: str = ""
    """Where the value's type is wrong: the right one, in words."""
    twice: bool = False


@dataclass
class Walk:
    """One way through a config; *odd* is what was met, in order."""

    odd: list[Odd] = field(default_factory=list)

    def config(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what the core acts on in *data*, the names as Xray writes them."""
        return self._object(data, keys_of("config"), ())

    def _object(self, data: dict[str, Any], known: Keys, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in data.items():
            key = known.get(name) or known.get(name.lower())
            if key is None:
                names = tuple(key.name for key in known.values() if not key.until)
                self.odd.append(Odd((*path, name), known=names))
                continue
            if key.until or key.since:
                self.odd.append(Odd((*path, name), key=key))
            if key.name in made:
                self.odd.append(Odd((*path, name), key=key, twice=True))
            kind = _settled(key.type, data)
            if type(value) in _SCALARS.get(kind, ()):
                made[key.name] = value
            elif (left := self._value(value, kind, (*path, name))) is not _GONE:
                made[key.name] = left
        return made

    def _value(self, value: Any, kind: str, path: Path) -> Any:
        """Return *value* if it is of *kind*, without what is not; ``_GONE`` if none of it is."""
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
            return self._object(value, keys_of(inner), path)
        if inner in _OR_TEXT and isinstance(value, str):
            return value
        return self._wrong(path, "an object in {}")

    def _list(self, value: list[Any], inner: str, path: Path) -> list[Any]:
        """Return *value* with something empty in the place of what is wrong: places stay."""
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
    """Return those of *odd* that the core refuses: a value of a wrong type."""
    return (one for one in odd if one.wanted)


def _inner(kind: str) -> str:
    """Return the type of what a list or map holds: an object, unless it is a plain value."""
    return kind if kind in _SCALARS or kind[0] in "[{<" or kind == "any" else f"{{{kind}}}"


def _settled(kind: str, holder: dict[str, Any]) -> str:
    """Return the type of ``settings``, which depends on the protocol beside it."""
    if not kind.endswith("-*}"):
        return kind
    said = next((v for k, v in holder.items() if k.lower() in ("protocol", "type")), None)
    found = settings_of(kind[1:-3], str(said))
    return f"{{{found}}}" if found else "any"
