"""Compare the state of a host with the set that the fleet wants on it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.model import Fleet, Host, layout
from ops.servers.on_host import order, places
from ops.servers.on_host.state import HostState
from ops.servers.planning.difference import Difference, difference
from ops.servers.planning.settings import changed_settings
from ops.servers.planning.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Transition:
    """The way of one host from its present state to the wanted set."""

    fleet: Fleet
    host: Host
    state: HostState
    wanted: Wanted

    @property
    def changed(self) -> list[str]:
        """Return the paths to change. After an unfinished rollout these are all paths."""
        have, want = self.state.disk, self.wanted.digests
        paths = sorted(have.keys() | want.keys())
        return [p for p in paths if self.state.unfinished or have.get(p) != want.get(p)]

    @property
    def users(self) -> Difference:
        """Return the users to change in the running core.

        If the core does not list its users, compare with the users in the host's config file.
        """
        state = self.state
        return difference(
            state.users if state.users is not None else state.file_users, self.wanted.fingerprints
        )

    @property
    def restart(self) -> Iterator[str]:
        """Yield the reasons to restart the core."""
        state, want = self.state, self.wanted
        if state.active != "active":
            yield f"the service is {state.active or 'missing'}"
            return
        if state.unfinished:
            yield f"{state.unfinished} left a rollout unfinished"
        if state.started_core != want.release:
            yield f"core {self.fleet.core.version}"
        if state.started_frame != want.frame:
            yield from self.settings or ("config",)
        if state.started_unit != want.digests[places.UNIT]:
            yield "service"
        if state.users is None and state.started_frame == want.frame:
            yield from self._users_not_listed()

    @property
    def settings(self) -> list[str]:
        """Return the changed settings of the config, in words. Users are not settings."""
        started = self.state.started_settings
        return changed_settings(started, self.wanted.settings) if started else []

    @property
    def damaged(self) -> bool:
        """Return whether the core in use has files that differ from the installed ones."""
        release = self.wanted.release
        in_use = self.state.disk.get(places.CURRENT) == f"-> {release}"
        return in_use and release not in self.state.releases

    def effect(self) -> tuple[str, list[str]]:
        """Return how the wanted set takes effect, and the reasons if by a restart.

        The first value is one of `Order.how`, or empty if the host has the wanted set.
        """
        reasons = list(self.restart)
        if reasons:
            return order.RESTART, reasons
        if self.users:
            return order.HOT, []
        if self.changed or self.damaged or not self.state.timer:
            return order.FILES, []
        return "", []

    def _users_not_listed(self) -> Iterator[str]:
        """Yield the reason for a restart, if any, when the core does not list its users."""
        # A damaged program cannot ask the core, so its silence proves nothing.
        if self.host.api == "socket" and not self.damaged:
            yield "the running core does not answer"
        elif layout.CONFIG in self.changed:
            yield 'users (with api = "inbound" they change only with a restart)'
