"""3xx and 4xx: outbounds fit together, and so do inbounds behind other inbounds."""

from collections.abc import Iterator
from typing import Any

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.onward import dialer_proxies
from ops.config.lint.positions import Path
from ops.config.lint.rules.statistics import VISION
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import InboundView, address_and_port, is_loopback


@rule(
    "XO313",
    "dialer-proxy-to-nowhere",
    ERROR,
    "An outbound dials through an outbound that does not exist, or through itself.",
    why="The core starts, but no connection of that outbound succeeds.",
    remedy="write the tag of another outbound in dialerProxy, or remove dialerProxy",
)
def dialer_proxy_to_nowhere(config: Config) -> Iterator[Hit]:
    """The core starts with it (run on 26.10.10), also with a circle of several outbounds."""
    tags = {way.tag: way for way in config.outbounds}
    for way in config.outbounds:
        for path, name in dialer_proxies(way):
            if name not in tags and name not in config.inner_tags:
                listed = ", ".join(sorted(tag for tag in tags if tag)[:8])
                remedy = f"existing tags: {listed}"
                yield Hit(path, f"there is no outbound {name!r}", remedy=remedy)
            elif _comes_back(tags, way.tag, name):
                yield Hit(path, f"{way.called} dials through itself")


def _comes_back(tags: dict[str, Any], start: str, name: str) -> bool:
    """Return whether the chain of dialerProxy from *name* leads to *start*."""
    seen: set[str] = set()
    while name in tags and name not in seen and name != start:
        seen.add(name)
        name = next((further for _, further in dialer_proxies(tags[name])), "")
    return bool(name) and name == start


@rule(
    "XO314",
    "first-outbound-blocks",
    WARNING,
    "The first outbound is a blackhole, so traffic that no rule matches is dropped.",
    why="The first outbound is the default. Users connect, but reach only the targets of rules.",
    remedy="move the outbound that lets traffic out to the top",
)
def first_outbound_blocks(config: Config) -> Iterator[Hit]:
    """If every outbound blocks, XO310 reports it."""
    first = config.outbounds[:1]
    others = any(way.protocol != "block" for way in config.outbounds)
    if config.inbounds and first and first[0].protocol == "block" and others:
        yield Hit(first[0].path, f"{first[0].called} is the default, and drops all traffic")


@rule(
    "XO406",
    "proxy-protocol-on-one-side",
    ERROR,
    "A fallback and the inbound behind it do not agree on the PROXY protocol.",
    why="The inbound reads the header as the client's first bytes, or waits for a header that "
    "never comes. No connection through that fallback works.",
    remedy='write "xver": 1 in the fallback and "acceptProxyProtocol": true in the sockopt of the '
    "inbound behind it, or neither",
)
def proxy_protocol_on_one_side(config: Config) -> Iterator[Hit]:
    """Both cases were run on 26.10.10."""
    for path, dest, xver in _handed_on(config):
        for inbound in config.inbounds:
            if _is_at(inbound, dest) and bool(xver) != _accepts(inbound):
                sends = f"xver {xver}" if xver else "no PROXY header"
                accepts = "accepts one" if _accepts(inbound) else "accepts none"
                yield Hit(path, f"this sends {sends} to {inbound.called}, which {accepts}")


def _handed_on(config: Config) -> Iterator[tuple[Path, str, int]]:
    """Yield each forward to another listener: place, target, version of the PROXY header."""
    for inbound in config.inbounds:
        for at, entry in enumerate(inbound.settings.get("fallbacks", [])):
            if dest := entry.get("dest"):
                path = (*inbound.path, "settings", "fallbacks", at)
                yield path, str(dest), int(entry.get("xver", 0))
        path, reality = inbound.stream.settings("realitySettings")
        dest = reality.get("target", reality.get("dest"))
        if inbound.stream.security == "reality" and dest:
            yield path, str(dest), int(reality.get("xver", 0))


def _is_at(inbound: InboundView, dest: str) -> bool:
    address, port = address_and_port(dest)
    if not port:
        return address == inbound.listen.partition(",")[0] != ""
    here = not address or is_loopback(address)
    return here and any(low <= port <= high for low, high in inbound.ports)


def _accepts(inbound: InboundView) -> bool:
    names = ("sockopt", "rawSettings", "tcpSettings", "wsSettings", "httpupgradeSettings")
    return any(
        inbound.stream.settings(name)[1].get("acceptProxyProtocol") is True for name in names
    )


@rule(
    "XO407",
    "vision-with-mux",
    ERROR,
    "An outbound uses Vision and mux together.",
    why="The server closes every TCP connection with mux and that flow.",
    remedy='remove mux, or write "concurrency": -1 in it to use it for UDP only',
)
def vision_with_mux(config: Config) -> Iterator[Hit]:
    """`xtls-rprx-vision` carries one connection only (proxy/vless/inbound)."""
    for way in config.outbounds:
        mux = way.data.get("mux", {})
        if mux.get("enabled") and mux.get("concurrency", 8) >= 0 and _has_vision(way.settings):
            yield Hit((*way.path, "mux"), f"{way.called} uses Vision and mux")


def _has_vision(settings: dict[str, Any]) -> bool:
    users = [user for server in settings.get("vnext", []) for user in server.get("users", [])]
    return any(str(one.get("flow", "")).startswith(VISION) for one in (settings, *users))


@rule(
    "XO408",
    "port-of-sshd",
    ERROR,
    "An inbound listens on the port of sshd.",
    why="sshd uses that port, so the core fails to start. After a reboot, sshd may fail to start "
    "instead, and nobody can log in.",
    remedy="give the inbound another port",
)
def port_of_sshd(config: Config) -> Iterator[Hit]:
    """For config files outside a fleet, port 22 is an assumption."""
    for inbound in config.inbounds:
        if any(low <= config.around.ssh_port <= high for low, high in inbound.ports):
            message = f"{inbound.called} listens on port {config.around.ssh_port}, which is sshd's"
            yield Hit((*inbound.path, "port"), message, None if config.around.ours else WARNING)
