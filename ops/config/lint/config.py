"""A config as the rules see it: what the core acts on, and what is known beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from ops.config.lint.finding import NOTE, Severity
from ops.config.lint.routes import Route
from ops.config.lint.schema import NEWEST, Version
from ops.config.lint.views import Inbound, Way
from ops.config.lint.walk import Odd, Walk


def _nothing(_: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is known of the place where a config will run."""

    version: Version = NEWEST
    ours: bool = False
    """Whether this product rendered it: then it has to count."""
    live: bool | None = None
    """Whether downloads are counted while they run; None where only the unit could tell."""
    data_files: bool = False
    """Whether geoip.dat and geosite.dat lie beside the core."""
    expiries: Mapping[str, datetime] = field(default_factory=dict)
    """When the certificates end, by their paths, as far as they could be read."""
    pair_fault: Callable[[Mapping[str, Any]], str] = _nothing
    """Says what is wrong with a certificate and its key, by the entry that names both."""
    addresses: tuple[str, ...] = ()
    """Public addresses of the server itself."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """The browser that an inbound's links tell clients to imitate, by its tag."""
    names: frozenset[str] = frozenset()
    """Inbounds and keys that other hosts of the fleet have: a rule for all may name them."""
    ssh_port: int = 22
    """Where sshd listens."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


class Config:
    """One config, brought into Xray's own form."""

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
    def inbounds(self) -> tuple[Inbound, ...]:
        """Return the inbounds, in order."""
        return tuple(Inbound(("inbounds", at), entry) for at, entry in self._entries("inbounds"))

    @cached_property
    def outbounds(self) -> tuple[Way, ...]:
        """Return the outbounds, in order; the first is where what no rule matches leaves."""
        return tuple(Way(("outbounds", at), entry) for at, entry in self._entries("outbounds"))

    @cached_property
    def proxies(self) -> tuple[Inbound, ...]:
        """Return the inbounds that let people in who have a key."""
        return tuple(inbound for inbound in self.inbounds if inbound.is_proxy)

    @cached_property
    def servers(self) -> tuple[Inbound, ...]:
        """Return those of them that are the config's own business: none, on a client."""
        return self.proxies

    @cached_property
    def rules(self) -> tuple[Route, ...]:
        """Return the routing rules, in order."""
        rules = self.part("routing").get("rules", [])
        return tuple(Route(("routing", "rules", at), entry) for at, entry in enumerate(rules))

    def part(self, *names: str) -> dict[str, Any]:
        """Return the object at *names*; an empty one where it is not there."""
        found: Any = self.data
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _entries(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        return list(enumerate(self.data.get(name, [])))

    @cached_property
    def api_tag(self) -> str:
        """Return the tag of the API; empty where there is none."""
        tag: str = self.part("api").get("tag", "")
        return tag

    @cached_property
    def inner_tags(self) -> frozenset[str]:
        """Return the tags of the outbounds that the core itself adds: its API, its metrics."""
        found = {self.part("metrics").get("tag", "")}
        if not self.part("api").get("listen"):
            found.add(self.api_tag)
        return frozenset(found - {""})

    @cached_property
    def services(self) -> frozenset[str]:
        """Return the API's services, in small letters."""
        return frozenset(name.lower() for name in self.part("api").get("services", []))

    @cached_property
    def api_inbounds(self) -> tuple[Inbound, ...]:
        """Return the inbounds that are there for the API: tunnels to loopback under its name."""
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
        """Return whether this config wants statistics; any part of them says so."""
        levels = self.part("policy", "levels").values()
        wanted = any(
            level.get("statsUserUplink") or level.get("statsUserDownlink") for level in levels
        )
        return self.around.ours or "stats" in self.data or "statsservice" in self.services or wanted

    def graded(self, severity: Severity) -> Severity:
        """Return *severity* for a fault of the statistics, a note where nobody asked for any."""
        return severity if self.counts else NOTE
