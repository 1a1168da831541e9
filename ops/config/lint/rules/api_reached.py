"""1xx: can those who come in as users, or as strangers, reach the API or the metrics."""

from collections.abc import Iterator
from typing import NamedTuple

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.onward import Onward
from ops.config.lint.positions import Path
from ops.config.lint.routes import Route
from ops.config.lint.severity import ERROR, WARNING, Severity
from ops.config.lint.views import Inbound, address_and_port, is_loopback


@rule(
    "XO116",
    "api-open-to-users",
    ERROR,
    "Traffic of users can be routed to the API.",
    why="A user who asks for any address then gets the API: it has no password, and whoever "
    "reaches it can add users, read every UUID and stop the core.",
    remedy='let one rule alone lead to the API, with "inboundTag" and nothing but the API\'s own '
    "inbound in it; or use api.listen",
)
def api_open_to_users(config: Config) -> Iterator[Hit]:
    """Each way was gone on 26.10.10: rule, balancer, default, dialerProxy, loopback."""
    found: dict[tuple[Path, str], str] = {}
    for called, tag in _entrances(config):
        for step in Onward(config).steps(tag):
            if step.outbound in config.inner_tags and not step.entry:
                found.setdefault((step.path, step.outbound), called)
    for (path, tag), called in found.items():
        is_api = tag == config.api_tag
        what = f"the API ({tag!r})" if is_api else f"the metrics ({tag!r})"
        yield Hit(path, f"this sends traffic of {called} to {what}", None if is_api else WARNING)


def _entrances(config: Config) -> Iterator[tuple[str, str]]:
    """Yield who brings in other people's traffic, and the tag that rules know it by."""
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


def _to_api(config: Config, route: Route) -> bool:
    return bool(route.outbound) and route.outbound in config.inner_tags


class _Door(NamedTuple):
    """Where the API or the metrics listen."""

    called: str
    address: str
    port: int
    severity: Severity


@rule(
    "XO117",
    "api-behind-a-door",
    ERROR,
    "What strangers send is handed to the port or socket of the API.",
    why="A fallback, a REALITY target and a tunnel hand on what is sent by people without a key, a "
    "redirect what users send: all of them then have the API, which has no password.",
    remedy="name the web server that is meant, on another port or socket than the API's",
)
def api_behind_a_door(config: Config) -> Iterator[Hit]:
    """Each was tried on 26.10.10."""
    doors = list(_doors(config))
    for path, said in _handed_to(config):
        for door in doors:
            if _is(door, said):
                yield Hit(path, f"{said} is where {door.called} listens", door.severity)


def _doors(config: Config) -> Iterator[_Door]:
    for part, called, severity in (("api", "the API", ERROR), ("metrics", "the metrics", WARNING)):
        listen = config.part(part).get("listen", "")
        if listen:
            address, port = address_and_port(listen)
            yield _Door(called, address, port, severity)
    for inbound in config.api_inbounds:
        for low, _ in inbound.ports:
            yield _Door("the API's inbound", inbound.listen, low, ERROR)


def _is(door: _Door, said: str) -> bool:
    address, port = address_and_port(said)
    if not port:
        return bool(address) and address == door.address
    here = not address or is_loopback(address) or address in (door.address, "0.0.0.0", "::")  # noqa: S104
    return here and port == door.port


def _handed_to(config: Config) -> Iterator[tuple[Path, str]]:
    """Yield each place that connections are handed to as they are, and what it says."""
    for inbound in config.inbounds:
        yield from _behind(inbound)
    for way in config.outbounds:
        if way.protocol == "direct" and way.settings.get("redirect"):
            yield (*way.path, "settings", "redirect"), str(way.settings["redirect"])


def _behind(inbound: Inbound) -> Iterator[tuple[Path, str]]:
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
