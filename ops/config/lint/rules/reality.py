"""5xx: the settings of REALITY, and the clients that it admits."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.positions import Path
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import InboundView, Way

WORKING = ("chrome", "firefox", "safari", "random", "randomizednoalpn")
"""Fingerprints that connect to 26.10.10 (docs/xray.md, REALITY clients)."""
NEEDS_MLKEM = (26, 9, 8)
"""The first core that requires X25519MLKEM768 in a ClientHello (docs/xray.md, REALITY clients)."""
_NEEDED = (("target", "dest"), ("serverNames",), ("privateKey",), ("shortIds",))
_OR_WRITE = 'write "minClientVer": "0.0.0", or use a core before 26.7.11 or after 26.7.28'
_WATCHED = ("apple", "icloud", "microsoft")
_WATCHED_ENDS = (".ru", ".ir", ".cn")


def _servers(config: Config) -> Iterator[tuple[InboundView, Path, dict[str, object]]]:
    for inbound in config.inbounds:
        if inbound.stream.security == "reality":
            path, settings = inbound.stream.settings("realitySettings")
            yield inbound, path, settings


@rule(
    "XO501",
    "reality-incomplete",
    ERROR,
    "A REALITY inbound lacks a required setting.",
    why="The core refuses to start.",
    remedy="write target, serverNames, privateKey and shortIds; `xray x25519` makes the key",
)
def reality_incomplete(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, REALITY settings."""
    for inbound, path, settings in _servers(config):
        lacks = [names[0] for names in _NEEDED if not any(settings.get(name) for name in names)]
        if lacks:
            yield Hit(path, f"{inbound.called} lacks {', '.join(lacks)}")


@rule(
    "XO502",
    "reality-empty-short-id",
    WARNING,
    "A REALITY inbound admits clients without a short id.",
    why="The public key alone then opens the handshake, and a leaked link cannot be told from the "
    "others.",
    remedy="remove the empty entry from shortIds; `openssl rand -hex 8` makes a short id",
)
def reality_empty_short_id(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, REALITY settings."""
    for inbound, path, settings in _servers(config):
        ids = settings.get("shortIds")
        if isinstance(ids, list) and "" in ids:
            yield Hit((*path, "shortIds"), f"{inbound.called} admits clients without a short id")


@rule(
    "XO503",
    "reality-refuses-old-clients",
    WARNING,
    "`minClientVer` is not set, and this core then admits only new Xray clients.",
    why="Cores 26.7.11 to 26.7.28 then require Xray 26.3.27. mihomo, sing-box and Shadowrocket "
    "send version 1.8, so they cannot connect.",
    remedy="pin another core: 26.7.10 or older, or 26.7.29 or newer",
    since=(26, 7, 11),
    before=(26, 7, 29),
)
def reality_refuses_old_clients(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, REALITY clients."""
    for inbound, path, settings in _servers(config):
        if not settings.get("minClientVer"):
            message = f"{inbound.called} refuses clients that are not Xray 26.3.27 or newer"
            yield Hit(path, message, remedy="" if config.around.ours else _OR_WRITE)


@rule(
    "XO504",
    "reality-needs-new-clients",
    NOTE,
    "This core's REALITY refuses clients without X25519MLKEM768.",
    why="Older sing-box, mihomo and Shadowrocket cannot connect, with any minClientVer.",
    remedy="tell users to update. mihomo needs reality-opts.support-x25519mlkem768: true. Older "
    "clients need a core before 26.7.11",
    since=NEEDS_MLKEM,
)
def reality_needs_new_clients(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, REALITY clients."""
    for inbound, path, _ in _servers(config):
        yield Hit(path, f"{inbound.called}: older sing-box, mihomo and Shadowrocket cannot connect")
        return


@rule(
    "XO505",
    "fingerprint-fails",
    ERROR,
    "REALITY of this core refuses the fingerprint of a client.",
    why="The ClientHello of that fingerprint has no X25519MLKEM768, so the server resets the "
    "connection.",
    remedy=f"use chrome; these fingerprints connect: {', '.join(WORKING)}",
    since=NEEDS_MLKEM,
)
def fingerprint_fails(config: Config) -> Iterator[Hit]:
    """See docs/xray.md, REALITY clients."""
    for inbound, path, _ in _servers(config):
        browser = config.around.fingerprints.get(inbound.tag, "chrome")
        if browser not in WORKING:
            message = f"links to {inbound.called} imitate {browser!r}, which this core refuses"
            yield Hit((*path, "fingerprint"), message)
    for way in config.outbounds:
        path, settings = way.stream.settings("realitySettings")
        browser = str(settings.get("fingerprint", "")).lower()
        if way.stream.security == "reality" and browser and browser not in WORKING:
            message = (
                f"{way.called} imitates {browser!r}: servers of core 26.9.8 or newer refuse it"
            )
            yield Hit((*path, "fingerprint"), message, WARNING)


@rule(
    "XO506",
    "reality-target-is-watched",
    WARNING,
    "REALITY shows a server name that censors watch.",
    why="The core itself warns that censors block servers with such names.",
    remedy="choose another site with TLS 1.3 and X25519, near the server",
)
def reality_target_is_watched(config: Config) -> Iterator[Hit]:
    """The core's own list (infra/conf/transport_security.go)."""
    for inbound, path, settings in _servers(config):
        names = settings.get("serverNames")
        for at, name in enumerate(names if isinstance(names, list) else ()):
            low = str(name).lower()
            if low.endswith(_WATCHED_ENDS) or any(word in low for word in _WATCHED):
                yield Hit((*path, "serverNames", at), f"{inbound.called} shows {name!r}")


@rule(
    "XO509",
    "reality-port",
    NOTE,
    "REALITY listens on another port than 443.",
    why="The core itself warns that censors inspect a web site on an unusual port more closely.",
    remedy="use port 443 if it is free",
)
def reality_port(config: Config) -> Iterator[Hit]:
    """The warning is in infra/conf/xray.go. It does not apply to unix sockets and loopback."""
    for inbound, _, _ in _servers(config):
        if inbound.ports and not inbound.is_local and inbound.ports != ((443, 443),):
            yield Hit((*inbound.path, "port"), f"{inbound.called} is not on port 443")


@rule(
    "XO510",
    "reality-shows-everything",
    NOTE,
    "REALITY logs every step of every handshake.",
    why="`show` is for debugging. The log grows with every probe of a stranger.",
    remedy='remove "show"',
)
def reality_shows_everything(config: Config) -> Iterator[Hit]:
    """`show` also works in outbounds."""
    ways: tuple[Way, ...] = (*config.inbounds, *config.outbounds)
    for way in ways:
        path, settings = way.stream.settings("realitySettings")
        if way.stream.security == "reality" and settings.get("show"):
            yield Hit((*path, "show"), f"{way.called} logs every handshake")
