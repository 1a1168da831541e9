"""Merge several files into one config, as ``xray run -confdir`` does."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ops.config.lint.positions import Path
from ops.config.lint.text import Text


class Origin(NamedTuple):
    """The file that a part of the config came from, and the path in that file."""

    text: Text
    path: Path


class Merged:
    """One config from several files, with the origin of each part."""

    def __init__(self, first: Text) -> None:
        self.data: dict[str, Any] = dict(first.data)
        self._first = first
        self._origins: dict[Path, Origin] = {}

    def origin(self, path: Path) -> Origin:
        """Return the origin of *path* in the merged config."""
        for length in (2, 1):
            if origin := self._origins.get(path[:length]):
                return Origin(origin.text, (*origin.path, *path[length:]))
        return Origin(self._first, path)

    def override(self, text: Text) -> None:
        """Add the next file: its parts replace equal parts, and inbounds are joined by tag."""
        for field, value in text.data.items():
            name = next((known for known in self.data if known.lower() == field.lower()), field)
            old = self.data.get(name)
            if field.lower() in ("inbounds", "outbounds") and isinstance(value, list):
                self._join(name, value, Origin(text, (field,)))
            elif field.lower() == "env" and isinstance(value, dict) and isinstance(old, dict):
                self.data[name] = old | value
            elif value is not None:
                self.data[name] = value
                self._origins[name,] = Origin(text, (field,))

    def _join(self, name: str, entries: list[Any], where: Origin) -> None:
        """Join *entries* with those of the same list in earlier files.

        An entry with a known tag replaces the old one. A new inbound goes to the end. A new
        outbound goes to the front, or to the end if the file's name contains ``tail``.
        """
        old = self.data.get(name)
        present = [
            (entry, self.origin((name, at)))
            for at, entry in enumerate(old if isinstance(old, list) else [])
        ]
        last = name.lower() == "inbounds" or "tail" in where.text.name.lower()
        ahead: list[tuple[Any, Origin]] = []
        for at, entry in enumerate(entries):
            new = (entry, Origin(where.text, (*where.path, at)))
            same = next((i for i, (one, _) in enumerate(present) if _tag(one) == _tag(entry)), None)
            if same is not None:
                present[same] = new
            else:
                (present if last else ahead).append(new)
        joined = [*ahead, *present]
        self.data[name] = [entry for entry, _ in joined]
        self._origins |= {(name, at): origin for at, (_, origin) in enumerate(joined)}


def merged(texts: Sequence[Text]) -> Merged:
    """Return *texts* as one config, merged in their order (docs/xray.md, merging files)."""
    whole = Merged(texts[0])
    for text in texts[1:]:
        whole.override(text)
    return whole


def _tag(entry: Any) -> str:
    """Return the tag of *entry*; for Xray all entries without a tag have the same, empty tag."""
    if not isinstance(entry, dict):
        return ""
    tags = (value for name, value in entry.items() if name.lower() == "tag")
    return next((tag for tag in tags if isinstance(tag, str)), "")
