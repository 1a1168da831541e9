"""``ops link``: share links, QR codes and client configs of a key."""

import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import click

from ops.cli.asking.names import completer
from ops.cli.asking.options import Format, host_options, json_option
from ops.cli.printing import console, link_files
from ops.config.links import Link, client, links
from ops.config.links import qr as qr_codes
from ops.errors import UnknownNameError, UsageError
from ops.fleet import selection as of_fleet
from ops.model import Host, Inbound, Key, Secrets
from ops.reporting.selection import Selection

_file = click.Path(dir_okay=False, path_type=Path)
_picture = click.Path(path_type=Path)


@click.command()
@click.argument("name", metavar="KEY", shell_complete=completer("key"))
@click.option(
    "--inbound",
    default="*",
    metavar="GLOB",
    shell_complete=completer("inbound"),
    help="Select only inbounds with a matching name.",
)
@click.option("--address", default="*", metavar="GLOB", help="Select only matching addresses.")
@click.option("--qr", "on_terminal", is_flag=True, help="Print a QR code below each link.")
@click.option(
    "--png",
    type=_picture,
    metavar="PATH",
    help="Write QR codes as PNG files: one file, or all into a folder.",
)
@click.option(
    "--svg",
    type=_picture,
    metavar="PATH",
    help="Write QR codes as SVG files: one file, or all into a folder.",
)
@click.option("-o", "--out", type=_file, metavar="FILE", help="Write to FILE instead of printing.")
@click.option(
    "--client-json", is_flag=True, help="Print the config of an Xray client instead of a link."
)
@click.option(
    "--socks-port",
    type=click.IntRange(1, 65535),
    default=1080,
    show_default=True,
    help="With --client-json: the port on which the client listens.",
)
@json_option
@host_options
def link(
    selection: Selection,
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

    A link is a secret: anybody with the link can use the key. --out, --png and --svg write files
    with mode 0600; a file that the shell makes with > can be read by others. --png and --svg
    write one link to a file, or all links to an existing folder.

    \b
    Example:
      ops link alice --host fra1 --qr
      ops link alice --address fra1.example.net --png alice.png
      ops link alice --host fra1 --client-json -o alice.json
    """
    key = of_fleet.key(selection.fleet, name)
    from ops.fleet import secrets  # imports pydantic, which completion does without

    known = secrets.load(selection.fleet)
    chosen = _links(selection, key, known, inbound, address)
    lines: list[str] = []
    if png or svg:
        link_files.draw(chosen, key, png, svg, lambda: _only(chosen))
    elif client_json:
        lines = [_config(selection, _only(chosen), key, known, socks_port)]
    elif output == "json":
        lines = [console.as_json([_json(one) for one in chosen])]
    else:
        lines = list(_lines(chosen, on_terminal, out))
    _print(lines, out)


def _config(selection: Selection, one: Link, key: Key, known: Secrets, port: int) -> str:
    config = client(selection.fleet, one.host, one.inbound, key, known, one.address, port)
    return console.as_json(config)


def _print(lines: list[str], out: Path | None) -> None:
    if out and lines:
        link_files.write(out, "".join(f"{line}\n" for line in lines).encode())
        return
    for line in lines:
        click.echo(line)


def _lines(chosen: list[Link], with_codes: bool, out: Path | None) -> Iterator[str]:
    """Yield each link, and its QR code if *with_codes*."""
    width = _width_for(chosen) if with_codes and not out else None
    for one in chosen:
        yield one.url
        if with_codes:
            yield qr_codes.terminal(one.url, colour=not out, width=width)


def _width_for(chosen: list[Link]) -> int | None:
    """Return the columns of the terminal; None in a pipe.

    Raises UsageError if a code of *chosen* does not fit.
    """
    if not console.is_terminal():
        return None
    columns = shutil.get_terminal_size().columns
    widest = max(chosen, key=lambda one: qr_codes.narrowest(one.url))
    if (needed := qr_codes.narrowest(widest.url)) > columns:
        raise UsageError(
            f"the QR code of {widest.host.name}/{widest.inbound.name} needs {needed} columns, and "
            f"the terminal has {columns}: widen it, or write a picture with --png FILE"
        )
    return columns


def _links(
    selection: Selection, key: Key, known: Secrets, inbound: str, address: str
) -> list[Link]:
    hosts = {
        host.name
        for host in of_fleet.hosts(selection.fleet, selection.host_globs, selection.group_globs)
    }

    def is_wanted(host: Host, way: Inbound, dialled: str) -> bool:
        return (
            host.name in hosts and fnmatchcase(way.name, inbound) and fnmatchcase(dialled, address)
        )

    chosen = list(links(selection.fleet, key, known, is_wanted))
    if not chosen:
        raise _nothing(selection, key, inbound, address)
    return chosen


def _nothing(selection: Selection, key: Key, inbound: str, address: str) -> UsageError:
    """Return the error for a selection without a link of *key*."""
    names = {way.name for host in selection.fleet.hosts for way in host.inbounds}
    if not any(fnmatchcase(name, inbound) for name in names):
        return UnknownNameError("inbound", inbound, names)
    if selection.narrows_hosts or (inbound, address) != ("*", "*"):
        return UsageError(f"{key.name!r} opens nothing of what was selected; see `ops keys list`")
    return UsageError(f"{key.name!r} opens no inbound of a host that is up; see `ops keys list`")


def _only(chosen: list[Link]) -> Link:
    """Return the only link of *chosen*, because a picture or a config has one link.

    Raises UsageError if there are several.
    """
    if len(chosen) > 1:
        ways = ", ".join(
            f"{one.host.name}/{one.inbound.name} at {one.address}" for one in chosen[:6]
        )
        raise UsageError(
            f"{len(chosen)} links match ({ways}{', ...' if len(chosen) > 6 else ''}): "
            "choose one by --host, --inbound and --address"
        )
    return chosen[0]


def _json(one: Link) -> dict[str, str]:
    return {
        "host": one.host.name,
        "inbound": one.inbound.name,
        "address": one.address,
        "link": one.url,
    }
