"""Follow the traffic of an inbound through rules, balancers and outbounds to all its ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ops.config.lint.config import Config
from ops.config.lint.positions import Path
from ops.config.lint.routes import RouteView
from ops.config.lint.views import Way


class Step(NamedTuple):
    """An outbound that traffic reaches, and the place in the config that sends it there."""

    outbound: str
    path: Path
    entry: str = ""
    """The inbound tag that a loopback outbound gives to the traffic for the next routing."""


@dataclass(frozen=True)
class Onward:
    """Follows traffic through a config, from the tag of an inbound."""

    config: Config

    def steps(self, inbound: str) -> list[Step]:
        """Return each step that the bytes of users of *inbound* can take, without repeats."""
        waiting = list(self._routed(inbound))
        seen: dict[tuple[str, str], Step] = {}
        while waiting:
            step = waiting.pop(0)
            if (step.outbound, step.entry) not in seen:
                seen[step.outbound, step.entry] = step
                waiting += self._routed(step.entry) if step.entry else self._handed_on(step)
        return list(seen.values())

    def _routed(self, inbound: str) -> Iterator[Step]:
        """Yield the targets of the rules for *inbound*, up to a rule that takes all its traffic."""
        for route in self.config.rules:
            if not route.inbounds or inbound in route.inbounds:
                yield from self._targets(route)
                if set(route.conditions) <= {"inboundTag"}:
                    return
        if first := self.config.outbounds[:1]:
            yield Step(first[0].tag, first[0].path)
        else:  # the default is then an outbound that the core adds, for the API or the metrics
            yield from (Step(tag, ("outbounds",)) for tag in sorted(self.config.inner_tags))

    def _targets(self, route: RouteView) -> Iterator[Step]:
        if route.outbound:
            yield Step(route.outbound, (*route.path, "outboundTag"))
        elif name := route.data.get("balancerTag"):
            for at, entry in enumerate(self.config.part("routing").get("balancers", [])):
                if entry.get("tag", "") == name:
                    yield from self._balanced(entry, ("routing", "balancers", at))

    def _balanced(self, balancer: dict[str, object], path: Path) -> Iterator[Step]:
        """Yield the outbounds of *balancer*; each selector is the beginning of their tags."""
        selectors = balancer.get("selector", [])
        known = {way.tag for way in self.config.outbounds} | self.config.inner_tags
        for selector in selectors if isinstance(selectors, list) else ():
            begins = sorted(tag for tag in known if tag and tag.startswith(selector))
            yield from (Step(tag, (*path, "selector")) for tag in begins)
        if fallback := balancer.get("fallbackTag"):
            yield Step(str(fallback), (*path, "fallbackTag"))

    def _handed_on(self, step: Step) -> Iterator[Step]:
        for way in self._ways(step):
            if way.protocol == "loopback":
                path = (*way.path, "settings", "inboundTag")
                yield Step(way.tag, path, str(way.settings.get("inboundTag", "")))
            # Other protocols send encrypted bytes through dialerProxy, not the user's own.
            if way.protocol == "direct":
                yield from (Step(name, path) for path, name in dialer_proxies(way))

    def _ways(self, step: Step) -> list[Way]:
        """Return the outbounds of the config that *step* means.

        None if the core itself has an outbound of that tag, such as the API: it replaces the
        config's.
        """
        if step.outbound in self.config.inner_tags:
            return []
        if not step.outbound:
            return [way for way in self.config.outbounds[:1] if not way.tag]
        return [way for way in self.config.outbounds if way.tag == step.outbound]


def dialer_proxies(way: Way) -> Iterator[tuple[Path, str]]:
    """Yield the place and the tag of each outbound that *way* dials through."""
    path, sockopt = way.stream.settings("sockopt")
    if name := sockopt.get("dialerProxy"):
        yield (*path, "dialerProxy"), name
    if name := way.data.get("proxySettings", {}).get("tag"):
        yield (*way.path, "proxySettings", "tag"), name
