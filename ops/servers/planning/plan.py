"""Turn the comparison of a host with its wanted set into a plan for that host."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ops.config.core.cache import url
from ops.model import Host, layout
from ops.servers.on_host import order, places
from ops.servers.on_host.order import Order
from ops.servers.on_host.state import HostState, digest
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.provenance import is_recorded_uncommitted, provenance
from ops.servers.planning.settings import redialled_inbounds
from ops.servers.planning.transition import Transition

RECORDED = "nothing to change but the record: uncommitted work on the host is committed now"
REMOVAL = (
    "the core is removed; its readings stay",
    f"the user {layout.USER} and the groups {layout.USER} and {layout.API_GROUP} stay, too",
)
_TIMER = f"{places.UNITS}/{places.MINUTE}.timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The planned change of one host."""

    order: Order | None = None
    """The order for the host. None if nothing changes, or if the change is refused."""
    contents: dict[str, bytes] = field(default_factory=dict, repr=False)
    """By path: the content of each file in the order. It may be secret."""
    lines: tuple[str, ...] = ()
    """The change in words for people, without any secret."""
    refusal: str = ""
    """The reason to refuse the change. *lines* then show the refused change."""


def plan(transition: Transition, checkout: Checkout) -> Plan:
    """Return the plan that carries out *transition*."""
    how, reasons = transition.effect()
    if not how and not is_recorded_uncommitted(transition.state, checkout):
        return Plan(lines=("nothing to change",))
    how = how or order.RECORD
    new_order = _order(transition, how, checkout)
    contents = {path: transition.wanted.files[path].content for path in new_order.files}
    if how == order.RECORD:
        return Plan(order=new_order, contents=contents, lines=(RECORDED,))
    lines = (*provenance(transition.state, checkout), *_lines(transition, how, reasons))
    return Plan(order=new_order, contents=contents, lines=lines)


def removal(host: Host, state: HostState, checkout: Checkout) -> Plan:
    """Return the plan that takes the core off *host*."""
    if not _is_ours(state):
        return Plan(lines=("nothing to change: the core is not here",))
    new_order = Order(
        host=host.name,
        who=checkout.who,
        how=order.ABSENT,
        planned_on=digest(state.disk),
        record=_record(checkout, "absent"),
    )
    return Plan(order=new_order, lines=(*provenance(state, checkout), *REMOVAL))


def _is_ours(state: HostState) -> bool:
    """Return whether the host has anything from a rollout. Other people's files do not count."""
    applied = state.record.get("config", "absent") != "absent"
    return applied or bool(state.unfinished) or places.PROGRAM in state.disk


def _order(transition: Transition, how: str, checkout: Checkout) -> Order:
    wanted, host = transition.wanted, transition.host
    paths = set(transition.changed)
    items = {path: item for path, item in wanted.files.items() if path in paths}
    return Order(
        host=host.name,
        who=checkout.who,
        how=how,
        planned_on=digest(transition.state.disk),
        files={path: [item.mode, item.group] for path, item in items.items()},
        links={path: target for path, target in wanted.links.items() if path in paths},
        removed=sorted(paths - wanted.digests.keys()),
        core=_core(transition),
        certificates=wanted.certificates,
        api_users=[host.ssh.user] if host.uses_sudo else [],
        record=_record(checkout, wanted.digests[layout.CONFIG]) | {"fleet": wanted.fleet},
    )


def _core(transition: Transition) -> dict[str, str]:
    core, state, release = transition.fleet.core, transition.state, transition.wanted.release
    installed = release in state.releases
    push = core.fetch == "push"
    return {
        "sha256": release,
        "version": core.version,
        "before": state.started_core,
        "upload": f"{places.STATE}/{release}.zip" if push and not installed else "",
        "url": "" if push or installed else url(core, state.machine),
    }


def _record(checkout: Checkout, config: str) -> dict[str, object]:
    """Return the record of this rollout that the host stores.

    *config* is the digest of the config, or ``absent``.
    """
    source = {"commit": checkout.commit, "clean": checkout.clean, "who": checkout.who}
    record: dict[str, object] = {**source, "config": config}
    if not checkout.uncommitted:
        return record
    work = {"uncommitted": list(checkout.uncommitted), "contents": dict(checkout.contents)}
    return record | work


def _lines(transition: Transition, how: str, reasons: list[str]) -> Iterator[str]:
    yield from transition.users.lines
    if not transition.state.timer and _TIMER in transition.state.disk:
        yield "+ the timer for readings, which somebody stopped"
    if transition.damaged:
        yield "~ the core's files: they are damaged or missing, and are installed again"
    for path in transition.changed:
        # The lines about users, or the reasons of the restart, already explain a new config.
        explained = path == layout.CONFIG and how != order.FILES
        if not explained and path not in places.LINKS:
            yield f"{_sign(path, transition)} {path}"
    had, has = transition.state.started_settings, transition.wanted.settings
    for inbound in redialled_inbounds(had, has):
        yield f"~ links to {inbound}: the old ones stop working, so make new ones"
    is_new = places.PROGRAM not in transition.state.disk and transition.state.active != "active"
    restarted = f"the core is restarted: {', '.join(reasons)}"
    yield {
        order.RESTART: "the core is installed and started" if is_new else restarted,
        order.HOT: "the running core takes the change: nobody is disconnected",
        order.FILES: "the core runs on as it is",
    }[how]


def _sign(path: str, transition: Transition) -> str:
    if path not in transition.state.disk:
        return "+"
    return "~" if path in transition.wanted.digests else "-"
