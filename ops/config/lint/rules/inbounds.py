"""4xx: the parts of an inbound fit together, and so do the inbounds."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.rules.statistics import VISION
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import InboundView, Way, texts

_SETTINGS = {
    "raw": ("rawSettings", "tcpSettings"),
    "xhttp": ("xhttpSettings", "splithttpSettings"),
    "kcp": ("kcpSettings",),
    "grpc": ("grpcSettings",),
    "ws": ("wsSettings",),
    "httpupgrade": ("httpupgradeSettings",),
    "hysteria": ("hysteriaSettings",),
}
_SECURITIES = {"tls": "tlsSettings", "reality": "realitySettings"}
_MANY = 1000
"""Number of inbounds that are compared with each other."""
_EVERY = {"", "::", "[::]", "0.0.0.0"}  # noqa: S104  found in configs, not used to listen


@rule(
    "XO401",
    "one-port-two-inbounds",
    ERROR,
    "Two inbounds listen on the same port.",
    why="Both share the port: about every second connection reaches the wrong inbound.",
    remedy="give one of them another port",
)
def one_port_two_inbounds(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, shared ports."""
    listening = [(inbound, _carried(inbound)) for inbound in config.inbounds[:_MANY]]
    for at, (inbound, carried) in enumerate(listening):
        for other, theirs in listening[:at]:
            if not (carried & theirs and _same_door(inbound, other)):
                continue
            if port := _shared_port(inbound, other):
                message = f"{inbound.called} and {other.called} both listen on port {port}"
                yield Hit((*inbound.path, "port"), message)


def _same_door(one: InboundView, other: InboundView) -> bool:
    here = {one.listen, other.listen}
    return len(here) == 1 or bool(here & _EVERY)


def _carried(inbound: InboundView) -> set[str]:
    """Return the networks that it listens on: tcp, udp or both."""
    if inbound.protocol in ("wireguard", "hysteria") or inbound.stream.network in (
        "kcp",
        "hysteria",
    ):
        return {"udp"}
    if inbound.protocol == "tun":
        return set()
    networks = inbound.settings.get("allowedNetwork", inbound.settings.get("network"))
    allowed = {name.lower() for name in texts(networks)} & {"tcp", "udp"}
    alpn = texts(inbound.stream.settings("tlsSettings")[1].get("alpn"))
    if inbound.stream.network == "xhttp" and alpn == ("h3",):
        return {"udp"}
    return allowed or {"tcp"}


def _shared_port(one: InboundView, other: InboundView) -> int:
    for low, high in one.ports:
        for their_low, their_high in other.ports:
            if low <= their_high and their_low <= high:
                return max(low, their_low)
    return 0


@rule(
    "XO402",
    "vision-misplaced",
    ERROR,
    "Vision is used where it does not work.",
    why="The core starts, but refuses every connection of users with that flow.",
    remedy="use raw with TLS or REALITY, or remove the flow",
)
def vision_misplaced(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, Vision."""
    for inbound in config.inbounds:
        users = [user for user in inbound.users if user.flow.startswith(VISION)]
        if users and inbound.protocol == "vless" and not _carries_vision(inbound):
            carried = f"{inbound.stream.network} with {inbound.stream.security}"
            yield Hit(
                (*users[0].path, "flow"),
                f"{inbound.called}: Vision works on raw with TLS or REALITY, not on {carried}",
            )


def _carries_vision(inbound: InboundView) -> bool:
    if inbound.settings.get("decryption", "none") not in ("", "none"):
        return True
    # Behind a fallback, another inbound has the TLS, but that inbound has the flow too.
    return inbound.stream.network == "raw" and inbound.stream.security in ("tls", "reality")


@rule(
    "XO403",
    "readable-on-the-way",
    WARNING,
    "A public inbound has VLESS or Trojan without encryption.",
    why="Everybody on the path can read the user's UUID or password, and all traffic.",
    remedy="use TLS or REALITY, or listen on 127.0.0.1 behind a server with TLS",
)
def readable_on_the_way(config: Config) -> Iterator[Hit]:
    """Neither protocol has encryption of its own, except VLESS with `decryption`."""
    for inbound in config.inbounds:
        if inbound.protocol not in ("vless", "trojan") or inbound.is_local or not inbound.ports:
            continue
        encrypted = inbound.settings.get("decryption", "none") not in ("", "none")
        if (
            inbound.stream.security == "none"
            and not encrypted
            and not inbound.stream.data.get("finalmask")
        ):
            yield Hit(
                inbound.path, f"{inbound.called} is {inbound.protocol} without TLS or REALITY"
            )


@rule(
    "XO404",
    "settings-of-another-transport",
    WARNING,
    "An inbound or outbound has settings for a transport or security that it does not use.",
    why="The core ignores them: a path, a host or a certificate in them has no effect.",
    remedy='write the "network" or "security" of these settings, or remove them',
)
def settings_of_another_transport(config: Config) -> Iterator[Hit]:
    """The core reads only the settings of the chosen transport and security."""
    for way in (*config.inbounds, *config.outbounds):
        for name in _idle(way):
            carried = f"{way.stream.network} with {way.stream.security}"
            message = f"{way.called} is {carried}: {name} has no effect"
            yield Hit((*way.stream.path, name), message)


def _idle(way: Way) -> list[str]:
    used = {*_SETTINGS.get(way.stream.network, ()), _SECURITIES.get(way.stream.security, "")}
    every = {name for names in _SETTINGS.values() for name in names} | {*_SECURITIES.values()}
    known = way.stream.network in _SETTINGS
    return [
        name for name in way.stream.data if known and name in every - used and way.stream.data[name]
    ]


@rule(
    "XO405",
    "users-under-two-names",
    WARNING,
    "An inbound has users in `clients` and in `users`.",
    why="The core uses `clients` and ignores `users`: the people in `users` cannot connect.",
    remedy="move all users into one list",
)
def users_under_two_names(config: Config) -> Iterator[Hit]:
    """`clients` replaces `users` if both are present (infra/conf/vless.go)."""
    for inbound in config.inbounds:
        settings = inbound.settings
        for old in ("clients", "accounts"):
            if old in settings and settings.get("users"):
                lost = len(settings["users"])
                message = f"{inbound.called}: the core ignores {lost} in `users`, and uses `{old}`"
                yield Hit((*inbound.path, "settings", "users"), message, ERROR if lost else None)
