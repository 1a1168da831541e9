"""3xx: users of the proxy cannot reach private addresses or the server itself."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.reach import ADDRESS, FINAL_RULES, NAME, SNIFFED, Reach, final_rules
from ops.config.lint.routes import PROBES, Network, network_of
from ops.config.lint.severity import ERROR, NOTE, WARNING, Severity
from ops.config.lint.views import SERVERS, InboundView
from ops.model.phrases import listed

_BLOCK = (
    'write "domainStrategy": "IPOnDemand". As the first rule after the API\'s, lead the private '
    "networks to a blackhole outbound. List the networks, because geoip:private needs a data file"
)
_PRIVATE = tuple(network for network in map(network_of, PROBES) if network)


def _graded(config: Config) -> Severity:
    """Return ERROR if users could reach the API on a port of the server, else WARNING."""
    at_stake = config.part("api").get("listen", "/").startswith(("/", "@")) is False
    routed = any(route.outbound == config.api_tag != "" for route in config.rules)
    return ERROR if config.around.ours or at_stake or routed else WARNING


def _open(config: Config, inbound: InboundView, way: str) -> list[Network]:
    reach = Reach(config, inbound)
    return [network for network in _PRIVATE if way in reach.ways(network, private=True)]


@rule(
    "XO301",
    "private-addresses-open",
    WARNING,
    "Users can reach private addresses, and the server itself, by address.",
    why="Every key can then reach all services on 127.0.0.1 and on private networks of the server. "
    "Examples are the core's own API, and the metadata of a cloud with its passwords.",
    remedy=_BLOCK,
)
def private_addresses_open(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, private networks."""
    for inbound in config.proxies:
        if found := _open(config, inbound, ADDRESS):
            path, rules = final_rules(config)
            guarded = config.version < FINAL_RULES or not rules
            networks = listed([str(network) for network in found], most=3)
            message = f"users of {inbound.called} reach {networks}"
            yield Hit(("routing", "rules") if guarded else path, message, _graded(config))
            return


@rule(
    "XO302",
    "private-names-open",
    WARNING,
    "Users can reach private addresses by a name that resolves to them.",
    why="With domainStrategy AsIs, routing does not resolve names. `localhost`, or another name of "
    "127.0.0.1, passes the rule that blocks the address.",
    remedy='write "domainStrategy": "IPOnDemand" in routing',
)
def private_names_open(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, private networks."""
    for inbound in config.proxies:
        if _open(config, inbound, NAME) and not _open(config, inbound, ADDRESS):
            message = f"users of {inbound.called} reach private addresses by names"
            yield Hit(("routing", "domainStrategy"), message, _graded(config))
            return


@rule(
    "XO303",
    "rebinding-window",
    NOTE,
    "A name can resolve to another address after routing has checked it.",
    why="Before 26.5.3 the outbound resolves a name again after routing. A name that changes in "
    "the meantime (DNS rebinding) passes the rule on private addresses.",
    remedy="pin core 26.5.3 or newer: its outbound checks the address that it dials",
    before=FINAL_RULES,
)
def rebinding_window(config: Config) -> Iterator[Hit]:
    """The finalRules check the dialled address (docs/xray.md, private networks)."""
    for inbound in config.proxies:
        if Reach(config, inbound).guards and Reach(config, inbound).exits:
            message = "DNS rebinding can pass the rule on private addresses"
            yield Hit(("routing",), message)
            return


@rule(
    "XO304",
    "sniffing-passes-guard",
    WARNING,
    "Routing checks a sniffed name instead of the dialled address.",
    why="With routeOnly, a user who dials 127.0.0.1 and sends `Host: example.com` is routed as "
    "example.com, but connected to 127.0.0.1.",
    remedy="pin core 26.5.3 or newer and write finalRules, or leave destOverride empty",
)
def sniffing_passes_guard(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, sniffing."""
    for inbound in config.proxies:
        if _open(config, inbound, SNIFFED):
            message = f"users of {inbound.called} pass the rule on private addresses by sniffing"
            yield Hit((*inbound.path, "sniffing"), message, _graded(config))


@rule(
    "XO305",
    "own-addresses-open",
    WARNING,
    "Users can reach the server's own public address.",
    why="Services that listen on every address, such as sshd, see a connection from the server "
    "itself. A firewall lets such connections pass.",
    remedy="add the server's addresses to the rule that blocks private ones, and to finalRules",
)
def own_addresses_open(config: Config) -> Iterator[Hit]:
    """The core's own list does not contain them (docs/xray.md, private networks)."""
    own = [found for text in config.around.addresses if (found := network_of(text))]
    for inbound in config.proxies:
        reach = Reach(config, inbound)
        open_ = [address for address in own if reach.ways(address, private=False)]
        if open_:
            yield Hit(
                ("routing", "rules"),
                f"users of {inbound.called} reach {listed([*map(str, open_)], most=3)}",
            )
            return


@rule(
    "XO312",
    "way-out-blocks-all",
    ERROR,
    "A final rule blocks everything.",
    why="A rule without `ip`, `port` and `network` matches all traffic, so no traffic leaves by "
    "this outbound.",
    remedy='write "ip" in the rule, or "action": "allow"',
    since=FINAL_RULES,
)
def way_out_blocks_all(config: Config) -> Iterator[Hit]:
    """The first matching rule wins (proxy/freedom/freedom.go, matchFinalRule)."""
    for way in config.outbounds:
        rules = way.settings.get("finalRules", []) if way.protocol == "direct" else []
        for at, final in enumerate(rules):
            about = {name for name in ("ip", "port", "network") if final.get(name)}
            if not about and str(final.get("action", "")).lower() == "block":
                path = (*way.path, "settings", "finalRules", at)
                yield Hit(path, f"{way.called} lets no traffic out")
            if not about:
                break


@rule(
    "XO311",
    "open-proxy",
    ERROR,
    "A SOCKS or HTTP proxy is open to everybody.",
    why="Strangers find it within hours, and their traffic leaves from this server's address. On a "
    "private address, and on a client of another server, this finding is a warning.",
    remedy='listen on 127.0.0.1, or write "auth": "password" and accounts',
)
def open_proxy(config: Config) -> Iterator[Hit]:
    """Without accounts, neither requires a password (infra/conf/socks.go, http.go)."""
    for inbound in config.inbounds:
        if inbound.protocol in ("mixed", "http") and not inbound.is_local and inbound.ports:
            closed = bool(inbound.users) and (
                inbound.protocol == "http" or inbound.settings.get("auth") == "password"
            )
            if not closed:
                where = inbound.listen or "every address"
                # On a client, such a proxy is usually for the people at home.
                home = _is_private(inbound.listen) or _is_client(config)
                graded = WARNING if home else None
                yield Hit(inbound.path, f"{inbound.called} is open on {where}", graded)


def _is_client(config: Config) -> bool:
    """Return whether the default outbound leads to another server."""
    return bool(config.outbounds) and config.outbounds[0].protocol in SERVERS


def _is_private(listen: str) -> bool:
    network = network_of(listen)
    return bool(network and network.is_private and not network.network_address.is_unspecified)
