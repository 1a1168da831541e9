"""Read JSON as Xray does, with comments, but with limits for size and depth.

Xray removes ``//``, ``/* */`` and ``#`` comments before it parses (infra/conf/json/reader.go). It
ignores the case of field names. Of two equal fields, the last counts.
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
"""Bytes; a config with 200,000 users has about 25 MiB."""
DEEPEST = 100
"""Levels of nesting; Xray's own settings have about twelve."""

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(
    rf"({_STRING})|(//[^\n]*|#[^\n]*)|(/\*.*?(?:\*/|\Z))|([\[{{])|([\]}}])", re.DOTALL
)
_NO_BREAK = re.compile(r"[^\n]")
_YAML_OR_TOML = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:\[\w|\w[\w-]*\s*[:=])")


class ConfigError(OpsError):
    """A config cannot be read; ``line`` is the place, from 1, or 0 for the whole file."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


@dataclass(frozen=True)
class Text:
    """A config file: its text, its data, and the lines of the data."""

    name: str
    """The file, as the user typed it."""
    text: str = field(repr=False)
    """The text with spaces instead of comments, so that all positions stay the same."""
    data: dict[str, Any] = field(repr=False)
    twice: tuple[str, ...] = ()
    """Names of fields that one object has more than once."""

    @cached_property
    def positions(self) -> Positions:
        """Return the positions of all fields; computed only if a line is needed."""
        return Positions(self.text)

    def line(self, path: Path) -> int:
        """Return the line of *path*, from 1; if it is missing, the line of its nearest parent."""
        return self.positions.line(path)


def read(name: str, raw: bytes) -> Text:
    """Return the config in *raw*, called *name* in messages.

    Raises:
        ConfigError: it is too big, not UTF-8, or not a JSON object.
    """
    if len(raw) > LARGEST:
        raise ConfigError(f"is over {LARGEST >> 20} MiB: no Xray config is that large")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8 text: save the file as UTF-8", line) from None
    if text.startswith("\ufeff"):
        message = "begins with a byte order mark, which Xray refuses: save the file without it"
        raise ConfigError(message, 1)
    blanked = _blanked(text)
    twice: list[str] = []
    return Text(name, blanked, _parsed(blanked, twice), tuple(twice))


def _blanked(text: str) -> str:
    """Return *text* with spaces instead of comments; ConfigError if it is nested too deeply."""
    depth, parts, done = 0, [], 0
    for token in _TOKEN.finditer(text):
        kind = token.lastindex
        if kind == 4:
            depth += 1
            if depth > DEEPEST:
                line = text.count("\n", 0, token.start()) + 1
                raise ConfigError(f"is nested more than {DEEPEST} deep", line)
        elif kind == 5:
            depth -= 1
        elif kind in (2, 3):
            parts += [text[done : token.start()], _NO_BREAK.sub(" ", token[0])]
            done = token.end()
    return "".join([*parts, text[done:]])


def _parsed(text: str, twice: list[str]) -> dict[str, Any]:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            twice.extend(_repeated(items))
        return made

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(_explained(text, error), error.lineno) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError("is JSON, but not a config: a config must begin with {", 1)
    return data


def _repeated(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            yield key
        seen.add(key)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _explained(text: str, error: json.JSONDecodeError) -> str:
    """Return a message about *error* in *text*; frequent mistakes have messages of their own."""
    if not text.strip():
        return "is empty"
    if _YAML_OR_TOML.match(text):
        return "is not JSON; `xray convert json FILE` makes JSON of TOML and YAML"
    before = text[: error.pos].rstrip()
    if text[error.pos : error.pos + 1] in ("}", "]") and before.endswith(","):
        return f"is not JSON: a comma before {text[error.pos]!r}, column {error.colno}"
    if not text.lstrip().startswith("{"):
        return "is a part of a config, which Xray refuses: write { before it and } after it"
    if error.msg == "Extra data":
        return "has text after the last } of the config, but Xray ignores it silently"
    if error.pos >= len(text.rstrip()):
        return "is not JSON: it ends in the middle"
    return f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}, column {error.colno}"
