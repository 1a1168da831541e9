"""The ssh host keys in the fleet's known_hosts. A person compares each before it is added."""

from collections.abc import Iterable, Sequence

from ops.errors import TunnelError, UsageError
from ops.files import exists, locked, read_text, write_atomically
from ops.fleet.inventory import known_hosts
from ops.model import Fleet, Host

_HEADER = (
    "# ssh host keys of the fleet, each compared once: `ops hosts trust NAME`. Commit this file.\n"
)


def known(fleet: Fleet, line: str) -> list[str]:
    """Return the lines of known_hosts for the same address as *line*."""
    return [old for old in _lines(fleet) if known_hosts.is_about(old, _place(line))]


def chosen(host: Host, lines: dict[str, str], fingerprint: str) -> list[str]:
    """Return the line with this *fingerprint*; TunnelError if there is none.

    *lines* are the known_hosts lines that *host* showed, by fingerprint.
    """
    wanted = fingerprint if fingerprint.startswith("SHA256:") else f"SHA256:{fingerprint}"
    if wanted not in lines:
        shown = ", ".join(lines)
        raise TunnelError(
            host.name,
            f"it shows other host keys than {wanted}: {shown}. Somebody may be in between: "
            "nothing was trusted",
        )
    return [lines[wanted]]


def is_known(fleet: Fleet, host: Host, lines: Sequence[str], *, replacing: bool) -> bool:
    """Return whether known_hosts has all of *lines*, or has some and none that contradicts them.

    A copied known_hosts often has one type of key, but a host shows three.
    UsageError if other keys of the host are known, unless *replacing* them.
    """
    shown, old = set(map(_key, lines)), set(map(_key, known(fleet, lines[0])))
    kinds = {kind for kind, _ in shown}
    stale = {key for key in old - shown if key[0] in kinds}
    if shown <= old or (shown & old and not stale):
        return True
    if old and not replacing:
        raise UsageError(
            f"{host.name}: another host key is in {fleet.known_hosts.name} already. If the "
            "server was rebuilt, compare the new key, and add --replace"
        )
    return False


def add(fleet: Fleet, host: Host, lines: Sequence[str], *, replacing: bool) -> bool:
    """Add *lines* to known_hosts, in place of older keys. Return whether the file changed.

    UsageError if other keys of the host are known, unless *replacing* them.
    """
    with locked(fleet.known_hosts.parent):
        if is_known(fleet, host, lines, replacing=replacing):
            return False
        place = _place(lines[0])
        others = [known_hosts.without(line, place) for line in _lines(fleet)]
        # pyinfra reads no line after one that begins with @revoked.
        _write(fleet, sorted([*filter(None, others), *lines], key=_is_marked))
    return True


def _place(line: str) -> str:
    return line.split()[0]


def _key(line: str) -> tuple[str, str]:
    """Return the type and the data of the host key in *line*, without its comment."""
    kind, data, *_ = [*line.split()[1:], "", ""]
    return kind, data


def _is_marked(line: str) -> bool:
    return line.startswith("@")


def _lines(fleet: Fleet) -> list[str]:
    file = fleet.known_hosts
    lines = read_text(file).splitlines() if exists(file) else []
    return [line for line in lines if line.strip()]


def _write(fleet: Fleet, lines: Iterable[str]) -> None:
    written = "".join(f"{line}\n" for line in lines)
    if not written.startswith("#"):
        written = _HEADER + written
    write_atomically(fleet.known_hosts, written.encode())
