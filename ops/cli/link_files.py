"""Put links, pictures and client configs into files that only their owner can read."""

from collections.abc import Callable
from pathlib import Path

import click

from ops.config.links import Link
from ops.config.links import qr as qr_codes
from ops.errors import UsageError
from ops.files import replace
from ops.model import Key


def write(file: Path, content: bytes) -> None:
    """Write *content* to *file* with mode 0600, and say so."""
    try:
        replace(file, content, mode=0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {file}")


def draw(
    found: list[Link], key: Key, png: Path | None, svg: Path | None, only: Callable[[], Link]
) -> None:
    """Draw the one link into a file, or each of *found* into a folder that is there."""
    for path, kind in ((png, "png"), (svg, "svg")):
        if path is None:
            continue
        if path.is_dir():
            for one in found:
                write(path / f"{_named(one, found, key)}.{kind}", _picture(one, kind))
        else:
            write(path, _picture(only(), kind))


def _picture(one: Link, kind: str) -> bytes:
    return qr_codes.png(one.url) if kind == "png" else qr_codes.svg(one.url).encode()


def _named(one: Link, found: list[Link], key: Key) -> str:
    """Return a file's name: key, host, inbound, and the address where there are several."""
    place = (one.host.name, one.inbound.name)
    several = sum((other.host.name, other.inbound.name) == place for other in found) > 1
    return "-".join([key.name, *place, *([one.address] if several else [])])
