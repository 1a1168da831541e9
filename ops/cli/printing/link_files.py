"""Files of links, pictures and client configs that only their owner can read."""

from collections.abc import Callable
from pathlib import Path

import click

from ops.config.links import Link
from ops.config.links import qr as qr_codes
from ops.errors import UsageError
from ops.files import write_atomically
from ops.model import Key
from ops.model.visible import visible


def write(file: Path, content: bytes) -> None:
    """Write *content* to *file* with mode 0600, and print its name."""
    try:
        write_atomically(file, content, mode=0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {visible(str(file))}")


def draw(
    links: list[Link], key: Key, png: Path | None, svg: Path | None, only: Callable[[], Link]
) -> None:
    """Draw each of *links* into a folder, or *only* one link into a file."""
    for path, kind in ((png, "png"), (svg, "svg")):
        if path is None:
            continue
        if path.is_dir():
            for one in links:
                write(path / f"{_named(one, links, key)}.{kind}", _picture(one, kind))
        else:
            write(path, _picture(only(), kind))


def _picture(one: Link, kind: str) -> bytes:
    return qr_codes.png(one.url) if kind == "png" else qr_codes.svg(one.url).encode()


def _named(one: Link, links: list[Link], key: Key) -> str:
    """Return a file's name: key, host, inbound, and the address if the inbound has several."""
    place = (one.host.name, one.inbound.name)
    several = sum((other.host.name, other.inbound.name) == place for other in links) > 1
    return "-".join([key.name, *place, *([one.address] if several else [])])
