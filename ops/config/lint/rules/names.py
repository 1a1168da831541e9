"""7xx: names that the core ignores, and names that are too new or too old for a version."""

import difflib
from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.schema import NEWEST, fields_of, written
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import Way

_HARMLESS = {"type", "domainMatcher", "alterId"}
"""Removed fields with a harmless meaning: newer cores always behave so."""
_COMMENTS = ("_", "//", "#", "$")
"""Beginnings of fields that people use as comments."""
_INSTEAD = {
    "inboundDetour": "inbounds",
    "outboundDetour": "outbounds",
    "inbound": "inbounds",
    "outbound": "outbounds",
    "fallback": "fallbacks",
    "verifyPeerCertInNames": "verifyPeerCertByName",
    "pinnedPeerCertificateChainSha256": "pinnedPeerCertSha256",
    "sessionKey": "sessionIDKey",
    "sessionPlacement": "sessionIDPlacement",
    "udphop": "finalmask.quicParams",
    "udpmasks": "finalmask",
}


@rule(
    "XO701",
    "unknown-key",
    WARNING,
    "Xray has no field of this name.",
    why="The core silently ignores the field, so the setting has no effect.",
    remedy="correct the name with Xray's documentation",
)
def unknown_key(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, unknown fields."""
    for odd in config.odd:
        name = str(odd.path[-1])
        if odd.field or odd.wanted or name.startswith(_COMMENTS):
            continue
        around = [part for part in odd.path[:-1] if isinstance(part, str)]
        here = f"in {around[-1] if around else 'the config'}"
        newer = ", unless it is newer than 26.10.10" if config.version > NEWEST else ""
        message = f"the core has no field {name!r} {here}{newer}"
        yield Hit(odd.path, message, NOTE if newer else None, _meant(name, odd.known))


def _meant(name: str, known: tuple[str, ...]) -> str:
    """Return a remedy for the unknown field *name* in an object with the fields *known*."""
    if "streamSettings" in known and name.lower() in fields_of("stream"):
        return "it belongs in streamSettings"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}?" if close else ""


@rule(
    "XO702",
    "key-written-twice",
    WARNING,
    "An object has the same field twice.",
    why="The core uses the later one, or mixes both, so the first can be lost.",
    remedy="write the field once",
)
def key_written_twice(config: Config) -> Iterator[Hit]:
    """The core ignores the case of names (docs/xray.md, unknown fields)."""
    for name in dict.fromkeys(config.twice):
        yield Hit((), f"one object has {name!r} twice")
    for odd in config.odd:
        if odd.twice:
            yield Hit(odd.path, f"the object has {odd.path[-1]!r} twice, in two spellings")


@rule(
    "XO703",
    "newer-than-core",
    WARNING,
    "A field is newer than the core.",
    why="The core silently ignores the field.",
    remedy="pin a newer core, or remove the field",
)
def newer_than_core(config: Config) -> Iterator[Hit]:
    """From the core's source at each release. Rules 3xx judge finalRules."""
    for odd in config.odd:
        if odd.field and config.version < odd.field.since and odd.field.name != "finalRules":
            message = f"core {written(config.version)} does not know {odd.field.name!r} yet"
            yield Hit(odd.path, message)


@rule(
    "XO704",
    "gone-from-core",
    WARNING,
    "This core no longer has a field of this name.",
    why="The core silently ignores the field, so the setting has no effect.",
    remedy="remove the field, or use its successor",
)
def gone_from_core(config: Config) -> Iterator[Hit]:
    """From the core's source at each release."""
    for odd in config.odd:
        name = odd.field.name if odd.field else ""
        until = odd.field.until if odd.field else ()
        if until and config.version > until and name not in _HARMLESS:
            remedy = f"use {_INSTEAD[name]}" if name in _INSTEAD else ""
            message = f"cores after {written(until)} ignore {name!r}"
            yield Hit(odd.path, message, remedy=remedy)


@rule(
    "XO705",
    "removed-feature",
    ERROR,
    "The config uses a feature that this core no longer has.",
    why="The core refuses to start.",
    remedy="use the successor of the feature",
)
def removed_feature(config: Config) -> Iterator[Hit]:
    """The features are the calls of PrintRemovedFeatureError in infra/conf."""
    for way in (*config.inbounds, *config.outbounds):
        yield from _removed(way, config)
    if config.data.get("transport") and config.version > (1, 8, 24):
        remedy = "use streamSettings in each inbound and outbound"
        yield Hit(("transport",), "the core removed the global `transport`", remedy=remedy)
    if config.data.get("reverse") and config.version >= (26, 4, 25):
        yield Hit(("reverse",), "the core removed `reverse`", remedy="use VLESS reverse")


def _removed(way: Way, config: Config) -> Iterator[Hit]:
    path, stream = way.stream.path, way.stream
    if stream.network in ("h2", "h3", "http", "quic") and config.version > (24, 11, 30):
        message = f"{way.called}: the core removed the transport {stream.network}"
        yield Hit((*path, "network"), message, remedy="use xhttp")
    if stream.security == "xtls":
        remedy = "use tls with flow xtls-rprx-vision"
        message = f"{way.called}: the core removed the old XTLS"
        yield Hit((*path, "security"), message, remedy=remedy)
    if "proxySettings" in way.data and config.version >= (26, 10, 10):
        message = f"{way.called}: the core removed proxySettings"
        remedy = "use streamSettings.sockopt.dialerProxy"
        yield Hit((*way.path, "proxySettings"), message, remedy=remedy)
    kcp_path, kcp = stream.settings("kcpSettings")
    # 26.10.10 accepts them again.
    if (26, 1, 31) <= config.version <= (26, 7, 28) and ("header" in kcp or "seed" in kcp):
        message = f"{way.called}: this core has no header and seed for mKCP"
        yield Hit(kcp_path, message, remedy="use finalmask (mkcp-legacy)")
    tls_path, tls = stream.settings("tlsSettings")
    if tls.get("allowInsecure") and config.version >= (26, 7, 11):
        message = f"{way.called}: the core removed allowInsecure"
        yield Hit((*tls_path, "allowInsecure"), message, remedy="use pinnedPeerCertSha256")


@rule(
    "XO706",
    "deprecated-name",
    NOTE,
    "The config uses a name that the core calls deprecated.",
    why="It works today, but a later core may refuse it.",
    remedy="use the new name as soon as the core of every server knows it",
)
def deprecated_name(config: Config) -> Iterator[Hit]:
    """26.10.10 prints a warning about each, and announces its removal."""
    for way in config.outbounds:
        settings, path = way.settings, (*way.path, "settings")
        strategy = way.protocol == "direct" and settings.get("domainStrategy")
        if strategy and config.version >= (26, 10, 10):
            message = f"{way.called}: domainStrategy moved to sockopt"
            yield Hit((*path, "domainStrategy"), message, remedy="use sockopt.domainStrategy")
        for old in ("nonIPQuery", "blockTypes"):
            if way.protocol == "dns" and old in settings and config.version >= (26, 4, 25):
                message = f"{way.called}: {old} is deprecated"
                yield Hit((*path, old), message, remedy="use rules")
        if "ipsBlocked" in settings and config.version >= (26, 5, 3):
            message = f"{way.called}: ipsBlocked has no effect"
            yield Hit((*path, "ipsBlocked"), message, WARNING, "use finalRules")
    for way in (*config.inbounds, *config.outbounds):
        path, ws = way.stream.settings("wsSettings")
        if any(name.lower() == "host" for name in ws.get("headers", {})):
            message = f"{way.called}: Host in the headers is deprecated"
            yield Hit((*path, "headers"), message, remedy='write "host" beside "path"')


_OUTDATED = {
    "ws": "xhttp",
    "grpc": "xhttp",
    "httpupgrade": "xhttp",
    "trojan": "VLESS with Vision",
    "vmess": "VLESS",
    "shadowsocks": "VLESS encryption",
}
"""Transports and protocols that 26.10.10 calls deprecated, and its recommendation."""


@rule(
    "XO707",
    "outdated-kind",
    NOTE,
    "The core calls a transport or protocol of the config deprecated.",
    why="It works today. The core warns at each start that it may remove it later.",
    remedy="use the kind that the core recommends for new clients",
)
def outdated_kind(config: Config) -> Iterator[Hit]:
    """The kinds are the calls of PrintNonRemovalDeprecatedFeatureWarning (common/errors)."""
    for way in (*config.inbounds, *config.outbounds):
        for kind in (way.stream.network, way.protocol):
            if kind in _OUTDATED:
                remedy = f"the core recommends {_OUTDATED[kind]}"
                yield Hit(way.path, f"{way.called}: the core calls {kind} deprecated", None, remedy)
