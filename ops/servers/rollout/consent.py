"""What whoever rolls out consents to, by ``--data``; what they mistype is no consent."""

from collections.abc import Iterable
from typing import Any

from pyinfra.api.connectors import get_all_connectors
from pyinfra.api.host import Host as Target

from ops.errors import UsageError
from ops.fleet.inventory import did_you_mean
from ops.model import Fleet
from ops.servers.planning.plan import Options

NAMES = ("force", "rotate")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


def consent(target: Target, fleet: Fleet) -> Options:
    """Return what was consented to for *target*; UsageError for what means nothing."""
    _refuse_unknown(target)
    force = str(target.data.get("force", "")).lower()
    if force not in _YES + _NO:
        raise UsageError(f"--data force={force} means nothing: write force=yes, or leave it out")
    return Options(force=force in _YES, rotate=_rotated(str(target.data.get("rotate", "")), fleet))


def _rotated(said: str, fleet: Fleet) -> frozenset[str]:
    """Return the keys and inbounds that *said* names, with commas in between."""
    names = frozenset(name for name in said.split(",") if name)
    inbounds = (f"{host.name}/{inbound.name}" for host in fleet.hosts for inbound in host.inbounds)
    known = {"all", *(key.name for key in fleet.keys), *inbounds}
    for name in sorted(names - known):
        meant = did_you_mean(name, known)
        raise UsageError(
            f"--data rotate={said}: {name!r} is no key, and no inbound such as fra1/reality"
            + (f"; {meant}" if meant else "")
        )
    return names


def _refuse_unknown(target: Target) -> None:
    """Refuse what was typed after ``--data`` and nothing would read.

    pyinfra's own names, and those that the inventory or group_data give a value, are read.
    """
    inventory: Any = target.inventory  # untyped
    of_all, of_groups = inventory.get_data(), inventory.get_groups_data(target.groups)
    known = {*NAMES, *_of_pyinfra(), *of_all, *of_groups, *inventory.get_host_data(target.name)}
    for name in inventory.get_override_data():
        if name not in known and not name.startswith("_"):
            raise UsageError(
                f"--data {name}=... is read by nothing; {did_you_mean(name, NAMES)} (a name that a "
                "deploy of your own reads needs a value in group_data/all.py)"
            )


def _of_pyinfra() -> Iterable[str]:
    """Yield the names that pyinfra's ways to reach hosts read: ``ssh_user`` and its kin."""
    connectors: dict[str, Any] = get_all_connectors()  # type: ignore[no-untyped-call]
    for connector in connectors.values():
        yield from getattr(getattr(connector, "data_cls", None), "__annotations__", ())
