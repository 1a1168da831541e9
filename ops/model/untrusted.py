"""Data of strangers: what a host may send. UntrustedDataError says which rule it breaks.

Every size has a bound, so that no host can make this program slow, large or wrong.
"""

import json
from typing import Any, NoReturn

from ops.model.visible import visible

LARGEST_COUNT = 2**53 - 1
"""Bytes that the users, inbounds or outbounds of one run can have moved together: 9 PB.

At 1 Gbit/s it takes two years. Programs that keep numbers as floats still hold it exactly, and a
thousand such runs add up within 63 bits.
"""
MOST_COUNTERS = 100_000
"""Counters of one run: two for each of 50,000 users."""
LONGEST_NAME = 256
"""Characters of a counter's name, without its kind and direction."""
LONGEST_UPTIME = 20 * 366 * 86_400
"""Seconds that a core can have run."""
_DIGITS = 19


class UntrustedDataError(ValueError):
    """Data that no host of ours sends."""


def json_of(text: str) -> Any:
    """Return the JSON value in *text*."""
    try:
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise UntrustedDataError("it is nested too deeply") from None


def jsons_of(text: str) -> list[Any]:
    """Return the JSON values that stand one after the other in *text*."""
    decoder = json.JSONDecoder(parse_constant=_refused)
    values: list[Any] = []
    rest = text.strip()
    try:
        while rest and len(values) < 3:
            value, end = decoder.raw_decode(rest)
            values.append(value)
            rest = rest[end:].lstrip()
    except RecursionError:
        raise UntrustedDataError("it is nested too deeply") from None
    return values


def _refused(constant: str) -> NoReturn:
    raise UntrustedDataError(f"{constant} is no number")


def count_of(value: object, largest: int = LARGEST_COUNT) -> int:
    """Return *value*, a whole number or its digits, which is at most *largest*.

    >>> count_of(5), count_of("5")
    (5, 5)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        value = int(value)
    if type(value) is not int:
        raise UntrustedDataError(f"{shortened(value)} is no whole number")
    if not 0 <= value <= largest:
        raise UntrustedDataError(
            f"{shortened(value)} is no count: it is not between 0 and {largest}"
        )
    return value


def text_of(value: object, longest: int = LONGEST_NAME) -> str:
    """Return *value*, a text of at most *longest* characters, with all of them visible."""
    if not isinstance(value, str):
        raise UntrustedDataError(f"{shortened(value)} is no text")
    if len(value) > longest:
        raise UntrustedDataError(f"a text of {len(value)} characters is longer than {longest}")
    return value if value.isprintable() else visible(value)


def object_of(value: object) -> dict[str, Any]:
    """Return *value*, a JSON object."""
    if not isinstance(value, dict):
        raise UntrustedDataError(f"{shortened(value)} is no JSON object")
    return value


def list_of(value: object, most: int = MOST_COUNTERS) -> list[Any]:
    """Return *value*, a JSON list of at most *most* items."""
    if not isinstance(value, list):
        raise UntrustedDataError(f"{shortened(value)} is no list")
    if len(value) > most:
        raise UntrustedDataError(f"{len(value)} entries are more than {most}")
    return value


def shortened(value: object) -> str:
    """Return *value* as a message names it; a long one is cut before it is written out."""
    if isinstance(value, str):
        return visible(repr(value[:40]), 40)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
    return f"a {type(value).__name__}" if value is not None else "null"
