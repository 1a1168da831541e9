"""Find the place in a config that an error message of the core means.

The messages name a tag, a JSON field or a value, but never a line.
"""

import copy
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from ops.config.lint.hints import INSIDE, KEYS, SECTIONS
from ops.config.lint.positions import Path
from ops.config.lint.schema import fields_of
from ops.config.lint.walk import Walk, mistyped

_TAGGED = re.compile(
    r"failed to build (inbound|outbound) config with tag(?: (?!> )(.*?))?(?: > |$)"
)
_EXISTING = re.compile(r"existing tag found: (.*?)(?: > |$)")
_TWICE = re.compile(r"User (.+) already exists")
_PROTOCOL = re.compile(r"unknown config id: ")
_FIELD = re.compile(r"(?:Go struct field|into) (?:[\w.]*\.)?(\w+) of type")
_OF_TYPES = re.compile(r"unmarshal|invalid|unknown format|failed to parse")
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
"""Names of fields with secret values, in small letters."""
_SHORTEST = 4
"""Characters; a shorter secret is no secret, and to blank it would spoil the message."""

Place = tuple[Path, Any]


def blame(message: str, data: dict[str, Any]) -> Path:
    """Return the path in *data* that the core's *message* most likely means; () for the whole."""
    if message.startswith("panic"):
        return next((path for path, value in _everything(data, ()) if _is_hole(path, value)), ())
    if "bad key" in message and (path := _bad_psk(data)):
        return path
    if (twice := _TWICE.search(message)) and (path := _second_user(data, twice[1])):
        return path
    scopes = _scopes(message, data)
    for search in (_wrong_type, _quoted_key, _hinted_key, _value):
        for scope in scopes:
            inside = list(_everything(_at(data, scope), scope))
            place = search(message, data, scope, inside)
            if place is not None:
                return place
    return scopes[0]


def redacted(message: str, data: dict[str, Any]) -> str:
    """Return *message* without the secrets of *data*, because the core quotes a wrong secret."""
    for path, value in _everything(data, ()):
        names = [part.lower() for part in path if isinstance(part, str)]
        if isinstance(value, str) and len(value) >= _SHORTEST and set(names[-1:]) & _SECRET:
            message = message.replace(value, "...")
    return message


def _scopes(message: str, data: dict[str, Any]) -> list[Path]:
    """Return the paths of the parts that *message* may mean, the most likely first."""
    if tagged := _TAGGED.search(message):
        side = f"{tagged[1]}s"
        ways = _tagged(data, side, (tagged[2] or "").strip()) or [_key(data, side)]
        # Of several without a tag, the first is one with the part that the message names.
        return sorted((_narrowed(message, data, way) for way in ways), key=len, reverse=True)
    if existing := _EXISTING.search(message):
        for side in ("inbounds", "outbounds"):
            if len(ways := _tagged(data, side, existing[1].strip())) > 1:
                return [(*ways[-1], "tag")]
    low = message.lower()
    for words, section in SECTIONS.items():
        if words in low and (path := _key(data, section)):
            return [_bare_rule(message, data, path)]
    return [()]


def _narrowed(message: str, data: dict[str, Any], way: Path) -> Path:
    """Return the part of the inbound or outbound *way* that *message* means, as deep as it goes."""
    for pattern, keys in INSIDE:
        if pattern.search(message):
            path = way
            for names in keys:
                holder = _at(data, path)
                wanted = names.lower().split("|")
                here = holder if isinstance(holder, dict) else {}
                path = next(((*path, key) for key in here if key.lower() in wanted), path)
            return path
    return way


def _bare_rule(message: str, data: dict[str, Any], path: Path) -> Path:
    """Return the routing rule without a target or condition, if *message* complains of one."""
    targets, rest = ("outboundtag", "balancertag"), ("type", "ruletag", "domainmatcher")
    rules = _key(_at(data, path), "rules") if path[0] == "routing" else ()
    entries = _at(data, (*path, *rules)) if rules else []
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        items = entry.items() if isinstance(entry, dict) else ()
        names = {name.lower() for name, value in items if value} & set(fields_of("rule"))
        no_target = "neither outboundTag" in message and not names & set(targets)
        no_condition = "no effective fields" in message and not names - {*targets, *rest}
        if no_target or no_condition:
            return (*path, *rules, at)
    return path


def _tagged(data: dict[str, Any], side: str, tag: str) -> list[Path]:
    return [p for p in _entries(data, side) if (_get(_at(data, p), "tag") or "") == tag]


def _wrong_type(message: str, data: dict[str, Any], scope: Path, _: list[Place]) -> Path | None:
    """Return a value of a wrong type by the table of types; the core names only its field."""
    walk = Walk()
    walk.config(data)
    wrong = [odd.path for odd in mistyped(walk.odd) if odd.path[: len(scope)] == scope]
    field = _FIELD.search(message)
    named = [p for p in wrong if field and str(p[-1]).lower() == field[1].lower()]
    return next(iter(named or wrong), None) if _OF_TYPES.search(message) else None


def _quoted_key(message: str, _: dict[str, Any], scope: Path, inside: list[Place]) -> Path | None:
    """Return the last field that *message* quotes and that is in *inside*."""
    field = _FIELD.search(message)
    for name in [*([field[1]] if field else []), *reversed(_QUOTED.findall(message))]:
        for path, _ in inside:
            if str(path[-1]).lower() == name.lower() and path != scope:
                return path
    return None


def _hinted_key(message: str, _: dict[str, Any], __: Path, inside: list[Place]) -> Path | None:
    """Return a field that ``KEYS`` derives from *message*: one with the quoted value, or empty."""
    last = message.rsplit(":", 1)[-1].strip()
    for pattern, key in KEYS:
        if pattern.search(message):
            mine = [(path, value) for path, value in inside if str(path[-1]).lower() == key]
            for path, value in mine:
                if value and _repeated(str(value), message):
                    return path
            if not last and (lacking := _lacking(key, inside)):
                return lacking
            if len(mine) == 1:
                return mine[0][0]
    return None


def _lacking(key: str, inside: list[Place]) -> Path | None:
    """Return the path of *key* in the first entry of a list that lacks it or has it empty."""
    for path, value in inside:
        if isinstance(path[-1], int) and isinstance(value, dict) and not _get(value, key):
            return (*path, *_key(value, key))
    return None


def _value(message: str, _: dict[str, Any], __: Path, inside: list[Place]) -> Path | None:
    """Return the longest text value that *message* quotes."""
    quoted = [
        (len(value), path)
        for path, value in inside
        if isinstance(value, str) and value and _quotes(message, value, path)
    ]
    return max(quoted, key=lambda one: one[0])[1] if quoted else None


def _quotes(message: str, value: str, path: Path) -> bool:
    """Return whether *message* quotes *value*; names that are in every message do not count."""
    if path[-1] in ("tag", "security", "network", "type"):
        return False
    if str(path[-1]).lower() == "protocol" and not _PROTOCOL.search(message):
        return False
    return _repeated(value, message)


def _repeated(value: str, message: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", message, re.IGNORECASE))


def _is_hole(path: Path, value: object) -> bool:
    """Return whether *value* is a null in a list, which makes the core panic."""
    return value is None and isinstance(path[-1], int)


def _bad_psk(data: dict[str, Any]) -> Path:
    """Return the Shadowsocks 2022 password that is not base64 of its method's length."""
    for path, settings in _everything(data, ()):
        method = _get(settings, "method") if isinstance(settings, dict) else None
        if not (isinstance(method, str) and method.startswith("2022-")):
            continue
        length = 16 if "-128-" in method else 32
        for at, holder in [(path, settings), *_everything(settings, path)]:
            has_one = isinstance(holder, dict) and (isinstance(at[-1], int) or at == path)
            if has_one and _length(_get(holder, "password")) != length:
                return (*at, *_key(holder, "password"))
    return ()


def _second_user(data: dict[str, Any], email: str) -> Path:
    """Return the second place of *email* in one inbound; capital letters make no difference."""
    for path in _entries(data, "inbounds"):
        seen = False
        for at, value in _everything(_at(data, path), path):
            if str(at[-1]).lower() == "email" and str(value).lower() == email.lower():
                if seen:
                    return at
                seen = True
    return ()


def _entries(data: dict[str, Any], side: str) -> list[Path]:
    """Return the paths of the objects in the list *side*: ``inbounds`` or ``outbounds``."""
    path = _key(data, side)
    entries = _at(data, path) if path else []
    return [
        (*path, at)
        for at, entry in enumerate(entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def with_tags(message: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """Return *data* with a tag for each inbound or outbound, if *message* names an empty tag.

    In a second test of the result, the core names the tag. None if no second test is necessary.
    """
    tagged = _TAGGED.search(message)
    if not tagged or (tagged[2] or "").strip():
        return None
    made: dict[str, Any] = copy.deepcopy(data)
    for path in _entries(made, f"{tagged[1]}s"):
        entry = _at(made, path)
        if not _get(entry, "tag"):
            entry["tag"] = f"{path[0]}-{path[1]}-without-tag"
    return made


def _length(psk: object) -> int:
    """Return the number of bytes of *psk*; -1 if it is not base64. In a chain, the last counts."""
    try:
        return len(b64decode(str(psk).rsplit(":", 1)[-1], validate=True))
    except ValueError:
        return -1


def _everything(value: Any, path: Path) -> Iterator[Place]:
    """Yield each field and entry below *value*, with its path."""
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
