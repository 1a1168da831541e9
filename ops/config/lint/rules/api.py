"""1xx: the API can be reached from its own server, and from no other machine."""

import difflib
import json
from collections.abc import Iterator
from ipaddress import ip_network

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.routes import RouteView, within
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import InboundView, is_loopback

SERVICES = (
    "StatsService",
    "HandlerService",
    "LoggerService",
    "RoutingService",
    "ReflectionService",
    "ObservatoryService",
)
_LOCAL = ip_network("127.0.0.1/32")
_OF_THE_SERVER = ("sourceIP", "sourcePort", "localIP", "localPort", "process", "localOS")
"""Conditions that only the server can decide: a call of the API may fulfil them."""


@rule(
    "XO101",
    "api-without-route",
    ERROR,
    "No routing rule leads from the inbound for the API to the API.",
    why="The core then dials its own API port in an endless loop. One query opens about 20,000 "
    "connections and gets no answer, and every figure stays 0.",
    remedy='write {"type": "field", "inboundTag": ["TAG"], "outboundTag": "API TAG"} as the first '
    "rule, or use api.listen instead of the inbound",
)
def api_without_route(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, ways to the API."""
    api = config.part("api")
    if not api or api.get("listen"):
        return
    for inbound in _for_the_api(config):
        routes = _rules_to_api(config, inbound)
        if not any(_could_take(route, inbound) for route in routes):
            lacks = f"has no routing rule to {config.api_tag!r}"
            if routes:
                lacks = f"never matches the rule to {config.api_tag!r}, which has other conditions"
            loops = "the core would call itself in an endless loop, and every figure stays 0"
            message = f"{inbound.called} {lacks}: {loops}"
            route = {
                "type": "field",
                "inboundTag": [inbound.tag or "api-in"],
                "outboundTag": config.api_tag,
            }
            remedy = f"write {json.dumps(route)} as the first of routing.rules"
            yield Hit(routes[0].path if routes else inbound.path, message, remedy=remedy)


def _for_the_api(config: Config) -> list[InboundView]:
    """Return the tunnels that have the API's tag or lead to their own port."""
    return [
        inbound
        for inbound in config.inbounds
        if inbound.protocol == "tunnel"
        and (inbound.tag == config.api_tag or _leads_to_itself(inbound))
    ]


def _leads_to_itself(inbound: InboundView) -> bool:
    settings = inbound.settings
    target = str(settings.get("rewriteAddress", settings.get("address", "")))
    port = settings.get("rewritePort", settings.get("port", 0))
    own_port = port in (0, *_ports(inbound))
    return is_loopback(target) and not settings.get("followRedirect") and own_port


def _ports(inbound: InboundView) -> list[int]:
    return [low for low, _ in inbound.ports]


def _rules_to_api(config: Config, inbound: InboundView) -> list[RouteView]:
    return [
        route
        for route in config.rules
        if route.outbound == config.api_tag
        and (not route.inbounds or inbound.tag in route.inbounds)
    ]


@rule(
    "XO104",
    "unknown-service",
    WARNING,
    "The API names a service that the core does not have.",
    why="The core silently ignores the name, so the API does not offer this service.",
    remedy=f"write one of {', '.join(SERVICES)}",
)
def unknown_service(config: Config) -> Iterator[Hit]:
    """The core compares the names without case (infra/conf/api.go)."""
    for at, name in enumerate(config.part("api").get("services", [])):
        if name.lower() not in {service.lower() for service in SERVICES}:
            close = difflib.get_close_matches(name.lower(), [s.lower() for s in SERVICES], n=1)
            meant = next((s for s in SERVICES if close and s.lower() == close[0]), "")
            remedy = f"did you mean {meant!r}?" if meant else ""
            yield Hit(("api", "services", at), f"the core has no service {name!r}", remedy=remedy)


@rule(
    "XO107",
    "api-listens-and-is-routed",
    ERROR,
    "`api.listen` is set, and a rule also leads an inbound to the API.",
    why="With `listen`, the API has no outbound. The core resets every connection of that rule.",
    remedy="remove the inbound and its rule, or remove api.listen",
)
def api_listens_and_is_routed(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, ways to the API."""
    tags = {outbound.tag for outbound in config.outbounds}
    if not config.part("api").get("listen") or config.api_tag in tags:
        return
    for route in config.rules:
        if route.outbound == config.api_tag:
            message = f"this rule leads to {config.api_tag!r}, which api.listen removes"
            yield Hit(route.path, message)


@rule(
    "XO108",
    "api-is-public",
    ERROR,
    "The API can be reached from other machines.",
    why="The API has no password and no encryption. Anybody who connects can add users, read every "
    "UUID and crash the core.",
    remedy='let it listen on a unix socket ("/run/xray/api.sock,0600"; core 26.5.3) or 127.0.0.1',
)
def api_is_public(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, no password on the API."""
    listen = config.part("api").get("listen", "")
    if listen and not is_loopback(listen):
        yield Hit(("api", "listen"), f"the API listens on {listen!r}, which everybody can reach")
    if not listen:
        for inbound in _routed(config):
            if not inbound.is_local:
                where = inbound.listen or "every address"
                yield Hit(inbound.path, f"{inbound.called} offers the API on {where}")


def _routed(config: Config) -> list[InboundView]:
    """Return the tunnels that a rule leads to the API."""
    tags = {
        tag
        for route in config.rules
        if config.api_tag and route.outbound == config.api_tag
        for tag in route.inbounds
    }
    return [i for i in config.inbounds if i.tag in tags and i.protocol == "tunnel"]


@rule(
    "XO109",
    "api-route-too-late",
    ERROR,
    "An earlier rule takes the traffic of the API's inbound.",
    why="The first matching rule wins. The call to the API is blocked or sent elsewhere, so no "
    "figure can be read.",
    remedy="move the API's rule to the top",
)
def api_route_too_late(config: Config) -> Iterator[Hit]:
    """The target of the API's inbound is 127.0.0.1, which rules on private addresses block."""
    for inbound in _routed(config):
        for route in config.rules:
            to_api = route.outbound == config.api_tag and inbound.tag in route.inbounds
            if to_api and _could_take(route, inbound):
                break
            if _takes(route, inbound) and route.outbound != config.api_tag:
                message = f"this rule takes the API's traffic of {inbound.called}"
                yield Hit(route.path, message)
                break


def _takes(route: RouteView, inbound: InboundView) -> bool:
    """Return whether *route* certainly matches a call of the API through *inbound*."""
    fits = _fits(route, inbound)
    return all(fits.get(name, False) for name in route.conditions)


def _could_take(route: RouteView, inbound: InboundView) -> bool:
    """Return whether *route* can match a call of the API; conditions of the server may hold."""
    fits = dict.fromkeys(_OF_THE_SERVER, True) | _fits(route, inbound)
    return all(fits.get(name, False) for name in route.conditions)


def _fits(route: RouteView, inbound: InboundView) -> dict[str, bool]:
    """Return by condition whether a call of the API fulfils it: TCP by *inbound* to 127.0.0.1."""
    return {
        "inboundTag": inbound.tag in route.inbounds,
        "ip": any(within(_LOCAL, network) for network in route.networks),
        "network": "tcp" in route.conditions.get("network", ()),
        "port": any(map(route.has_port, _ports(inbound))),
    }


@rule(
    "XO113",
    "api-listen-too-new",
    ERROR,
    "This core is too old for the value of `api.listen`.",
    why="Cores before 1.8.12 ignore `api.listen`. Cores before 26.5.3 accept TCP addresses only. "
    "The core does not start, or has no API.",
    remedy="pin a newer core, or use an inbound for the API",
    before=(26, 5, 3),
)
def api_listen_too_new(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, ways to the API."""
    listen = config.part("api").get("listen", "")
    needs = (26, 5, 3) if listen.startswith(("/", "@")) else (1, 8, 12)
    if listen and config.version < needs:
        wanted = ".".join(map(str, needs))
        message = f"core {_of(config)} cannot listen on {listen!r}; core {wanted} can"
        yield Hit(("api", "listen"), message)


def _of(config: Config) -> str:
    return ".".join(map(str, config.version))


@rule(
    "XO114",
    "api-unreachable",
    WARNING,
    "The API exists, but cannot be reached.",
    why="Without `listen`, and without an inbound and a rule, no program can call the API.",
    remedy='write "listen" in api',
)
def api_unreachable(config: Config) -> Iterator[Hit]:
    """`api` without `listen` only adds an outbound (docs/xray.md, ways to the API)."""
    api = config.part("api")
    if api and not api.get("listen") and not _routed(config) and not _for_the_api(config):
        yield Hit(("api",), "the API has no `listen`, and no rule leads to it")


@rule(
    "XO115",
    "metrics-are-public",
    WARNING,
    "The metrics page can be reached from other machines.",
    why="The page shows the name and traffic of every user, and lets strangers profile the core.",
    remedy="let it listen on 127.0.0.1",
)
def metrics_are_public(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, metrics."""
    listen = config.part("metrics").get("listen", "")
    if listen and not is_loopback(listen):
        message = f"the metrics listen on {listen!r}, which everybody can reach"
        yield Hit(("metrics", "listen"), message)
