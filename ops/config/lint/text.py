"""Read JSON as Xray reads it: with comments, and with limits of our own.

Xray drops ``//``, ``/* */`` and ``#`` comments before it parses (infra/conf/json/reader.go); keys
are not case-sensitive, and a key that is written twice counts as it stands last.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ops.config.lint.positions import Path, Positions
from ops.errors import OpsError

LARGEST = 32 * 1024 * 1024
"""Bytes; 200,000 users are a config of about 25 MiB."""
DEEPEST = 100
"""Levels of nesting; Xray's own settings end at about a dozen."""

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(
    rf"({_STRING})|(//[^\n]*|#[^\n]*)|(/\*.*?(?:\*/|\Z))|([\[{{])|([\]}}])", re.DOTALL
)
_NO_BREAK = re.compile(r"[^\n]")
_YAML_OR_TOML = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:\[\w|\w[\w-]*\s*[:=])")


class ConfigError(OpsError):
    """A config cannot be read; *line* says where, from 1, or 0 where that means nothing."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


@dataclass(frozen=True)
class Text:
    """A config's text, what it says, and where it says it."""

    name: str
    """The file as people typed it."""
    text: str = field(repr=False)
    """With every comment blanked, so that places stay what they were."""
    data: dict[str, Any] = field(repr=False)
    twice: tuple[str, ...] = ()
    """Keys that some object has more than once."""

    @cached_property
    def positions(self) -> Positions:
        """Return where everything stands; read only when something is to be shown."""
        return Positions(self.text)

    def line(self, path: Path) -> int:
        """Return the line, from 1, of the nearest thing written that holds *path*."""
        return self.positions.line(path)


def read(name: str, raw: bytes) -> Text:
    """Return the config in *raw*; ConfigError where it is too big, no UTF-8 or no JSON."""
    if len(raw) > LARGEST:
        raise ConfigError(f"is over {LARGEST >> 20} MiB: no Xray config is that large")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8 text: save the file as UTF-8", line) from None
    if text.startswith("\ufeff"):
        raise ConfigError("begins with a byte order mark, which Xray refuses: save it without", 1)
    blanked = _blanked(text)
    twice: list[str] = []
    return Text(name, blanked, _parsed(blanked, twice), tuple(twice))


def _blanked(text: str) -> str:
    """Return *text* with spaces for comments; ConfigError where it is nested too deeply."""
    depth, parts, done = 0, [], 0
    for found in _TOKEN.finditer(text):
        kind = found.lastindex
        if kind == 4:
            depth += 1
            if depth > DEEPEST:
                line = text.count("\n", 0, found.start()) + 1
                raise ConfigError(f"is nested more than {DEEPEST} deep", line)
        elif kind == 5:
            depth -= 1
        elif kind in (2, 3):
            parts += [text[done : found.start()], _NO_BREAK.sub(" ", found[0])]
            done = found.end()
    return "".join([*parts, text[done:]])


def _parsed(text: str, twice: list[str]) -> dict[str, Any]:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            twice.extend(_repeated(found))
        return made

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(_said(text, error), error.lineno) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError("is JSON, but no config: it is to begin with {", 1)
    return data


def _repeated(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            yield key
        seen.add(key)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _said(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong with *text*, and the commonest reasons by name."""
    if not text.strip():
        return "is empty"
    if _YAML_OR_TOML.match(text):
        return "is not JSON; `xray convert json FILE` makes JSON of TOML and YAML"
    before = text[: error.pos].rstrip()
    if text[error.pos : error.pos + 1] in ("}", "]") and before.endswith(","):
        return f"is not JSON: a comma before {text[error.pos]!r}, column {error.colno}"
    if not text.lstrip().startswith("{"):
        return "is a part of a config, which Xray refuses: put { before it and } behind it"
    if error.msg == "Extra data":
        return "goes on after the config's last }, and Xray ignores that without a word"
    if error.pos >= len(text.rstrip()):
        return "is not JSON: it ends in the middle"
    return f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}, column {error.colno}"
