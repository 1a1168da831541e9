"""``ops link``: what a person needs to connect."""

import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import click

from ops import secrets, selection
from ops.cli import show
from ops.cli.options import Format, Selected, host_options, json_option
from ops.errors import UsageError
from ops.files import replace
from ops.links import Link, client, links
from ops.links import qr as qr_codes
from ops.model import Key, Secrets

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("name", metavar="KEY")
@click.option("--inbound", default="*", metavar="GLOB", help="Only inbounds that match.")
@click.option("--address", default="*", metavar="GLOB", help="Only addresses that match.")
@click.option("--qr", "on_terminal", is_flag=True, help="Show each link as a QR code, too.")
@click.option("--png", type=_file, metavar="FILE", help="Write the one link's QR code as PNG.")
@click.option("--svg", type=_file, metavar="FILE", help="Write the one link's QR code as SVG.")
@click.option("--client-json", is_flag=True, help="Print a config for an Xray client instead.")
@click.option(
    "--socks-port",
    type=click.IntRange(1, 65535),
    default=1080,
    show_default=True,
    help="Where that client listens.",
)
@json_option
@host_options
def link(
    selected: Selected,
    name: str,
    inbound: str,
    address: str,
    on_terminal: bool,
    png: Path | None,
    svg: Path | None,
    client_json: bool,
    socks_port: int,
    output: Format,
) -> None:
    """Print the share links of KEY: one for each host, inbound and address that it opens.

    Links are secrets: who has one is that person. Files are written with mode 0600.

    \b
    Example:
      ops link alice --host fra1 --qr
      ops link alice --host fra1 --inbound reality --address fra1.example.net --png alice.png
    """
    key = selection.key(selected.fleet, name)
    known = secrets.load(selected.fleet)
    found = _links(selected, key, known, inbound, address)
    if png or svg:
        _draw(_only(found), png, svg)
    elif client_json:
        one = _only(found)
        config = client(selected.fleet, one.host, one.inbound, key, known, one.address, socks_port)
        click.echo(show.as_json(config))
    elif output == "json":
        click.echo(show.as_json([_json(one) for one in found]))
    else:
        width = _width_for(found) if on_terminal else None
        for one in found:
            click.echo(one.url)
            if on_terminal:
                click.echo(qr_codes.terminal(one.url, width=width))


def _width_for(found: list[Link]) -> int | None:
    """Return the terminal's columns, if the codes of *found* fit; None in a pipe."""
    if not show.is_terminal():
        return None
    columns = shutil.get_terminal_size().columns
    widest = max(found, key=lambda one: qr_codes.narrowest(one.url))
    if (needed := qr_codes.narrowest(widest.url)) > columns:
        raise UsageError(
            f"the QR code of {widest.host.name}/{widest.inbound.name} needs {needed} columns, and "
            f"the terminal has {columns}: widen it, or write a picture with --png FILE"
        )
    return columns


def _links(selected: Selected, key: Key, known: Secrets, inbound: str, address: str) -> list[Link]:
    chosen = {
        host.name
        for host in selection.hosts(selected.fleet, selected.host_globs, selected.group_globs)
    }
    found = [
        one
        for one in links(selected.fleet, key, known)
        if one.host.name in chosen
        and fnmatchcase(one.inbound.name, inbound)
        and fnmatchcase(one.address, address)
    ]
    if not found:
        raise UsageError(f"{key.name!r} opens nothing of what was selected; see `ops keys list`")
    return found


def _only(found: list[Link]) -> Link:
    """Return the one link of *found*; a picture or a config is of one."""
    if len(found) > 1:
        ways = ", ".join(
            f"{one.host.name}/{one.inbound.name} at {one.address}" for one in found[:6]
        )
        raise UsageError(
            f"{len(found)} links match ({ways}{', ...' if len(found) > 6 else ''}): "
            "choose one by --host, --inbound and --address"
        )
    return found[0]


def _draw(one: Link, png: Path | None, svg: Path | None) -> None:
    pictures = ((png, qr_codes.png), (svg, lambda url: qr_codes.svg(url).encode()))
    for file, draw in pictures:
        if file is None:
            continue
        try:
            replace(file, draw(one.url), mode=0o600)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}") from None
        click.echo(f"wrote {file}")


def _json(one: Link) -> dict[str, str]:
    return {
        "host": one.host.name,
        "inbound": one.inbound.name,
        "address": one.address,
        "link": one.url,
    }
