"""Where in a JSON text each thing stands. ``json`` keeps no positions, so this reads again."""

import json
import re
from bisect import bisect_right

_PLAIN = re.compile(r"[\w$-]+", re.ASCII)

Path = tuple[str | int, ...]
"""From the top of a config: keys, and places in lists from 0."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Positions:
    """The place of every key and list entry of one well-formed JSON text without comments."""

    def __init__(self, text: str) -> None:
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._starts: dict[Path, int] = {}
        self._walk(text)

    def line(self, path: Path) -> int:
        """Return the line, from 1, of *path*, or of the nearest thing around it."""
        wanted = tuple(part.lower() if isinstance(part, str) else part for part in path)
        while wanted and wanted not in self._starts:
            wanted = wanted[:-1]
        return bisect_right(self._breaks, self._starts.get(wanted, 0)) + 1

    def _walk(self, text: str) -> None:
        """Note where each key, and each entry of a list, begins; the last of two counts."""
        path: list[str | int] = []
        expects_key = False
        for found in _TOKEN.finditer(text):
            part = found[0]
            if part == "{":
                self._note(path, found.start())
                path.append("")
                expects_key = True
            elif part == "[":
                self._note(path, found.start())
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
                self._starts[tuple(path)] = found.start()
            else:
                self._note(path, found.start())

    def _note(self, path: list[str | int], start: int) -> None:
        """Note an entry of a list; a value's place is its key's."""
        if path and isinstance(path[-1], int):
            self._starts[tuple(path)] = start


def shown(path: Path) -> str:
    """Return *path* as people and jq write it.

    >>> shown(("inbounds", 0, "settings", "clients", 3, "email"))
    'inbounds[0].settings.clients[3].email'
    """
    return "".join(map(_shown, path)).lstrip(".")


def _shown(part: str | int) -> str:
    """A strange key is quoted, so that it cannot play tricks on a terminal or a log."""
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN.fullmatch(part) else f"[{json.dumps(part)}]"
