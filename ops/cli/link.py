"""``ops link``: what a person needs to connect."""

import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import click

from ops.cli import link_files
from ops.cli.options import Format, Selected, host_options, json_option
from ops.cli.printing import console
from ops.config.links import Link, client, links
from ops.config.links import qr as qr_codes
from ops.errors import UsageError
from ops.fleet import secrets, selection
from ops.model import Host, Inbound, Key, Secrets

_file = click.Path(dir_okay=False, path_type=Path)
_picture = click.Path(path_type=Path)


@click.command()
@click.argument("name", metavar="KEY")
@click.option("--inbound", default="*", metavar="GLOB", help="Only inbounds that match.")
@click.option("--address", default="*", metavar="GLOB", help="Only addresses that match.")
@click.option("--qr", "on_terminal", is_flag=True, help="Show each link as a QR code, too.")
@click.option(
    "--png", type=_picture, metavar="PATH", help="Write QR codes as PNG, to a file or a folder."
)
@click.option(
    "--svg", type=_picture, metavar="PATH", help="Write QR codes as SVG, to a file or a folder."
)
@click.option("-o", "--out", type=_file, metavar="FILE", help="Write to FILE instead of printing.")
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
    out: Path | None,
    client_json: bool,
    socks_port: int,
    output: Format,
) -> None:
    """Print the share links of KEY: one for each host, inbound and address that it opens.

    A link is a secret: with it anybody passes for that person. --out, --png and --svg write
    files with mode 0600; a file that the shell makes with > is open to others. --png and --svg
    draw one link into a file, and all of them into a folder that exists.

    \b
    Example:
      ops link alice --host fra1 --qr
      ops link alice --address fra1.example.net --png alice.png
      ops link alice --host fra1 --client-json -o alice.json
    """
    key = selection.key(selected.fleet, name)
    known = secrets.load(selected.fleet)
    found = _links(selected, key, known, inbound, address)
    lines: list[str] = []
    if png or svg:
        link_files.draw(found, key, png, svg, lambda: _only(found))
    elif client_json:
        lines = [_config(selected, _only(found), key, known, socks_port)]
    elif output == "json":
        lines = [console.as_json([_json(one) for one in found])]
    else:
        lines = list(_lines(found, on_terminal, out))
    _say(lines, out)


def _config(selected: Selected, one: Link, key: Key, known: Secrets, port: int) -> str:
    config = client(selected.fleet, one.host, one.inbound, key, known, one.address, port)
    return console.as_json(config)


def _say(lines: list[str], out: Path | None) -> None:
    if out and lines:
        link_files.write(out, "".join(f"{line}\n" for line in lines).encode())
        return
    for line in lines:
        click.echo(line)


def _lines(found: list[Link], with_codes: bool, out: Path | None) -> Iterator[str]:
    """Yield each link, and its QR code if it is asked for."""
    width = _width_for(found) if with_codes and not out else None
    for one in found:
        yield one.url
        if with_codes:
            yield qr_codes.terminal(one.url, colour=not out, width=width)


def _width_for(found: list[Link]) -> int | None:
    """Return the terminal's columns, if the codes of *found* fit; None in a pipe."""
    if not console.is_terminal():
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

    def is_wanted(host: Host, way: Inbound, dialled: str) -> bool:
        return (
            host.name in chosen and fnmatchcase(way.name, inbound) and fnmatchcase(dialled, address)
        )

    found = list(links(selected.fleet, key, known, is_wanted))
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


def _json(one: Link) -> dict[str, str]:
    return {
        "host": one.host.name,
        "inbound": one.inbound.name,
        "address": one.address,
        "link": one.url,
    }
