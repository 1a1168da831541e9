"""Checks of the data that hosts send: types, sizes and characters.

Each check raises UntrustedDataError with the broken rule. All sizes are limited, so that no host
can make this program slow or its figures wrong.
"""

import json
from typing import Any, NoReturn

from ops.model.visible import visible

LARGEST_COUNT = 2**53 - 1
"""The most bytes of all users, inbounds or outbounds of one run: 9 PB.

At 1 Gbit/s this takes two years. A float holds the number exactly, and the sum of a thousand such
runs fits in 63 bits.
"""
MOST_COUNTERS = 100_000
"""The most counters of one run: two for each of 50,000 users."""
LONGEST_NAME = 256
"""The most characters in the name of a counter, without its kind and direction."""
LONGEST_UPTIME = 20 * 366 * 86_400
"""The longest run of a core, in seconds."""
_DIGITS = 19


class UntrustedDataError(ValueError):
    """A host sent data that no host of a fleet sends."""


def json_of(text: str) -> Any:
    """Return the JSON value in *text*."""
    try:
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise UntrustedDataError("it is nested too deeply") from None


def jsons_of(text: str) -> list[Any]:
    """Return the JSON values in *text*, at most three, which follow each other without commas."""
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
    """Return *value*, a whole number or its decimal digits, from 0 to *largest*.

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
    """Return *value*, a text of at most *longest* characters, with control characters escaped."""
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
    """Return *value* for a message: escaped, and at most 40 characters of it."""
    if isinstance(value, str):
        return visible(repr(value[:40]), 40)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
    return f"a {type(value).__name__}" if value is not None else "null"
