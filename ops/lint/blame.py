"""Where in a config is what the core complains of? Its messages name a tag, a key or a value."""

import re
from collections.abc import Iterator
from typing import Any

from ops.lint.keys import Walk, mistyped
from ops.lint.positions import Path

_TAGGED = re.compile(r"failed to build (inbound|outbound) config with tag (.*?)(?: > |$)")
_EXISTING = re.compile(r"existing tag found: (.*?)(?: > |$)")
_SECTIONS = {
    "routing configuration": "routing",
    "field rule": "routing",
    "router rule": "routing",
    "balanc": "routing",
    "dns configuration": "dns",
    "name server": "dns",
    "api configuration": "api",
    "api tag": "api",
    "metrics": "metrics",
    "policy configuration": "policy",
    "fake dns": "fakeDns",
    "fakedns": "fakeDns",
    "observatory": "observatory",
    "version configuration": "version",
    "geodata configuration": "geodata",
    "reverse": "reverse",
    "environment configuration": "env",
    "global transport": "transport",
    "listen on anyip": "inbounds",
    "listen on specific ip": "inbounds",
}
_PROTOCOL = re.compile(r"unknown config id: ")
_FIELD = re.compile(r"(?:Go struct field|into) (?:[\w.]*\.)?(\w+) of type")
_QUOTED = re.compile(r'"(\w+)(?:\[\d+\])?"')
_SECRET = {
    "id",
    "password",
    "pass",
    "privatekey",
    "secretkey",
    "presharedkey",
    "auth",
    "key",
    "seed",
    "mldsa65seed",
    "decryption",
    "echserverkeys",
    "shortids",
    "shortid",
}
"""Keys whose values must not be repeated, in small letters."""
_SHORTEST = 4
"""Characters; a shorter secret hides nothing, and would blank half the message."""

Place = tuple[Path, Any]


def blame(message: str, data: dict[str, Any]) -> Path:
    """Return the place in *data* that the core's *message* is most likely about."""
    scope = _scope(message, data)
    inside = list(_everything(_at(data, scope), scope))
    for search in (_wrong_type, _quoted_key, _value):
        found = search(message, data, scope, inside)
        if found is not None:
            return found
    return scope


def redacted(message: str, data: dict[str, Any]) -> str:
    """Return *message* without what *data* keeps secret: the core repeats a key that is bad."""
    for path, value in _everything(data, ()):
        names = [part.lower() for part in path if isinstance(part, str)]
        if isinstance(value, str) and len(value) >= _SHORTEST and set(names[-1:]) & _SECRET:
            message = message.replace(value, "...")
    return message


def _scope(message: str, data: dict[str, Any]) -> Path:
    """Return the inbound, outbound or section that *message* names; nothing if it names none."""
    if tagged := _TAGGED.search(message):
        side = f"{tagged[1]}s"
        return _tagged(data, side, tagged[2].strip()) or _key(data, side)
    if existing := _EXISTING.search(message):
        for side in ("inbounds", "outbounds"):
            if path := _tagged(data, side, existing[1].strip(), last=True):
                return (*path, "tag")
    low = message.lower()
    for words, section in _SECTIONS.items():
        if words in low and (path := _key(data, section)):
            return path
    return ()


def _tagged(data: dict[str, Any], side: str, tag: str, *, last: bool = False) -> Path:
    found: Path = ()
    path = _key(data, side)
    entries = _at(data, path) if path else []
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and (_get(entry, "tag") or "") == tag and (last or not found):
            found = (*path, at)
    return found


def _wrong_type(message: str, data: dict[str, Any], scope: Path, _: list[Place]) -> Path | None:
    """The table of types knows which value it is, where the core says only a field's name."""
    walk = Walk()
    walk.config(data)
    wrong = [odd.path for odd in mistyped(walk.odd) if odd.path[: len(scope)] == scope]
    field = _FIELD.search(message)
    named = [p for p in wrong if field and str(p[-1]).lower() == field[1].lower()]
    if (
        field
        or "cannot unmarshal" in message
        or "invalid" in message
        or "failed to parse" in message
    ):
        return next(iter(named or wrong), None)
    return None


def _quoted_key(message: str, _: dict[str, Any], scope: Path, inside: list[Place]) -> Path | None:
    """The last key that is named in quotes; what is missing is missing from its scope."""
    for name in reversed(_QUOTED.findall(message)):
        for path, _value_there in inside:
            if str(path[-1]).lower() == name.lower() and path != scope:
                return path
    return None


def _value(message: str, _: dict[str, Any], __: Path, inside: list[Place]) -> Path | None:
    """The longest text that *message* repeats; a protocol's name stands in every message."""
    found = [
        (len(value), path)
        for path, value in inside
        if isinstance(value, str) and value and _said(value, message, path)
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def _said(value: str, message: str, path: Path) -> bool:
    if path[-1] == "tag":
        return False
    if str(path[-1]).lower() == "protocol" and not _PROTOCOL.search(message):
        return False
    return bool(re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", message, re.IGNORECASE))


def _everything(value: Any, path: Path) -> Iterator[Place]:
    """Yield each key and entry below *value*, with its path."""
    entries: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        entries = iter(value.items())
    elif isinstance(value, list):
        entries = iter(enumerate(value))
    for name, entry in entries:
        yield (*path, name), entry
        yield from _everything(entry, (*path, name))


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _key(data: dict[str, Any], name: str) -> Path:
    return next(((key,) for key in data if key.lower() == name.lower()), ())


def _get(entry: dict[str, Any], name: str) -> Any:
    return next((value for key, value in entry.items() if key.lower() == name), None)
