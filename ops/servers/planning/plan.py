"""What a host must go through to have what the fleet asks for: a comparison, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ops.config.core.cache import url
from ops.model import Fleet, Host, layout
from ops.servers.on_host import order, places
from ops.servers.on_host.order import Order
from ops.servers.on_host.state import HostState, seen
from ops.servers.planning.checkout import Checkout
from ops.servers.planning.difference import Difference, difference
from ops.servers.planning.provenance import provenance, unrecorded
from ops.servers.planning.reshaping import redialled, reshaped
from ops.servers.planning.wanted import Wanted

RECORDED = "nothing to change but the record: what was rolled out uncommitted is committed now"
LEAVING = (
    "the core is taken off; its readings stay",
    f"the user {layout.USER} and the groups {layout.USER} and {layout.API_GROUP} stay, too",
)
_TIMER = f"{places.UNITS}/{places.MINUTE}.timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What whoever rolls out consents to."""

    force: bool = False
    """Roll out though the host has a commit that this checkout lacks."""
    rotate: frozenset[str] = frozenset()
    """Keys whose secret may change, and ``host/inbound`` for an inbound's own; or ``all``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will happen to one host."""

    order: Order | None = None
    """None: nothing is to change, or it is refused."""
    contents: dict[str, bytes] = field(default_factory=dict, repr=False)
    lines: tuple[str, ...] = ()
    """For people; no secret is in them."""
    refusal: str = ""
    """Why the host is left as it is, if it is; *lines* then say what would have changed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A host beside what it is to be."""

    fleet: Fleet
    host: Host
    state: HostState
    wanted: Wanted

    @property
    def changed(self) -> list[str]:
        """Return the paths that are not as they should be; all, if a rollout was left half done."""
        have, want = self.state.disk, self.wanted.digests
        paths = sorted(have.keys() | want.keys())
        return [p for p in paths if self.state.unfinished or have.get(p) != want.get(p)]

    @property
    def users(self) -> Difference:
        """Return what the users of the running core, or else of the file, lack."""
        there = self.state.users if self.state.users is not None else self.state.file_users
        return difference(there, self.wanted.fingerprints)

    @property
    def restart(self) -> Iterator[str]:
        """Yield why the core must be started anew."""
        state, want = self.state, self.wanted
        if state.active != "active":
            yield f"the service is {state.active or 'not there'}"
            return
        if state.unfinished:
            yield f"{state.unfinished} left a rollout unfinished"
        if state.started_core != want.release:
            yield f"core {self.fleet.core.version}"
        if state.started_frame != want.frame:
            yield from self.reshaped or ("config",)
        if state.started_unit != want.digests[places.UNIT]:
            yield "service"
        if state.users is None and state.started_frame == want.frame:
            yield from self._untold()

    @property
    def reshaped(self) -> list[str]:
        """Return which settings of the running core's config change, less its users."""
        started = self.state.started_shape
        return reshaped(started, self.wanted.shape) if started else []

    @property
    def damaged(self) -> bool:
        """Return whether the files of the core in use are not as they were installed."""
        release = self.wanted.release
        in_use = self.state.disk.get(places.CURRENT) == f"-> {release}"
        return in_use and release not in self.state.releases

    def _untold(self) -> Iterator[str]:
        """Yield why users that the core does not tell need a restart."""
        if self.host.api == "socket" and not self.damaged:  # else nothing here could ask it
            yield "the running core does not answer"
        elif layout.CONFIG in self.changed:
            yield 'users (with api = "inbound" they cannot be changed live)'


def plan(compared: Comparison, here: Checkout) -> Plan:
    """Return what brings the host to what is wanted."""
    how, why = effect(compared)
    if not how and not unrecorded(compared.state, here):
        return Plan(lines=("nothing to change",))
    how = how or order.RECORD
    told = _order(compared, how, here)
    contents = {path: compared.wanted.files[path].content for path in told.files}
    lines = _lines(compared, how, why) if how != order.RECORD else (RECORDED,)
    whence = provenance(compared.state, here) if how != order.RECORD else ()
    return Plan(order=told, contents=contents, lines=(*whence, *lines))


def effect(compared: Comparison) -> tuple[str, list[str]]:
    """Return how what is wanted takes effect, and why by a restart; nothing if it is so already."""
    why = list(compared.restart)
    if why:
        return order.RESTART, why
    if compared.users:
        return order.HOT, []
    if compared.changed or compared.damaged or not compared.state.timer:
        return order.FILES, []
    return "", []


def leaving(host: Host, state: HostState, here: Checkout) -> Plan:
    """Return what takes the core off a host that is to be without one."""
    if not _is_ours(state):
        return Plan(lines=("nothing to change: the core is not here",))
    told = Order(
        host=host.name,
        who=here.who,
        how=order.ABSENT,
        seen=seen(state.disk),
        record=_record(here, "absent"),
    )
    return Plan(order=told, lines=(*provenance(state, here), *LEAVING))


def _is_ours(state: HostState) -> bool:
    """Return whether anything of a rollout is on the host; what others put there is theirs."""
    applied = state.record.get("config", "absent") != "absent"
    return applied or bool(state.unfinished) or places.PROGRAM in state.disk


def _order(compared: Comparison, how: str, here: Checkout) -> Order:
    wanted, host = compared.wanted, compared.host
    paths = set(compared.changed)
    items = {path: item for path, item in wanted.files.items() if path in paths}
    return Order(
        host=host.name,
        who=here.who,
        how=how,
        seen=seen(compared.state.disk),
        files={path: [item.mode, item.group] for path, item in items.items()},
        links={path: target for path, target in wanted.links.items() if path in paths},
        removed=sorted(paths - wanted.digests.keys()),
        core=_core(compared),
        certificates=wanted.certificates,
        api_users=[host.ssh.user] if host.uses_sudo else [],
        record=_record(here, wanted.digests[layout.CONFIG]) | {"fleet": wanted.fleet},
    )


def _core(compared: Comparison) -> dict[str, str]:
    core, state, release = compared.fleet.core, compared.state, compared.wanted.release
    there = release in state.releases
    push = core.fetch == "push"
    return {
        "sha256": release,
        "version": core.version,
        "before": state.started_core,
        "upload": f"{places.STATE}/{release}.zip" if push and not there else "",
        "url": "" if push or there else url(core, state.machine),
    }


def _record(here: Checkout, config: str) -> dict[str, object]:
    record = {"commit": here.commit, "clean": here.clean, "who": here.who, "config": config}
    return record | ({"uncommitted": list(here.uncommitted)} if here.uncommitted else {})


def _lines(compared: Comparison, how: str, why: list[str]) -> Iterator[str]:
    yield from compared.users.lines
    if not compared.state.timer and _TIMER in compared.state.disk:
        yield "+ the reading of every minute, which somebody stopped"
    if compared.damaged:
        yield "~ the core's own files, which are damaged or missing: installed anew"
    for path in compared.changed:
        # What makes a config another one is told by its users, or as the reason of a restart.
        told = path == layout.CONFIG and how != order.FILES
        if not told and path not in places.LINKS:
            yield f"{_sign(path, compared)} {path}"
    for inbound in redialled(compared.state.started_shape, compared.wanted.shape):
        yield f"~ links to {inbound}: only those made for the new settings work"
    yield {
        order.RESTART: f"the core is restarted: {', '.join(why)}",
        order.HOT: "into the running core: nobody is dropped",
        order.FILES: "the core runs on as it is",
    }[how]


def _sign(path: str, compared: Comparison) -> str:
    if path not in compared.state.disk:
        return "+"
    return "~" if path in compared.wanted.digests else "-"
