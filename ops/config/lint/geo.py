"""Find the names that a config looks up in ``geoip.dat``, ``geosite.dat`` and other data files."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ops.config.lint.positions import Path

_NAME = re.compile(
    r"(?P<kind>geoip|geosite):!?(?P<code>[\w!@.-]+)"
    r"|ext(?:-domain|-ip|-site)?:(?P<file>[^:]+):!?(?P<own>[\w!@.-]+)"
)
_OF_ADDRESSES = re.compile(
    r"(?:^|expected|expect|unexpected|source|local)ips?(?:excluded|blocked)?$"
)


class GeoName(NamedTuple):
    """One name that the core looks up in a data file."""

    path: Path
    text: str
    """The text in the config."""
    file: str
    code: str
    """The name in the file, with its attributes (``google@ads``)."""
    is_address: bool


def geo_names(value: Any, path: Path = ()) -> Iterator[GeoName]:
    """Yield each name in *value* that the core looks up in a data file."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _named(name, (*path, name))
            yield from geo_names(entry, (*path, name))
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield from geo_names(entry, (*path, at))
    elif isinstance(value, str) and ":" in value:
        for part in value.split(","):
            yield from _named(part.strip(), path)


def _named(text: str, path: Path) -> Iterator[GeoName]:
    match = _NAME.fullmatch(text)
    if not match:
        return
    if match["kind"]:
        file, code, is_address = f"{match['kind']}.dat", match["code"], match["kind"] == "geoip"
    else:
        keys = [part.lower() for part in path if isinstance(part, str)]
        file, code = match["file"], match["own"]
        is_address = bool(keys and _OF_ADDRESSES.search(keys[-1])) or text.startswith("ext-ip")
    yield GeoName(path, text, file, code, is_address)
