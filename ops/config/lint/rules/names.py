"""7xx: names that the core passes over, and what a version knows no longer or not yet."""

import difflib
from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.schema import NEWEST, fields_of, written
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import Way

_HARMLESS = {"type", "domainMatcher", "alterId"}
"""Gone, and what they asked for is what the core does today: not worth a word."""
_COMMENTS = ("_", "//", "#", "$")
"""How people begin a key that is a comment."""
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
    "A key is none of Xray's.",
    why="The core passes over it without a word: what it was to switch on stays off.",
    remedy="look it up in Xray's documentation",
)
def unknown_key(config: Config) -> Iterator[Hit]:
    """Unknown keys are ignored at every level (facts, 5)."""
    for odd in config.odd:
        name = str(odd.path[-1])
        if odd.field or odd.wanted or name.startswith(_COMMENTS):
            continue
        around = [part for part in odd.path[:-1] if isinstance(part, str)]
        here = f"in {around[-1] if around else 'the config'}"
        newer = ", unless it is newer than 26.10.10" if config.version > NEWEST else ""
        message = f"the core knows no {name!r} {here}{newer}"
        yield Hit(odd.path, message, NOTE if newer else None, _meant(name, odd.known))


def _meant(name: str, known: tuple[str, ...]) -> str:
    """Return what was probably meant: a key of this object, or one that belongs further in."""
    if "streamSettings" in known and name.lower() in fields_of("stream"):
        return "it belongs in streamSettings"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}?" if close else ""


@rule(
    "XO702",
    "key-written-twice",
    WARNING,
    "A key is written twice in one object.",
    why="The core takes the later one, or mixes both: what stands first is lost.",
    remedy="write it once",
)
def key_written_twice(config: Config) -> Iterator[Hit]:
    """Keys are compared without case, too."""
    for name in dict.fromkeys(config.twice):
        yield Hit((), f"{name!r} is written twice in one object")
    for odd in config.odd:
        if odd.twice:
            yield Hit(odd.path, f"{odd.path[-1]!r} is there twice, in another spelling")


@rule(
    "XO703",
    "newer-than-core",
    WARNING,
    "A key is newer than the core.",
    why="The core passes over it without a word.",
    remedy="pin a newer core, or do without",
)
def newer_than_core(config: Config) -> Iterator[Hit]:
    """By the core's own source at each release. What finalRules are for, 3xx looks after."""
    for odd in config.odd:
        if odd.field and config.version < odd.field.since and odd.field.name != "finalRules":
            message = f"core {written(config.version)} does not know {odd.field.name!r} yet"
            yield Hit(odd.path, message)


@rule(
    "XO704",
    "gone-from-core",
    WARNING,
    "A key means nothing to this core any more.",
    why="The core passes over it without a word: what it did is not done.",
    remedy="take it out, or use what took its place",
)
def gone_from_core(config: Config) -> Iterator[Hit]:
    """By the core's own source at each release."""
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
    "The config uses what this core no longer has.",
    why="The core refuses to start.",
    remedy="use what took its place",
)
def removed_feature(config: Config) -> Iterator[Hit]:
    """The core's own words: PrintRemovedFeatureError in infra/conf."""
    for way in (*config.inbounds, *config.outbounds):
        yield from _removed(way, config)
    if config.data.get("transport") and config.version > (1, 8, 24):
        yield Hit(
            ("transport",), "the global `transport` is gone", remedy="use streamSettings in each"
        )
    if config.data.get("reverse") and config.version >= (26, 4, 25):
        yield Hit(("reverse",), "`reverse` is gone", remedy="use VLESS reverse")


def _removed(way: Way, config: Config) -> Iterator[Hit]:
    path, stream = way.stream.path, way.stream
    if stream.network in ("h2", "h3", "http", "quic") and config.version > (24, 11, 30):
        remedy = "use xhttp"
        yield Hit(
            (*path, "network"), f"{way.called}: transport {stream.network} is gone", remedy=remedy
        )
    if stream.security == "xtls":
        remedy = "use tls with flow xtls-rprx-vision"
        yield Hit((*path, "security"), f"{way.called}: the old XTLS is gone", remedy=remedy)
    if "proxySettings" in way.data and config.version >= (26, 10, 10):
        message = f"{way.called}: proxySettings is gone"
        remedy = "use streamSettings.sockopt.dialerProxy"
        yield Hit((*way.path, "proxySettings"), message, remedy=remedy)
    kcp_path, kcp = stream.settings("kcpSettings")
    # 26.10.10 takes them again.
    if (26, 1, 31) <= config.version <= (26, 7, 28) and ("header" in kcp or "seed" in kcp):
        message = f"{way.called}: this core has no header and seed of mKCP"
        yield Hit(kcp_path, message, remedy="use finalmask (mkcp-legacy)")
    tls_path, tls = stream.settings("tlsSettings")
    if tls.get("allowInsecure") and config.version >= (26, 7, 11):
        message = f"{way.called}: allowInsecure is gone"
        yield Hit((*tls_path, "allowInsecure"), message, remedy="use pinnedPeerCertSha256")


@rule(
    "XO706",
    "deprecated-name",
    NOTE,
    "A name or setting that the core itself means to remove.",
    why="It works today; a later core may refuse it.",
    remedy="use what took its place, when every server's core knows it",
)
def deprecated_name(config: Config) -> Iterator[Hit]:
    """What 26.10.10 prints a warning for that it means to remove."""
    for way in config.outbounds:
        said = way.settings
        if (
            way.protocol == "direct"
            and said.get("domainStrategy")
            and config.version >= (26, 10, 10)
        ):
            path = (*way.path, "settings", "domainStrategy")
            yield Hit(
                path, f"{way.called}: domainStrategy moved", remedy="use sockopt.domainStrategy"
            )
        for old in ("nonIPQuery", "blockTypes"):
            if way.protocol == "dns" and old in said and config.version >= (26, 4, 25):
                path = (*way.path, "settings", old)
                yield Hit(path, f"{way.called}: {old} is deprecated", remedy="use rules")
        if "ipsBlocked" in said and config.version >= (26, 5, 3):
            path = (*way.path, "settings", "ipsBlocked")
            message = f"{way.called}: ipsBlocked does nothing"
            yield Hit(path, message, WARNING, "use finalRules")
    for way in (*config.inbounds, *config.outbounds):
        path, ws = way.stream.settings("wsSettings")
        if any(name.lower() == "host" for name in ws.get("headers", {})):
            message = f"{way.called}: Host among the headers is deprecated"
            yield Hit((*path, "headers"), message, remedy='write "host" beside "path"')


_OUTDATED = {
    "ws": "xhttp",
    "grpc": "xhttp",
    "httpupgrade": "xhttp",
    "trojan": "VLESS with Vision",
    "vmess": "VLESS",
    "shadowsocks": "VLESS encryption",
}
"""Transports and protocols that 26.10.10 prints a warning for, and what it would have instead."""


@rule(
    "XO707",
    "outdated-kind",
    NOTE,
    "A transport or protocol that the core itself calls deprecated.",
    why="The core warns at each start that it might be removed. It works today.",
    remedy="use what the core recommends for new clients",
)
def outdated_kind(config: Config) -> Iterator[Hit]:
    """The core's PrintNonRemovalDeprecatedFeatureWarning (common/errors)."""
    for way in (*config.inbounds, *config.outbounds):
        for kind in (way.stream.network, way.protocol):
            if kind in _OUTDATED:
                remedy = f"the core recommends {_OUTDATED[kind]}"
                yield Hit(way.path, f"{way.called}: the core calls {kind} deprecated", None, remedy)
