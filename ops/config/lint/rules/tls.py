"""5xx: the certificates of TLS inbounds."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ops.config.lint.certificate import ends
from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.positions import Path
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import InboundView

SOON = 21
"""Days; certificates of 90 days are renewed when 30 are left."""


def _certificates(config: Config) -> Iterator[tuple[InboundView, Path, datetime]]:
    """Yield inbound, place and end date of the certificates that could be read."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        for at, entry in enumerate(settings.get("certificates", [])):
            end = config.around.expiries.get(entry.get("certificateFile", ""))
            if end is None and entry.get("certificate"):
                end = ends("\n".join(entry["certificate"]))
            if end and inbound.stream.security == "tls":
                yield inbound, (*path, "certificates", at), end


@rule(
    "XO507",
    "certificate-expired",
    ERROR,
    "A certificate has expired.",
    why="Clients refuse to connect.",
    remedy="renew it",
)
def certificate_expired(config: Config) -> Iterator[Hit]:
    """The end date is notAfter of the certificate."""
    for inbound, path, end in _certificates(config):
        if end.date() < config.around.today:
            yield Hit(path, f"the certificate of {inbound.called} expired on {end:%Y-%m-%d}")


@rule(
    "XO508",
    "certificate-ends-soon",
    WARNING,
    f"A certificate ends within {SOON} days.",
    why="The automatic renewal should have replaced it by now.",
    remedy="renew it, and find out why the automatic renewal failed",
)
def certificate_ends_soon(config: Config) -> Iterator[Hit]:
    """The end date is notAfter of the certificate."""
    today = datetime.combine(config.around.today, datetime.min.time(), UTC)
    for inbound, path, end in _certificates(config):
        if 0 <= (end.date() - today.date()).days <= SOON:
            yield Hit(path, f"the certificate of {inbound.called} ends on {end:%Y-%m-%d}")


@rule(
    "XO511",
    "tls-without-certificate",
    ERROR,
    "A TLS inbound has no certificate.",
    why="The core starts, but every handshake fails.",
    remedy='write "certificates": [{"certificateFile": ..., "keyFile": ...}] in tlsSettings',
)
def tls_without_certificate(config: Config) -> Iterator[Hit]:
    """The core accepts it (run on 26.10.10)."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        if inbound.stream.security == "tls" and not settings.get("certificates"):
            yield Hit(path, f"{inbound.called} has no certificate")


@rule(
    "XO512",
    "certificate-without-key",
    ERROR,
    "A certificate has no private key.",
    why="The core starts, but every handshake fails.",
    remedy='write "keyFile" or "key"',
)
def certificate_without_key(config: Config) -> Iterator[Hit]:
    """Only a certificate with usage `verify` needs no key."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        for at, entry in enumerate(settings.get("certificates", [])):
            verifies = entry.get("usage", "").lower() == "verify"
            if (
                inbound.stream.security == "tls"
                and not verifies
                and not (entry.get("keyFile") or entry.get("key"))
            ):
                message = f"{inbound.called}: a certificate has no key"
                yield Hit((*path, "certificates", at), message)


@rule(
    "XO513",
    "certificate-of-another-key",
    ERROR,
    "A certificate and its private key do not match.",
    why="The core ignores the pair, with a warning in its log. It starts, but every handshake "
    "fails.",
    remedy="write the key of this certificate: a renewal may have replaced only one of the two "
    "files",
)
def certificate_of_another_key(config: Config) -> Iterator[Hit]:
    """26.10.10 logs `ignoring invalid X509 key pair` (transport/internet/tls)."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        for at, entry in enumerate(settings.get("certificates", [])):
            offered = entry.get("usage", "").lower() in ("", "encipherment")
            is_used = inbound.stream.security == "tls" and offered
            if is_used and (fault := config.around.pair_fault(entry)):
                yield Hit((*path, "certificates", at), f"{inbound.called}: {fault}")
