"""First contact: which ssh host keys the fleet knows. Who compares them is a person."""

from collections.abc import Iterable, Sequence

from ops.errors import TunnelError, UsageError
from ops.files import locked, replace, text, there
from ops.model import Fleet, Host

_HEADER = (
    "# ssh host keys of the fleet, each compared once: `ops hosts trust NAME`. Commit this file.\n"
)


def known(fleet: Fleet, line: str) -> list[str]:
    """Return the lines of known_hosts about the same place as *line*."""
    place = line.split()[0]
    return [old for old in _lines(fleet) if old.split()[:1] == [place]]


def chosen(host: Host, lines: dict[str, str], fingerprint: str) -> list[str]:
    """Return the one of *lines* that has *fingerprint*; TunnelError if none has.

    *lines* are those the host showed, by fingerprint.
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


def is_known(fleet: Fleet, host: Host, lines: Sequence[str], *, instead: bool) -> bool:
    """Return whether all *lines* are in known_hosts already.

    UsageError where other keys are known for the host, unless they go *instead*.
    """
    old = known(fleet, lines[0])
    if set(lines) <= set(old):
        return True
    if old and not instead:
        raise UsageError(
            f"{host.name}: another host key is in {fleet.known_hosts.name} already. If the "
            "server was rebuilt, compare the new key, and add --replace"
        )
    return False


def keep(fleet: Fleet, host: Host, lines: Sequence[str], *, instead: bool) -> bool:
    """Write *lines* into known_hosts; return whether that changed anything.

    UsageError where other keys are known for the host, unless they go *instead*.
    """
    with locked(fleet.known_hosts.parent):
        if is_known(fleet, host, lines, instead=instead):
            return False
        old = known(fleet, lines[0])
        kept = [line for line in _lines(fleet) if line not in old]
        _write(fleet, [*kept, *lines])
    return True


def _lines(fleet: Fleet) -> list[str]:
    file = fleet.known_hosts
    lines = text(file).splitlines() if there(file) else []
    return [line for line in lines if line.strip()]


def _write(fleet: Fleet, lines: Iterable[str]) -> None:
    written = "".join(f"{line}\n" for line in lines)
    if not written.startswith("#"):
        written = _HEADER + written
    replace(fleet.known_hosts, written.encode())
