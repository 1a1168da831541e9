"""What can be reached from an inbound by leaving straight from the server."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ops.config.lint.config import Config
from ops.config.lint.onward import dialer_proxies
from ops.config.lint.positions import Path
from ops.config.lint.routes import Network, Route, network_of, within
from ops.config.lint.views import Inbound, Way, texts

GUARDS_BY_ITSELF = (26, 4, 15)
"""The first core whose freedom outbound keeps users from private addresses."""
FINAL_RULES = (26, 5, 3)
"""The first that knows ``finalRules``."""
_NAMES = {"http", "tls", "quic", "https", "ssl", "fakedns", "fakedns+others"}

_OF_ANY_TARGET = {"inboundTag", "network", "port", "user", "sourceIP", "sourcePort", "vlessRoute"}
"""Conditions that a connection to a private address can meet as well as any other."""

ADDRESS, NAME, SNIFFED = "address", "name", "sniffed"


@dataclass(frozen=True)
class Reach:
    """The ways from one inbound to the networks beside the server."""

    config: Config
    inbound: Inbound

    def ways(self, network: Network, *, private: bool) -> frozenset[str]:
        """Return how *network* can be reached: by its address, by a name, by a sniffed name."""
        if not any(self._lets_out(way, network, private) for way in self.exits):
            return frozenset()
        if not any(self._covers(route, network) for route in self.guards):
            return frozenset({ADDRESS, NAME})
        found = set()
        if self.strategy not in ("ipondemand", "ipifnonmatch"):
            found.add(NAME)
        if self._sniffs_past_rules:
            found.add(SNIFFED)
        return frozenset(found)

    @property
    def strategy(self) -> str:
        """Return when routing resolves names."""
        return str(self.config.part("routing").get("domainStrategy", "")).lower()

    @cached_property
    def exits(self) -> tuple[Way, ...]:
        """Return the outbounds that dial from here and that something is sent to."""
        named = {route.outbound for route in self.config.rules}
        handing = [way for way in self.config.outbounds if way.protocol == "direct"]
        named |= {name for way in handing for _, name in dialer_proxies(way)}
        balanced = any(route.data.get("balancerTag") for route in self.config.rules)
        return tuple(
            way
            for at, way in enumerate(self.config.outbounds)
            if way.protocol == "direct"
            and not way.settings.get("redirect")
            and (at == 0 or way.tag in named or balanced)
        )

    @cached_property
    def guards(self) -> tuple[Route, ...]:
        """Return the rules that keep addresses from this inbound, up to one that lets them pass."""
        exits = {way.tag for way in self.exits}
        again = {way.tag for way in self.config.outbounds if way.protocol == "loopback"}
        found = []
        for route in self.config.rules:
            about = set(route.conditions)
            mine = not route.inbounds or self.inbound.tag in route.inbounds
            leads_out = not route.outbound or route.outbound in exits | again
            if mine and about <= (_OF_ANY_TARGET if leads_out else {"inboundTag"}):
                break
            if mine and about and about <= {"ip", "inboundTag"} and route.outbound not in exits:
                found.append(route)
        return tuple(found)

    @staticmethod
    def _covers(route: Route, network: Network) -> bool:
        return any(within(network, mine) for mine in route.networks)

    def _lets_out(self, way: Way, network: Network, private: bool) -> bool:
        """Return whether *way* itself dials *network*; the first final rule that matches says."""
        if self.config.version >= FINAL_RULES:
            for rule in way.settings.get("finalRules", []):
                if _matches(rule, network):
                    return str(rule.get("action", "")).lower() == "allow"
        return not (private and self.config.version >= GUARDS_BY_ITSELF)

    @property
    def _sniffs_past_rules(self) -> bool:
        """Whether routing looks at a name inside the connection in place of what is dialled."""
        said = self.inbound.data.get("sniffing", {})
        names = {name.lower() for name in texts(said.get("destOverride"))}
        return bool(said.get("enabled") and said.get("routeOnly") and names & _NAMES)


def final_rules(config: Config) -> tuple[Path, list[dict[str, Any]]]:
    """Return the final rules of the way out, and where they are; where they would be if none."""
    for way in config.outbounds:
        if way.protocol == "direct":
            return (*way.path, "settings", "finalRules"), way.settings.get("finalRules", [])
    return ("outbounds",), []


def _matches(rule: dict[str, Any], network: Network) -> bool:
    """Return whether *rule* is about *network*; one for some ports only is about some of it."""
    if str(rule.get("action", "")).lower() == "block" and {"port", "network"} & set(rule):
        return False
    addresses = texts(rule.get("ip"))
    if not addresses:
        return True
    named = [found for text in addresses if (found := network_of(text))]
    if str(rule.get("action", "")).lower() == "allow":
        return any(within(mine, network) or within(network, mine) for mine in named)
    return "geoip:private" in addresses or any(within(network, mine) for mine in named)
