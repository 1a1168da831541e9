"""List the reasons to refuse a rollout to a host. Each reason is one sentence."""

from collections.abc import Iterator, Sequence

from ops.model import layout
from ops.servers.on_host import lock, users
from ops.servers.on_host.health import wanted_ports
from ops.servers.on_host.state import HostState
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.consent import Consent
from ops.servers.planning.plan import Plan
from ops.servers.planning.transition import Transition

ROOM = 160 << 20
"""Bytes that installing a core needs: its zip twice, and the unpacked files."""


def refused(plan: Plan, reasons: list[str]) -> Plan:
    """Return *plan*, as a refusal if it changes the host and there are *reasons* against that."""
    return Plan(refusal="; ".join(reasons), lines=plan.lines) if reasons and plan.order else plan


def of_the_host(state: HostState, checkout: Checkout, consent: Consent) -> Iterator[str]:
    """Yield the reasons against any rollout from *checkout* to a host in *state*."""
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
    if applied and not consent.force and checkout.lacks(applied):
        yield (
            f"it has commit {applied[:12]}, applied by {state.record.get('who')} at "
            f"{state.record.get('when')}, which this checkout lacks: pull first, or go back on "
            "purpose with --data force=yes"
        )


def of_the_set(transition: Transition, consent: Consent) -> Iterator[str]:
    """Yield the reasons against bringing this wanted set to this host."""
    yield from _drop_ins(transition.state)
    yield from _ports(transition)
    yield from _room(transition)
    yield from _keys(transition, consent)
    yield from _inbounds(transition, consent)


def _read_only(state: HostState) -> Iterator[str]:
    if state.read_only:
        yield (
            f"the host can only read {', '.join(state.read_only)}: look for an error of its disk "
            "(`dmesg`), and mount it for writing"
        )


def _drop_ins(state: HostState) -> Iterator[str]:
    if state.drop_ins:
        yield f"{', '.join(state.drop_ins)} would change the core's service: remove it first"


def _ports(transition: Transition) -> Iterator[str]:
    wanted = wanted_ports(dict(transition.wanted.config))
    for protocol, port, pid, program, *unit in transition.state.listeners:
        service = unit[0] if unit else ""
        holder = f"{program or 'a program'} (pid {pid}{f' of {service}' if service else ''})"
        if protocol == "unix":
            yield f"the API's socket {layout.SOCKET} is held by {holder}: end that program"
        elif f"{protocol}/{port}" in wanted:
            remedy = f"{_end(program, service)}give the inbound another port"
            yield f"{protocol} port {port} is held by {holder}: {remedy}"


def _end(program: str, service: str) -> str:
    """Return the advice to end *program*. Empty for sshd, because it is the only way in."""
    if program.endswith("/sshd"):
        return ""
    return f"end it with `systemctl disable --now {service}`, or " if service else "end it, or "


def _room(transition: Transition) -> Iterator[str]:
    free = transition.state.free
    if transition.wanted.release not in transition.state.releases and free < ROOM:
        yield f"the core needs {ROOM >> 20} MiB, and {free >> 20} are free: make room first"


def _keys(transition: Transition, consent: Consent) -> Iterator[str]:
    unasked = transition.users.unasked(consent.rotate)
    if unasked:
        names = ",".join(unasked)
        yield (
            f"the secrets of {', '.join(unasked)} differ from those that people have: if you "
            f"want that, add --data rotate={names}; if not, {_take_back(unasked)}"
        )


def _take_back(names: Sequence[str]) -> str:
    options = " ".join(f"--replace {name}" for name in names)
    return f"`ops secrets recover {options}` takes back the secrets that the server has"


def _inbounds(transition: Transition, consent: Consent) -> Iterator[str]:
    wanted = users.inbound_secrets(dict(transition.wanted.config))
    for inbound, secrets in transition.state.inbound_secrets.items():
        name = f"{transition.host.name}/{inbound}"
        if inbound not in wanted or {"all", name} & consent.rotate:
            continue
        if set(secrets) - set(wanted[inbound]):
            yield (
                f"the inbound {inbound} would get another REALITY key, short id or password, and "
                "every link to it would stop working: if you want that, add "
                f"--data rotate={name}; if not, {_take_back([name])}"
            )
