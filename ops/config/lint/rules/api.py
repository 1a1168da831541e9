"""1xx: is the API reachable, by whom it should be and by nobody else."""

import difflib
import json
from collections.abc import Iterator
from ipaddress import ip_network

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.routes import Route, within
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import Inbound, is_loopback

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
"""Conditions that a call of the API can meet, as far as a config tells."""


@rule(
    "XO101",
    "api-without-route",
    ERROR,
    "An inbound for the API has no rule that leads from it to the API.",
    why="The core then dials its own API port over and over: one question opens some 20,000 "
    "connections to itself, is never answered, and every figure stays 0.",
    remedy='write the rule {"type": "field", "inboundTag": ["TAG"], "outboundTag": "API TAG"} '
    "first, or use api.listen instead of the inbound",
)
def api_without_route(config: Config) -> Iterator[Hit]:
    """Facts, 3: run on 26.10.10: deadline exceeded, 20,000 descriptors in 5 s."""
    api = config.part("api")
    if not api or api.get("listen"):
        return
    for inbound in _for_the_api(config):
        routes = _rules_to_api(config, inbound)
        if not any(_could_take(route, inbound) for route in routes):
            lacks = f"has no routing rule to {config.api_tag!r}"
            if routes:
                lacks = f"is never matched by the rule to {config.api_tag!r}, which asks for more"
            loops = "the core would call itself in a loop, and every figure stays 0"
            message = f"{inbound.called} {lacks}: {loops}"
            route = {
                "type": "field",
                "inboundTag": [inbound.tag or "api-in"],
                "outboundTag": config.api_tag,
            }
            remedy = f"write {json.dumps(route)} as the first of routing.rules"
            yield Hit(routes[0].path if routes else inbound.path, message, remedy=remedy)


def _for_the_api(config: Config) -> list[Inbound]:
    """Return the tunnels to this machine that name no port of it, or are called like the API."""
    return [
        inbound
        for inbound in config.inbounds
        if inbound.protocol == "tunnel"
        and (inbound.tag == config.api_tag or _leads_to_itself(inbound))
    ]


def _leads_to_itself(inbound: Inbound) -> bool:
    said = inbound.settings
    target = str(said.get("rewriteAddress", said.get("address", "")))
    port = said.get("rewritePort", said.get("port", 0))
    return is_loopback(target) and not said.get("followRedirect") and port in (0, *_ports(inbound))


def _ports(inbound: Inbound) -> list[int]:
    return [low for low, _ in inbound.ports]


def _rules_to_api(config: Config, inbound: Inbound) -> list[Route]:
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
    why="The core passes over it without a word; what it was to offer is not there.",
    remedy=f"one of {', '.join(SERVICES)}",
)
def unknown_service(config: Config) -> Iterator[Hit]:
    """Only these names are compared, in any case (infra/conf/api.go)."""
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
    "`api.listen` is set, and a rule still leads an inbound to the API.",
    why="With `listen` there is no outbound of the API's name: what the rule sends there is reset.",
    remedy="take out the inbound and its rule, or api.listen",
)
def api_listens_and_is_routed(config: Config) -> Iterator[Hit]:
    """Facts, 3: (a) and (b) together answer UNAVAILABLE."""
    tags = {outbound.tag for outbound in config.outbounds}
    if not config.part("api").get("listen") or config.api_tag in tags:
        return
    for route in config.rules:
        if route.outbound == config.api_tag:
            yield Hit(route.path, f"this leads to {config.api_tag!r}, which api.listen takes away")


@rule(
    "XO108",
    "api-is-public",
    ERROR,
    "The API can be reached from other machines.",
    why="It has no password and no encryption: whoever connects can add users, read every UUID and "
    "crash the core.",
    remedy='let it listen on a unix socket ("/run/xray/api.sock,0600"; core 26.5.3) or 127.0.0.1',
)
def api_is_public(config: Config) -> Iterator[Hit]:
    """No authentication on any way to it (facts, 3)."""
    listen = config.part("api").get("listen", "")
    if listen and not is_loopback(listen):
        yield Hit(("api", "listen"), f"the API listens on {listen!r}, for everybody")
    if not listen:
        for inbound in _routed(config):
            if not inbound.is_local:
                where = inbound.listen or "every address"
                yield Hit(inbound.path, f"{inbound.called} offers the API on {where}")


def _routed(config: Config) -> list[Inbound]:
    """Return the tunnels whose traffic a rule sends to the API."""
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
    "A rule before the API's takes the API's own traffic.",
    why="The first rule that matches wins: the call is blocked or sent out, and no figure is read.",
    remedy="put the API's rule first",
)
def api_route_too_late(config: Config) -> Iterator[Hit]:
    """The API inbound's destination is 127.0.0.1, which guards of private addresses block."""
    for inbound in _routed(config):
        for route in config.rules:
            to_api = route.outbound == config.api_tag and inbound.tag in route.inbounds
            if to_api and _could_take(route, inbound):
                break
            if _takes(route, inbound) and route.outbound != config.api_tag:
                message = f"this rule takes what {inbound.called} sends to the API"
                yield Hit(route.path, message)
                break


def _takes(route: Route, inbound: Inbound) -> bool:
    """Return whether *route* surely matches a call of the API by *inbound*."""
    fits = _fits(route, inbound)
    return all(fits.get(name, False) for name in route.conditions)


def _could_take(route: Route, inbound: Inbound) -> bool:
    """Return whether *route* can match a call of the API: what only the server knows may fit."""
    fits = dict.fromkeys(_OF_THE_SERVER, True) | _fits(route, inbound)
    return all(fits.get(name, False) for name in route.conditions)


def _fits(route: Route, inbound: Inbound) -> dict[str, bool]:
    """Return which conditions match a call of the API: TCP, by *inbound*, to 127.0.0.1."""
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
    "The pinned core cannot listen there.",
    why="Before 1.8.12 `api.listen` is ignored, and before 26.5.3 it knows TCP only: the core does "
    "not start, or has no API.",
    remedy="pin a newer core, or use an inbound for the API",
    before=(26, 5, 3),
)
def api_listen_too_new(config: Config) -> Iterator[Hit]:
    """Facts, 3: the table of ways."""
    listen = config.part("api").get("listen", "")
    needs = (26, 5, 3) if listen.startswith(("/", "@")) else (1, 8, 12)
    if listen and config.version < needs:
        wanted = ".".join(map(str, needs))
        yield Hit(
            ("api", "listen"), f"core {_of(config)} cannot listen on {listen!r}; {wanted} can"
        )


def _of(config: Config) -> str:
    return ".".join(map(str, config.version))


@rule(
    "XO114",
    "api-unreachable",
    WARNING,
    "There is an API, but no way to it.",
    why="Without `listen`, and without an inbound and a rule, nobody can ask it.",
    remedy='write "listen" in api',
)
def api_unreachable(config: Config) -> Iterator[Hit]:
    """`api` by itself only makes an outbound of its name."""
    api = config.part("api")
    if api and not api.get("listen") and not _routed(config) and not _for_the_api(config):
        yield Hit(("api",), "no `listen`, and no rule leads to it")


@rule(
    "XO115",
    "metrics-are-public",
    WARNING,
    "The metrics page can be reached from other machines.",
    why="It shows every user's name and traffic, and lets strangers profile the core.",
    remedy="let it listen on 127.0.0.1",
)
def metrics_are_public(config: Config) -> Iterator[Hit]:
    """/debug/vars and /debug/pprof, without a password (app/metrics/metrics.go)."""
    listen = config.part("metrics").get("listen", "")
    if listen and not is_loopback(listen):
        yield Hit(("metrics", "listen"), f"the metrics listen on {listen!r}, for everybody")
