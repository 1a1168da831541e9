"""Several files as one config, put together as ``xray run -confdir`` does it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ops.config.lint.positions import Path
from ops.config.lint.text import Text


class Origin(NamedTuple):
    """The file that a part came from, and where it is there."""

    text: Text
    path: Path


class Merged:
    """One config out of several files, and which of them each part came from."""

    def __init__(self, first: Text) -> None:
        self.data: dict[str, Any] = dict(first.data)
        self._first = first
        self._origins: dict[Path, Origin] = {}

    def origin(self, path: Path) -> Origin:
        """Return where *path* of the whole came from."""
        for length in (2, 1):
            if found := self._origins.get(path[:length]):
                return Origin(found.text, (*found.path, *path[length:]))
        return Origin(self._first, path)

    def override(self, text: Text) -> None:
        """Take in the next file: what it says replaces what was said, lists are joined by tag."""
        for said, value in text.data.items():
            name = next((known for known in self.data if known.lower() == said.lower()), said)
            old = self.data.get(name)
            if said.lower() in ("inbounds", "outbounds") and isinstance(value, list):
                self._join(name, value, Origin(text, (said,)))
            elif said.lower() == "env" and isinstance(value, dict) and isinstance(old, dict):
                self.data[name] = old | value
            elif value is not None:
                self.data[name] = value
                self._origins[name,] = Origin(text, (said,))

    def _join(self, name: str, entries: list[Any], where: Origin) -> None:
        """Same tag: replaced. New: inbounds go last; outbounds first, unless the file is a tail."""
        old = self.data.get(name)
        kept = [
            (entry, self.origin((name, at)))
            for at, entry in enumerate(old if isinstance(old, list) else [])
        ]
        last = name.lower() == "inbounds" or "tail" in where.text.name.lower()
        ahead: list[tuple[Any, Origin]] = []
        for at, entry in enumerate(entries):
            new = (entry, Origin(where.text, (*where.path, at)))
            same = next((i for i, (one, _) in enumerate(kept) if _tag(one) == _tag(entry)), None)
            if same is not None:
                kept[same] = new
            else:
                (kept if last else ahead).append(new)
        joined = [*ahead, *kept]
        self.data[name] = [entry for entry, _ in joined]
        self._origins |= {(name, at): origin for at, (_, origin) in enumerate(joined)}


def merged(texts: Sequence[Text]) -> Merged:
    """Return *texts* as one config, in their order (infra/conf/xray.go, Override)."""
    whole = Merged(texts[0])
    for text in texts[1:]:
        whole.override(text)
    return whole


def _tag(entry: Any) -> str:
    """Return an entry's tag; Xray takes all entries without one for the same."""
    if not isinstance(entry, dict):
        return ""
    tags = (value for name, value in entry.items() if name.lower() == "tag")
    return next((tag for tag in tags if isinstance(tag, str)), "")
