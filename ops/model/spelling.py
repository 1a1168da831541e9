"""Suggest the known names that are closest to a misspelt one."""

from collections.abc import Iterable

_ALIKE = 3
"""The most suggestions in one message. If more names are equally close, each is a guess."""
_LONGEST = 100
"""Characters. The time of a comparison grows with the square of the length."""
_MOST = 1000
"""The most names that are compared with one word."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelt *word*, the list of *known* names, or an empty text.

    >>> did_you_mean("prot", ["port", "path"])
    "did you mean 'port'?"
    >>> did_you_mean("fra9", ["fra1", "fra2", "ams1"])
    "did you mean 'fra1' or 'fra2'?"
    >>> did_you_mean("fra9", ["fra1", "fra2", "fra3", "fra4"])
    'known: fra1, fra2, fra3, fra4'
    """
    import difflib  # imported late: most commands have no misspelt word

    known = sorted(known)
    likeness = difflib.SequenceMatcher(b=word)
    alike: dict[float, list[str]] = {}
    candidates = _worth_comparing(word, known)
    for close in difflib.get_close_matches(word, candidates, n=len(candidates) or 1):
        likeness.set_seq1(close)
        alike.setdefault(likeness.ratio(), []).append(close)
    nearest = sorted(alike[max(alike)]) if alike else []
    if 0 < len(nearest) <= _ALIKE:
        *others, last = map(repr, nearest)
        return f"did you mean {', '.join(others) + ' or ' if others else ''}{last}?"
    return f"known: {', '.join(known)}" if 0 < len(known) <= 30 else ""


def with_suggestion(message: str, word: str, known: Iterable[str]) -> str:
    """Return *message* about a misspelt *word*, followed by a suggestion if there is one.

    >>> with_suggestion("'prot' is no field", "prot", ["port", "path"])
    "'prot' is no field; did you mean 'port'?"
    """
    suggestion = did_you_mean(word, known)
    return f"{message}; {suggestion}" if suggestion else message


def _worth_comparing(word: str, known: list[str]) -> list[str]:
    """Return the names in *known* to compare with *word*.

    Of more than ``_MOST`` names, only those with the same first two letters are compared.
    """
    if len(word) > _LONGEST:
        return []
    near = [name for name in known if len(name) <= _LONGEST]
    if len(near) > _MOST:
        near = [name for name in near if name[:2] == word[:2] and abs(len(name) - len(word)) < 3]
    return near if len(near) <= _MOST else []
