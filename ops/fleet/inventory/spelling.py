"""Find the word that somebody meant."""

from collections.abc import Iterable

from ops.model.visible import visible

_ALIKE = 3
_LONGEST = 100
"""Characters; comparing takes the square of them, and no name of ours is as long."""
_MOST = 1000
"""Names that are compared with a word."""
MOST_SHOWN = 2000
"""Characters of a message; what somebody wrote can be longer."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a misspelt *word*, or what there is to choose from.

    >>> did_you_mean("prot", ["port", "path"])
    "did you mean 'port'?"
    >>> did_you_mean("fra9", ["fra1", "fra2", "ams1"])
    "did you mean 'fra1' or 'fra2'?"
    >>> did_you_mean("fra9", ["fra1", "fra2", "fra3", "fra4"])
    'known: fra1, fra2, fra3, fra4'
    """
    import difflib  # words are seldom misspelt

    known = sorted(known)
    likeness = difflib.SequenceMatcher(b=word)
    alike: dict[float, list[str]] = {}
    candidates = _worth_comparing(word, known)
    for close in difflib.get_close_matches(word, candidates, n=len(candidates) or 1):
        likeness.set_seq1(close)
        alike.setdefault(likeness.ratio(), []).append(close)
    nearest = sorted(alike[max(alike)]) if alike else []
    if 0 < len(nearest) <= _ALIKE:  # of many that are as near as each other, each is a guess
        *others, last = map(repr, nearest)
        return f"did you mean {', '.join(others) + ' or ' if others else ''}{last}?"
    return f"known: {', '.join(known)}" if 0 < len(known) <= 30 else ""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence for a *name* that names no *what*, and what was probably meant.

    >>> unknown("host", "fra9", ["fra1", "ams1"])
    "unknown host 'fra9'; did you mean 'fra1'?"
    >>> unknown("key", "x*", [])
    "no key matches 'x*'"
    """
    remedy = did_you_mean(name, known)
    said = f"no {what} matches {name!r}" if set("*?[") & set(name) else f"unknown {what} {name!r}"
    return visible(said + (f"; {remedy}" if remedy else ""), MOST_SHOWN)


def _worth_comparing(word: str, known: list[str]) -> list[str]:
    """Return those of *known* that may be meant: of very many, those that begin alike."""
    if len(word) > _LONGEST:
        return []
    near = [name for name in known if len(name) <= _LONGEST]
    if len(near) > _MOST:
        near = [name for name in near if name[:2] == word[:2] and abs(len(name) - len(word)) < 3]
    return near if len(near) <= _MOST else []
