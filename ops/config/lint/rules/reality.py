"""5xx: REALITY: is it whole, is it strong, and which clients get in."""

from collections.abc import Iterator

from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.positions import Path
from ops.config.lint.severity import ERROR, NOTE, WARNING
from ops.config.lint.views import Inbound, Way

WORKING = ("chrome", "firefox", "safari", "random", "randomizednoalpn")
"""Fingerprints that connect to 26.10.10 (facts, 5)."""
NEEDS_MLKEM = (26, 9, 8)
"""The first core that admits only ClientHellos with X25519MLKEM768."""
_NEEDED = (("target", "dest"), ("serverNames",), ("privateKey",), ("shortIds",))
_OR_WRITE = 'write "minClientVer": "0.0.0", or use a core before 26.7.11 or after 26.7.28'
_WATCHED = ("apple", "icloud", "microsoft")
_WATCHED_ENDS = (".ru", ".ir", ".cn")


def _servers(config: Config) -> Iterator[tuple[Inbound, Path, dict[str, object]]]:
    for inbound in config.inbounds:
        if inbound.stream.security == "reality":
            path, settings = inbound.stream.settings("realitySettings")
            yield inbound, path, settings


@rule(
    "XO501",
    "reality-incomplete",
    ERROR,
    "REALITY lacks something that it cannot do without.",
    why="The core refuses to start.",
    remedy="write target, serverNames, privateKey and shortIds: `xray x25519` makes the key",
)
def reality_incomplete(config: Config) -> Iterator[Hit]:
    """Each is refused by its name (facts, 5)."""
    for inbound, path, settings in _servers(config):
        lacks = [names[0] for names in _NEEDED if not any(settings.get(name) for name in names)]
        if lacks:
            yield Hit(path, f"{inbound.called} lacks {', '.join(lacks)}")


@rule(
    "XO502",
    "reality-empty-short-id",
    WARNING,
    "A REALITY inbound admits clients without a short id.",
    why="The public key alone then opens the handshake, and one leaked link cannot be told from "
    "another.",
    remedy="take the empty one out of shortIds; `openssl rand -hex 8` makes one",
)
def reality_empty_short_id(config: Config) -> Iterator[Hit]:
    """An empty text is a valid element of shortIds (facts, 5)."""
    for inbound, path, settings in _servers(config):
        ids = settings.get("shortIds")
        if isinstance(ids, list) and "" in ids:
            yield Hit((*path, "shortIds"), f"{inbound.called} admits clients without a short id")


@rule(
    "XO503",
    "reality-refuses-old-clients",
    WARNING,
    "`minClientVer` is not set, and this core then refuses all but new Xray clients.",
    why="26.7.11 to 26.7.28 ask for Xray 26.3.27: mihomo, sing-box and Shadowrocket call "
    "themselves 1.8 and cannot connect.",
    remedy="pin another core: 26.7.10 or older, or 26.7.29 or newer",
    since=(26, 7, 11),
    before=(26, 7, 29),
)
def reality_refuses_old_clients(config: Config) -> Iterator[Hit]:
    """infra/conf/transport_security.go at 26.7.28; XTLS/Xray-core #6477."""
    for inbound, path, settings in _servers(config):
        if not settings.get("minClientVer"):
            message = f"{inbound.called}: clients that are not Xray 26.3.27 are refused"
            yield Hit(path, message, remedy="" if config.around.ours else _OR_WRITE)


@rule(
    "XO504",
    "reality-needs-new-clients",
    NOTE,
    "This core's REALITY refuses clients without X25519MLKEM768.",
    why="Older sing-box, mihomo and Shadowrocket cannot connect, whatever minClientVer says.",
    remedy="tell users to update; mihomo wants reality-opts.support-x25519mlkem768: true. Older "
    "clients need a core before 26.7.11",
    since=NEEDS_MLKEM,
)
def reality_needs_new_clients(config: Config) -> Iterator[Hit]:
    """SagerNet/sing-box #4520, MetaCubeX/mihomo #3193 (facts, 5)."""
    for inbound, path, _ in _servers(config):
        yield Hit(path, f"{inbound.called}: older sing-box, mihomo and Shadowrocket cannot connect")
        return


@rule(
    "XO505",
    "fingerprint-fails",
    ERROR,
    "A client imitates a browser that this core's REALITY refuses.",
    why="The connection is reset: that ClientHello has no X25519MLKEM768.",
    remedy=f"use chrome; these connect: {', '.join(WORKING)}",
    since=NEEDS_MLKEM,
)
def fingerprint_fails(config: Config) -> Iterator[Hit]:
    """Xray 26.10.10 against itself, by fingerprint (facts, 5)."""
    for inbound, path, _ in _servers(config):
        said = config.around.fingerprints.get(inbound.tag, "chrome")
        if said not in WORKING:
            message = f"links to {inbound.called} imitate {said!r}, which this core refuses"
            yield Hit((*path, "fingerprint"), message)
    for way in config.outbounds:
        path, settings = way.stream.settings("realitySettings")
        said = str(settings.get("fingerprint", "")).lower()
        if way.stream.security == "reality" and said and said not in WORKING:
            message = f"{way.called} imitates {said!r}: a server of core 26.9.8 or newer refuses it"
            yield Hit((*path, "fingerprint"), message, WARNING)


@rule(
    "XO506",
    "reality-target-is-watched",
    WARNING,
    "REALITY shows a name that censors look for.",
    why="The core itself warns that such names get servers blocked.",
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
    why="The core itself warns: a web site on an odd port is looked at more closely.",
    remedy="use 443 where it is free",
)
def reality_port(config: Config) -> Iterator[Hit]:
    """infra/conf/xray.go. An inbound behind another (a unix socket, loopback) is not meant."""
    for inbound, _, _ in _servers(config):
        if inbound.ports and not inbound.is_local and inbound.ports != ((443, 443),):
            yield Hit((*inbound.path, "port"), f"{inbound.called} is not on port 443")


@rule(
    "XO510",
    "reality-shows-everything",
    NOTE,
    "REALITY writes what it decides about each handshake to the log.",
    why="It is for looking for faults; the log grows with every probe.",
    remedy='take "show" out',
)
def reality_shows_everything(config: Config) -> Iterator[Hit]:
    """`show` prints each step of each handshake."""
    ways: tuple[Way, ...] = (*config.inbounds, *config.outbounds)
    for way in ways:
        path, settings = way.stream.settings("realitySettings")
        if way.stream.security == "reality" and settings.get("show"):
            yield Hit((*path, "show"), f"{way.called} logs every handshake")
