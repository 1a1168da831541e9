"""Data files in the core's form: protobuf, written by hand for want of more than three fields.

``GeoIPList`` and ``GeoSiteList`` of XTLS/Xray-core, common/geodata: a list of entries (field 1),
each with its code (1) and its networks or names (2).
"""

from collections.abc import Sequence


def data_file(codes: Sequence[str], is_address: bool) -> bytes:
    """Return a data file in which each of *codes* is something, so that the core accepts it."""
    whole: dict[str, set[str]] = {}
    for code in codes:
        name, _, attributes = code.lstrip("!").partition("@")
        whole.setdefault(name.upper(), set()).update(filter(None, attributes.split("@")))
    content = _network if is_address else _name
    entries = (
        _field(1, _field(1, code.encode()) + _field(2, content(attributes)))
        for code, attributes in sorted(whole.items())
    )
    return b"".join(entries)


def _network(_: set[str]) -> bytes:
    """CIDR: the address (1) and the prefix's length (2, a number)."""
    return _field(1, bytes([192, 0, 2, 0])) + b"\x10\x18"


def _name(attributes: set[str]) -> bytes:
    """Domain: its type (1: 2 is the name and those below), its value (2), attributes (3)."""
    with_attributes = b"".join(
        _field(3, _field(1, name.lstrip("!").encode()) + b"\x10\x01") for name in sorted(attributes)
    )
    return b"\x08\x02" + _field(2, b"stand-in.invalid") + with_attributes


def _field(number: int, content: bytes) -> bytes:
    """Return *content* as field *number* of a message: tag, length, bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
