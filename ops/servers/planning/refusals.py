"""Why a host is left alone: found out before anything changes, one sentence each."""

from collections.abc import Iterator

from ops.model import layout
from ops.servers.on_host import lock, users
from ops.servers.on_host.health import wanted_ports
from ops.servers.on_host.state import HostState
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.plan import Comparison, Options, Plan

ROOM = 160 << 20
"""Bytes that a new core needs: the zip twice, and what is in it."""


def of_the_host(state: HostState, here: Checkout, options: Options) -> Iterator[str]:
    """Yield why nobody should roll out to a host like this now."""
    if not state.systemd:
        yield f"{state.system} does not run systemd, which the core's service needs"
    if state.foreign:
        yield (
            f"{state.foreign} runs here and is not of this fleet; a rollout would cut its users "
            f"off: end it with `systemctl disable --now {layout.UNIT}`, then roll out"
        )
    yield from _read_only(state)
    if state.holder is not None:
        yield lock.busy(state.holder)
    applied = state.record.get("commit", "")
    if applied and not options.force and here.lacks(applied):
        yield (
            f"it has commit {applied[:12]}, applied by {state.record.get('who')} at "
            f"{state.record.get('when')}, which this checkout lacks: pull first, or go back on "
            "purpose with --data force=yes"
        )


def of_the_set(compared: Comparison, options: Options) -> Iterator[str]:
    """Yield why this set should not go onto this host."""
    yield from _drop_ins(compared.state)
    yield from _ports(compared)
    yield from _room(compared)
    yield from _keys(compared, options)
    yield from _inbounds(compared, options)


def _read_only(state: HostState) -> Iterator[str]:
    if state.read_only:
        yield (
            f"the host can only read {', '.join(state.read_only)}: look for an error of its disk "
            "(`dmesg`), and mount it for writing"
        )


def _drop_ins(state: HostState) -> Iterator[str]:
    if state.drop_ins:
        yield f"{', '.join(state.drop_ins)} would change the core's service: remove it first"


def _ports(compared: Comparison) -> Iterator[str]:
    wanted = wanted_ports(dict(compared.wanted.config))
    for protocol, port, pid, program, *unit in compared.state.listeners:
        service = unit[0] if unit else ""
        holder = f"{program or 'a program'} (pid {pid}{f' of {service}' if service else ''})"
        if protocol == "unix":
            yield f"the API's socket {layout.SOCKET} is held by {holder}: end that program"
        elif f"{protocol}/{port}" in wanted:
            remedy = f"{_end(program, service)}give the inbound another port"
            yield f"{protocol} port {port} is held by {holder}: {remedy}"


def _end(program: str, service: str) -> str:
    """Return how to end what holds a port; nothing for sshd, which is the only way in."""
    if program.endswith("/sshd"):
        return ""
    return f"end it with `systemctl disable --now {service}`, or " if service else "end it, or "


def _room(compared: Comparison) -> Iterator[str]:
    free = compared.state.free
    if compared.wanted.release not in compared.state.releases and free < ROOM:
        yield f"the core needs {ROOM >> 20} MiB, and {free >> 20} are free: make room first"


def _keys(compared: Comparison, options: Options) -> Iterator[str]:
    unasked = compared.users.unasked(options.rotate)
    if unasked:
        names = ",".join(unasked)
        yield (
            f"the secrets of {', '.join(unasked)} differ from what people were given: if that is "
            f"meant, add --data rotate={names}; if not, `ops secrets recover` reads back the old"
        )


def _inbounds(compared: Comparison, options: Options) -> Iterator[str]:
    wanted = users.inbound_secrets(dict(compared.wanted.config))
    for inbound, held in compared.state.inbound_secrets.items():
        name = f"{compared.host.name}/{inbound}"
        if inbound not in wanted or {"all", name} & options.rotate:
            continue
        if set(held) - set(wanted[inbound]):
            yield (
                f"the inbound {inbound} would get another REALITY key, short id or password, and "
                f"every link to it would die: if that is meant, add --data rotate={name}; if not, "
                "`ops secrets recover` reads back the old"
            )


def unless(reasons: list[str], plan: Plan) -> Plan:
    """Return *plan*, or if there are *reasons* against its changes, their refusal."""
    return Plan(refusal="; ".join(reasons), lines=plan.lines) if reasons and plan.order else plan
