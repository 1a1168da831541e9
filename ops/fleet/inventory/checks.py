"""Find contradictions between the tables of a fleet's files: unknown, double and similar names."""

from collections.abc import Iterable, Iterator, Mapping

from ops.errors import Problem
from ops.fleet.inventory.shape import HostsFile, KeysFile
from ops.fleet.inventory.shape.hosts import HostFields, HostTable
from ops.fleet.inventory.toml import Document, Location
from ops.model import ALL
from ops.model.key import GENERATION
from ops.model.spelling import did_you_mean

_RESERVED_GROUPS = {ALL, "inventory"}
"""Names that pyinfra gives to its own groups."""
_LOOK_ALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "-": ".", "_": "."})


def names(document: Document, hosts: HostsFile) -> Iterator[Problem]:
    """Find unknown or repeated names of groups and inbounds, and names that are taken."""
    for group in hosts.groups:
        if group in _RESERVED_GROUPS:
            yield document.problem(
                ("groups", group), f"pyinfra uses {group!r} for its own group", "rename it"
            )
        if group in hosts.hosts:
            message = f"{group!r} is a group and a host"
            yield document.problem(("hosts", group), message, "a key could open either: rename one")
    for name, table in hosts.hosts.items():
        if name == ALL:
            yield document.problem(("hosts", name), "'all' means every host", "rename it")
        place: Location = ("hosts", name)
        yield from _unknown(document, (*place, "groups"), "group", table.groups, hosts.groups)
        yield from _unknown(
            document, (*place, "overrides"), "inbound", table.overrides, hosts.inbounds
        )
    for place, fields in _host_fields(hosts):
        used = fields.inbounds or []
        yield from _unknown(document, (*place, "inbounds"), "inbound", used, hosts.inbounds)
        yield from _twice(document, (*place, "inbounds"), used)
    yield from _look_alikes(document, "hosts", hosts.hosts)


def rules(
    document: Document,
    hosts: HostsFile,
    keys: KeysFile,
    damaged: frozenset[Location] = frozenset(),
) -> Iterator[Problem]:
    """Find routing rules with unknown names or without a condition.

    *damaged* are the tables with a field that was refused. Such a rule can lack its condition.
    """
    ways_out = {"direct", "block", *hosts.outbounds}
    for name in hosts.outbounds:
        if name in ("direct", "block", "api") or name.startswith("run-"):
            yield document.problem(("outbounds", name), f"{name!r} is a reserved name", "rename it")
    for index, rule in enumerate(hosts.rules):
        place: Location = ("rules", index)
        for field, what, used, known in (
            ("outbound", "outbound", [rule.outbound], ways_out),
            ("hosts", "host or group", rule.hosts, _scopes(hosts)),
            ("inbound", "inbound", rule.inbound, hosts.inbounds),
            ("key", "key", rule.key, keys.keys),
        ):
            yield from _unknown(document, (*place, field), what, used, known)
        conditions = rule.model_dump(exclude={"outbound", "hosts"}, exclude_defaults=True)
        if not conditions and place not in damaged:
            message = "a rule without a condition: the core refuses it"
            yield document.problem(place, message, "say what it matches: domain, ip, port, ...")


def keys(document: Document, keys: KeysFile, hosts: HostsFile) -> Iterator[Problem]:
    """Find keys that open unknown things, and names of keys that look alike."""
    scopes, offered = _scopes(hosts), _offered(hosts)
    for name, table in keys.keys.items():
        place: Location = ("keys", name)
        for door in table.opens:
            if door not in scopes and door not in offered:
                message = f"{name!r} opens {door!r}, which is no host, group or inbound of one"
                remedy = _door(door, scopes, offered)
                yield document.problem((*place, "opens"), message, remedy, door)
        yield from _twice(document, (*place, "opens"), table.opens)
        if GENERATION in name:
            yield document.problem(place, f"{GENERATION} in {name!r} is reserved for rotation")
    yield from _look_alikes(document, "keys", keys.keys)


def _door(door: str, scopes: set[str], offered: set[str]) -> str:
    scope, slash, _ = door.partition("/")
    if slash and scope in scopes:
        return did_you_mean(door, [other for other in offered if other.startswith(f"{scope}/")])
    return did_you_mean(scope, scopes)


def _offered(hosts: HostsFile) -> set[str]:
    """Return every ``host/inbound`` and ``group/inbound`` of the fleet."""
    return {
        f"{scope}/{inbound}"
        for name, table in hosts.hosts.items()
        for scope in (ALL, name, *table.groups)
        for inbound in _inbounds(hosts, table)
    }


def _inbounds(hosts: HostsFile, table: HostTable) -> list[str]:
    """Return the inbounds of a host: its own, those of its last group, or the default ones."""
    groups = [hosts.groups[name] for name in reversed(table.groups) if name in hosts.groups]
    layers = (layer.inbounds for layer in (table, *groups, hosts.defaults))
    return next((inbounds for inbounds in layers if inbounds is not None), [])


def _scopes(hosts: HostsFile) -> set[str]:
    return {ALL, *hosts.hosts, *hosts.groups}


def _host_fields(hosts: HostsFile) -> Iterator[tuple[Location, HostFields]]:
    yield ("defaults",), hosts.defaults
    yield from ((("groups", name), table) for name, table in hosts.groups.items())
    yield from ((("hosts", name), table) for name, table in hosts.hosts.items())


def _unknown(
    document: Document, place: Location, what: str, used: Iterable[str], known: Iterable[str]
) -> Iterator[Problem]:
    known = set(known)
    for name in used:
        if name not in known:
            yield document.problem(
                place, f"unknown {what} {name!r}", did_you_mean(name, known), name
            )


def _twice(document: Document, place: Location, used: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in used:
        if name in seen:
            yield document.problem(place, f"{name!r} is named twice", "write it once", name)
        seen.add(name)


def _look_alikes(document: Document, table: str, named: Mapping[str, object]) -> Iterator[Problem]:
    """Find names that differ only in characters that look alike."""
    seen: dict[str, str] = {}
    for name in named:
        other = seen.setdefault(name.translate(_LOOK_ALIKES), name)
        if other != name:
            message = f"{name!r} looks like {other!r} (line {document.line((table, other))})"
            yield document.problem((table, name), message, "rename one of them")
