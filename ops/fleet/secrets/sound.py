"""Check the form of secrets that come from a host, and not from a file."""

import base64
import binascii
from collections.abc import Callable, Mapping

from ops.fleet.secrets.parse import SHORTEST_PASSWORD, is_psk, is_short_id, is_uuid
from ops.fleet.secrets.reality import is_private_key

_LONGEST = 200
"""The most characters of a secret."""
_MOST = 32
"""The most short IDs of one inbound."""


def is_sound(field: str, value: object) -> bool:
    """Return whether *value* has the form of a secret in *field*. Others are not written to a file.

    >>> is_sound("short_ids", ["0a"]), is_sound("short_ids", "0a"), is_sound("uuid", 5)
    (True, False, False)
    """
    if field == "short_ids":
        return isinstance(value, list) and 0 < len(value) <= _MOST and all(map(_short_id, value))
    return isinstance(value, str) and len(value) <= _LONGEST and _CHECKS[field](value)


def _short_id(value: object) -> bool:
    return isinstance(value, str) and is_short_id(value)


def _password(text: str) -> bool:
    return len(text) >= SHORTEST_PASSWORD and text.isprintable()


def _psk(text: str) -> bool:
    """Return whether *text* is a PSK. A host with a 128-bit method has only its first half."""
    try:
        return is_psk(text) or len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "uuid": is_uuid,
    "password": _password,
    "psk": _psk,
    "private_key": is_private_key,
}
