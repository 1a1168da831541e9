"""Write data files like geoip.dat and geosite.dat.

They are protobuf messages with three fields, so no library is needed: ``GeoIPList`` and
``GeoSiteList`` of XTLS/Xray-core, common/geodata. Each is a list of entries (field 1). An entry has
a code (field 1) and networks or names (field 2).
"""

from collections.abc import Sequence


def data_file(codes: Sequence[str], is_address: bool) -> bytes:
    """Return a data file with an entry for each of *codes*, so that the core finds them.

    Args:
        codes: codes as a config writes them, with attributes (``google@ads``).
        is_address: write networks (as geoip.dat), not names (as geosite.dat).
    """
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
    """Return a CIDR message: the address (field 1) and the length of the prefix (field 2)."""
    return _field(1, bytes([192, 0, 2, 0])) + b"\x10\x18"


def _name(attributes: set[str]) -> bytes:
    """Return a Domain message: type (field 1), name (field 2), attributes (field 3).

    Type 2 is the name and all names below it.
    """
    with_attributes = b"".join(
        _field(3, _field(1, name.lstrip("!").encode()) + b"\x10\x01") for name in sorted(attributes)
    )
    return b"\x08\x02" + _field(2, b"placeholder.invalid") + with_attributes


def _field(number: int, content: bytes) -> bytes:
    """Return *content* as field *number* of a protobuf message: tag, length, bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
