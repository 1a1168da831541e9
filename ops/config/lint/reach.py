"""Find the networks that users of an inbound can reach directly from the server."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ops.config.lint.config import Config
from ops.config.lint.onward import dialer_proxies
from ops.config.lint.positions import Path
from ops.config.lint.routes import Network, RouteView, network_of, within
from ops.config.lint.views import InboundView, Way, texts

GUARDS_BY_ITSELF = (26, 4, 15)
"""The first core that blocks private addresses by itself (docs/xray.md, private networks)."""
FINAL_RULES = (26, 5, 3)
"""The first core with ``finalRules`` (docs/xray.md, private networks)."""
_NAMES = {"http", "tls", "quic", "https", "ssl", "fakedns", "fakedns+others"}

_OF_ANY_TARGET = {"inboundTag", "network", "port", "user", "sourceIP", "sourcePort", "vlessRoute"}
"""Conditions of rules that connections to any target can fulfil."""

ADDRESS, NAME, SNIFFED = "address", "name", "sniffed"


@dataclass(frozen=True)
class Reach:
    """The ways from one inbound to networks near the server (docs/xray.md, private networks)."""

    config: Config
    inbound: InboundView

    def ways(self, network: Network, *, private: bool) -> frozenset[str]:
        """Return the ways to reach *network*: ``ADDRESS``, ``NAME``, ``SNIFFED``.

        Args:
            network: the network to reach.
            private: whether newer cores block the network by themselves.
        """
        if not any(self._lets_out(way, network, private) for way in self.exits):
            return frozenset()
        if not any(self._covers(route, network) for route in self.guards):
            return frozenset({ADDRESS, NAME})
        open_ways = set()
        if self.strategy not in ("ipondemand", "ipifnonmatch"):
            open_ways.add(NAME)
        if self._sniffs_past_rules:
            open_ways.add(SNIFFED)
        return frozenset(open_ways)

    @property
    def strategy(self) -> str:
        """Return the ``domainStrategy`` of the routing, in small letters."""
        return str(self.config.part("routing").get("domainStrategy", "")).lower()

    @cached_property
    def exits(self) -> tuple[Way, ...]:
        """Return the used outbounds that dial their targets directly from the server."""
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
    def guards(self) -> tuple[RouteView, ...]:
        """Return the rules that block addresses for this inbound, up to one that lets all pass."""
        exits = {way.tag for way in self.exits}
        again = {way.tag for way in self.config.outbounds if way.protocol == "loopback"}
        guards = []
        for route in self.config.rules:
            about = set(route.conditions)
            mine = not route.inbounds or self.inbound.tag in route.inbounds
            leads_out = not route.outbound or route.outbound in exits | again
            if mine and about <= (_OF_ANY_TARGET if leads_out else {"inboundTag"}):
                break
            if mine and about and about <= {"ip", "inboundTag"} and route.outbound not in exits:
                guards.append(route)
        return tuple(guards)

    @staticmethod
    def _covers(route: RouteView, network: Network) -> bool:
        return any(within(network, mine) for mine in route.networks)

    def _lets_out(self, way: Way, network: Network, private: bool) -> bool:
        """Return whether *way* dials *network*; the first matching final rule decides."""
        if self.config.version >= FINAL_RULES:
            for rule in way.settings.get("finalRules", []):
                if _matches(rule, network):
                    return str(rule.get("action", "")).lower() == "allow"
        return not (private and self.config.version >= GUARDS_BY_ITSELF)

    @property
    def _sniffs_past_rules(self) -> bool:
        """Return whether routing uses a sniffed name instead of the dialled address."""
        sniffing = self.inbound.data.get("sniffing", {})
        names = {name.lower() for name in texts(sniffing.get("destOverride"))}
        return bool(sniffing.get("enabled") and sniffing.get("routeOnly") and names & _NAMES)


def final_rules(config: Config) -> tuple[Path, list[dict[str, Any]]]:
    """Return the path of ``finalRules`` in the first direct outbound, and the rules.

    The path is the place to write them if there are none.
    """
    for way in config.outbounds:
        if way.protocol == "direct":
            return (*way.path, "settings", "finalRules"), way.settings.get("finalRules", [])
    return ("outbounds",), []


def _matches(rule: dict[str, Any], network: Network) -> bool:
    """Return whether the final rule *rule* decides about *network*.

    A block of some ports only does not. An allow counts if it touches a part of the network.
    """
    if str(rule.get("action", "")).lower() == "block" and {"port", "network"} & set(rule):
        return False
    addresses = texts(rule.get("ip"))
    if not addresses:
        return True
    named = [its for text in addresses if (its := network_of(text))]
    if str(rule.get("action", "")).lower() == "allow":
        return any(within(mine, network) or within(network, mine) for mine in named)
    return "geoip:private" in addresses or any(within(network, mine) for mine in named)
