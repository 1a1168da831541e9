"""Find the line of each field in a JSON text; the module ``json`` gives no positions."""

import json
import re
from bisect import bisect_right

_PLAIN = re.compile(r"[\w$-]+", re.ASCII)

Path = tuple[str | int, ...]
"""A path from the top of a config: names of fields, and indexes of lists from 0."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Positions:
    """The positions of all fields and list entries in a valid JSON text without comments."""

    def __init__(self, text: str) -> None:
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._starts: dict[Path, int] = {}
        self._walk(text)

    def line(self, path: Path) -> int:
        """Return the line of *path*, from 1; if it is missing, the line of its nearest parent."""
        wanted = tuple(part.lower() if isinstance(part, str) else part for part in path)
        while wanted and wanted not in self._starts:
            wanted = wanted[:-1]
        return bisect_right(self._breaks, self._starts.get(wanted, 0)) + 1

    def _walk(self, text: str) -> None:
        """Record the start of each field and list entry; of two equal fields the last counts."""
        path: list[str | int] = []
        expects_key = False
        for match in _TOKEN.finditer(text):
            part = match[0]
            if part == "{":
                self._note(path, match.start())
                path.append("")
                expects_key = True
            elif part == "[":
                self._note(path, match.start())
                path.append(0)
            elif part in "}]":
                path.pop()
                expects_key = False
            elif part == ",":
                last = path[-1]
                expects_key = isinstance(last, str)
                path[-1] = last if isinstance(last, str) else last + 1
            elif part == ":":
                expects_key = False
            elif expects_key:
                path[-1] = part[1:-1].lower()
                self._starts[tuple(path)] = match.start()
            else:
                self._note(path, match.start())

    def _note(self, path: list[str | int], start: int) -> None:
        """Record *start* for an entry of a list; a value of a field has the field's position."""
        if path and isinstance(path[-1], int):
            self._starts[tuple(path)] = start


def shown(path: Path) -> str:
    """Return *path* in jq's notation.

    >>> shown(("inbounds", 0, "settings", "clients", 3, "email"))
    'inbounds[0].settings.clients[3].email'
    """
    return "".join(map(_shown, path)).lstrip(".")


def _shown(part: str | int) -> str:
    """Return one part; unusual names are quoted, because they may hold control characters."""
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN.fullmatch(part) else f"[{json.dumps(part)}]"
