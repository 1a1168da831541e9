"""1xx: neither users nor strangers can reach the API or the metrics through an inbound."""

from collections.abc import Iterator
from typing import NamedTuple

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.onward import Onward
from ops.config.lint.positions import Path
from ops.config.lint.routes import RouteView
from ops.config.lint.severity import ERROR, WARNING, Severity
from ops.config.lint.views import InboundView, address_and_port, is_loopback


@rule(
    "XO116",
    "api-open-to-users",
    ERROR,
    "Traffic of users can be routed to the API.",
    why="A user can then connect to the API, which has no password. The user can add users, read "
    "every UUID and stop the core.",
    remedy='lead only one rule to the API, with only the API\'s own inbound in "inboundTag"; or '
    "use api.listen",
)
def api_open_to_users(config: Config) -> Iterator[Hit]:
    """All ways were run on 26.10.10: rule, balancer, default, dialerProxy, loopback."""
    open_steps: dict[tuple[Path, str], str] = {}
    for called, tag in _entrances(config):
        for step in Onward(config).steps(tag):
            if step.outbound in config.inner_tags and not step.entry:
                open_steps.setdefault((step.path, step.outbound), called)
    for (path, tag), called in open_steps.items():
        is_api = tag == config.api_tag
        target = f"the API ({tag!r})" if is_api else f"the metrics ({tag!r})"
        yield Hit(path, f"this sends traffic of {called} to {target}", None if is_api else WARNING)


def _entrances(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each source of other people's traffic: its name, and its tag in rules."""
    routed = {tag for route in config.rules for tag in route.inbounds if _to_api(config, route)}
    for inbound in config.inbounds:
        is_api = inbound.protocol == "tunnel" and inbound.tag in routed
        if inbound.is_proxy or not (inbound.is_local or is_api):
            yield inbound.called, inbound.tag
    for way in config.outbounds:
        if tag := way.settings.get("reverse", {}).get("tag"):
            yield f"the reverse outbound {tag!r}", tag
    for bridge in config.part("reverse").get("bridges", []):
        yield f"the bridge {bridge.get('tag', '')!r}", bridge.get("tag", "")


def _to_api(config: Config, route: RouteView) -> bool:
    return bool(route.outbound) and route.outbound in config.inner_tags


class _Door(NamedTuple):
    """A listening address of the API or the metrics."""

    called: str
    address: str
    port: int
    severity: Severity


@rule(
    "XO117",
    "api-behind-a-door",
    ERROR,
    "A fallback, REALITY target, tunnel or redirect leads to the API.",
    why="A fallback, a REALITY target and a tunnel forward the traffic of people without a key. A "
    "redirect forwards the traffic of users. All of them can then use the API, which has no "
    "password.",
    remedy="write the address of the intended web server, with another port or socket than the "
    "API's",
)
def api_behind_a_door(config: Config) -> Iterator[Hit]:
    """All were run on 26.10.10."""
    doors = list(_doors(config))
    for path, target in _targets(config):
        for door in doors:
            if _is(door, target):
                yield Hit(path, f"{target} is the address of {door.called}", door.severity)


def _doors(config: Config) -> Iterator[_Door]:
    for part, called, severity in (("api", "the API", ERROR), ("metrics", "the metrics", WARNING)):
        listen = config.part(part).get("listen", "")
        if listen:
            address, port = address_and_port(listen)
            yield _Door(called, address, port, severity)
    for inbound in config.api_inbounds:
        for low, _ in inbound.ports:
            yield _Door("the API's inbound", inbound.listen, low, ERROR)


def _is(door: _Door, target: str) -> bool:
    address, port = address_and_port(target)
    if not port:
        return bool(address) and address == door.address
    here = not address or is_loopback(address) or address in (door.address, "0.0.0.0", "::")  # noqa: S104
    return here and port == door.port


def _targets(config: Config) -> Iterator[tuple[Path, str]]:
    """Yield the place and the target of each forward of unchanged connections."""
    for inbound in config.inbounds:
        yield from _behind(inbound)
    for way in config.outbounds:
        if way.protocol == "direct" and way.settings.get("redirect"):
            yield (*way.path, "settings", "redirect"), str(way.settings["redirect"])


def _behind(inbound: InboundView) -> Iterator[tuple[Path, str]]:
    settings = (*inbound.path, "settings")
    for at, fallback in enumerate(inbound.settings.get("fallbacks", [])):
        if dest := fallback.get("dest"):
            yield (*settings, "fallbacks", at, "dest"), str(dest)
    path, reality = inbound.stream.settings("realitySettings")
    for name in ("target", "dest"):
        if inbound.stream.security == "reality" and reality.get(name):
            yield (*path, name), str(reality[name])
    if inbound.protocol == "tunnel" and not inbound.is_local:
        for names in (("rewriteAddress", "rewritePort"), ("address", "port")):
            address, port = (inbound.settings.get(name) for name in names)
            if address and port:
                yield (*settings, names[1]), f"{address}:{port}"
        for name, target in inbound.settings.get("portMap", {}).items():
            yield (*settings, "portMap", name), str(target)
