"""Read the operator's consent from ``--data``. A mistyped name or value is an error."""

from collections.abc import Iterable
from typing import Any

from pyinfra.api.connectors import get_all_connectors
from pyinfra.api.host import Host as Target

from ops.errors import UsageError
from ops.model import Fleet
from ops.model.spelling import did_you_mean, with_suggestion
from ops.servers.planning.consent import Consent

NAMES = ("force", "rotate")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


def consent(target: Target, fleet: Fleet) -> Consent:
    """Return the consent for *target*; UsageError for a name or value without a meaning."""
    _refuse_unknown(target)
    force = str(target.data.get("force", "")).lower()
    if force not in _YES + _NO:
        raise UsageError(f"--data force={force} means nothing: write force=yes, or leave it out")
    return Consent(force=force in _YES, rotate=_rotated(str(target.data.get("rotate", "")), fleet))


def _rotated(given: str, fleet: Fleet) -> frozenset[str]:
    """Return the names of keys and inbounds in *given*, a list with commas."""
    names = frozenset(name for name in given.split(",") if name)
    inbounds = (f"{host.name}/{inbound.name}" for host in fleet.hosts for inbound in host.inbounds)
    known = {"all", *(key.name for key in fleet.keys), *inbounds}
    for name in sorted(names - known):
        message = f"--data rotate={given}: {name!r} is no key, and no inbound such as fra1/reality"
        raise UsageError(with_suggestion(message, name, known))
    return names


def _refuse_unknown(target: Target) -> None:
    """Raise UsageError if ``--data`` has a name that nothing reads.

    Known names are ours, those of pyinfra, and those with a value in the inventory or group_data.
    """
    inventory: Any = target.inventory  # pyinfra leaves it untyped
    of_all, of_groups = inventory.get_data(), inventory.get_groups_data(target.groups)
    known = {*NAMES, *_of_pyinfra(), *of_all, *of_groups, *inventory.get_host_data(target.name)}
    for name in inventory.get_override_data():
        if name not in known and not name.startswith("_"):
            raise UsageError(
                f"nothing reads --data {name}=...; {did_you_mean(name, NAMES)} (a name that a "
                "deploy of your own reads needs a value in group_data/all.py)"
            )


def _of_pyinfra() -> Iterable[str]:
    """Yield the names that the connectors of pyinfra read, such as ``ssh_user``."""
    connectors: dict[str, Any] = get_all_connectors()  # type: ignore[no-untyped-call]
    for connector in connectors.values():
        yield from getattr(getattr(connector, "data_cls", None), "__annotations__", ())
