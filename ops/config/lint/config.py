"""The config that rules judge: its settings in one form, and facts about its server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from ops.config.lint.routes import RouteView
from ops.config.lint.schema import NEWEST, Version
from ops.config.lint.severity import NOTE, Severity
from ops.config.lint.views import InboundView, Way
from ops.config.lint.walk import Odd, Walk


def _nothing(_: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Around:
    """Facts about the server that will run a config."""

    version: Version = NEWEST
    ours: bool = False
    """Whether this product rendered the config, which must then count traffic."""
    live: bool | None = None
    """Whether downloads are counted while they run; None if only the systemd unit decides."""
    data_files: bool = False
    """Whether geoip.dat and geosite.dat are beside the core."""
    expiries: Mapping[str, datetime] = field(default_factory=dict)
    """End dates of the certificates that could be read, by path."""
    pair_fault: Callable[[Mapping[str, Any]], str] = _nothing
    """Returns the fault of a certificate and its key, from their entry in ``certificates``."""
    addresses: tuple[str, ...] = ()
    """Public addresses of the server itself."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """The fingerprint (imitated browser) in an inbound's links, by the inbound's tag."""
    names: frozenset[str] = frozenset()
    """All inbounds and keys of the fleet: a rule for several hosts may use any of these names."""
    ssh_port: int = 22
    """The port of sshd."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


class Config:
    """One config, with Xray's own names and only the settings that the core uses.

    ``odd`` has the keys and values that the core ignores or refuses, ``twice`` the repeated keys.
    """

    def __init__(self, data: dict[str, Any], around: Around, twice: tuple[str, ...] = ()) -> None:
        walk = Walk()
        self.data = walk.config(data)
        self.odd: tuple[Odd, ...] = tuple(walk.odd)
        self.twice = twice
        self.around = around

    @property
    def version(self) -> Version:
        """Return the core's version."""
        return self.around.version

    @cached_property
    def inbounds(self) -> tuple[InboundView, ...]:
        """Return the inbounds, in order."""
        return tuple(
            InboundView(("inbounds", at), entry) for at, entry in self._entries("inbounds")
        )

    @cached_property
    def outbounds(self) -> tuple[Way, ...]:
        """Return the outbounds, in order; the first takes all traffic that no rule matches."""
        return tuple(Way(("outbounds", at), entry) for at, entry in self._entries("outbounds"))

    @cached_property
    def proxies(self) -> tuple[InboundView, ...]:
        """Return the inbounds that admit users of a proxy protocol."""
        return tuple(inbound for inbound in self.inbounds if inbound.is_proxy)

    @cached_property
    def rules(self) -> tuple[RouteView, ...]:
        """Return the routing rules, in order."""
        rules = self.part("routing").get("rules", [])
        return tuple(RouteView(("routing", "rules", at), entry) for at, entry in enumerate(rules))

    def part(self, *names: str) -> dict[str, Any]:
        """Return the object at the path *names*; an empty one if it is missing."""
        part: Any = self.data
        for name in names:
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, dict) else {}

    def _entries(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        return list(enumerate(self.data.get(name, [])))

    @cached_property
    def api_tag(self) -> str:
        """Return the tag of the API; empty if there is no API."""
        tag: str = self.part("api").get("tag", "")
        return tag

    @cached_property
    def inner_tags(self) -> frozenset[str]:
        """Return the tags of the outbounds that the core itself adds, for API and metrics."""
        tags = {self.part("metrics").get("tag", "")}
        if not self.part("api").get("listen"):
            tags.add(self.api_tag)
        return frozenset(tags - {""})

    @cached_property
    def services(self) -> frozenset[str]:
        """Return the API's services, in small letters."""
        return frozenset(name.lower() for name in self.part("api").get("services", []))

    @cached_property
    def api_inbounds(self) -> tuple[InboundView, ...]:
        """Return the tunnels that serve the API: a rule leads to it, or their tag names it."""
        routed = {
            tag for rule in self.rules if rule.outbound == self.api_tag for tag in rule.inbounds
        }
        return tuple(
            inbound
            for inbound in self.inbounds
            if inbound.protocol == "tunnel"
            and self.api_tag
            and (inbound.tag in routed or "api" in inbound.tag.lower())
        )

    @cached_property
    def counts(self) -> bool:
        """Return whether this config has any setting for statistics."""
        levels = self.part("policy", "levels").values()
        wanted = any(
            level.get("statsUserUplink") or level.get("statsUserDownlink") for level in levels
        )
        return self.around.ours or "stats" in self.data or "statsservice" in self.services or wanted

    def graded(self, severity: Severity) -> Severity:
        """Return *severity* for a fault of the statistics, or NOTE if the config wants none."""
        return severity if self.counts else NOTE
