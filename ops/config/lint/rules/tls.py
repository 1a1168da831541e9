"""5xx: TLS: is there a certificate, and how long does it last."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ops.config.lint.certificate import ends
from ops.config.lint.config import Config
from ops.config.lint.finding import Hit, rule
from ops.config.lint.positions import Path
from ops.config.lint.severity import ERROR, WARNING
from ops.config.lint.views import Inbound

SOON = 21
"""Days; certificates of 90 days are renewed when 30 are left."""


def _certificates(config: Config) -> Iterator[tuple[Inbound, Path, datetime]]:
    """Yield the certificates whose end is known: written in the config, or read from a file."""
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
    """By its own notAfter."""
    for inbound, path, end in _certificates(config):
        if end.date() < config.around.today:
            yield Hit(path, f"the certificate of {inbound.called} expired on {end:%Y-%m-%d}")


@rule(
    "XO508",
    "certificate-ends-soon",
    WARNING,
    f"A certificate ends within {SOON} days.",
    why="Whatever renews it should have done so by now.",
    remedy="renew it, and see why that did not happen by itself",
)
def certificate_ends_soon(config: Config) -> Iterator[Hit]:
    """By its own notAfter."""
    today = datetime.combine(config.around.today, datetime.min.time(), UTC)
    for inbound, path, end in _certificates(config):
        if 0 <= (end.date() - today.date()).days <= SOON:
            yield Hit(path, f"the certificate of {inbound.called} ends on {end:%Y-%m-%d}")


@rule(
    "XO511",
    "tls-without-certificate",
    ERROR,
    "A TLS inbound has no certificate.",
    why="The core starts, and every handshake fails.",
    remedy='write "certificates": [{"certificateFile": ..., "keyFile": ...}] in tlsSettings',
)
def tls_without_certificate(config: Config) -> Iterator[Hit]:
    """Accepted by the core (run on 26.10.10)."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        if inbound.stream.security == "tls" and not settings.get("certificates"):
            yield Hit(path, f"{inbound.called} has no certificate")


@rule(
    "XO512",
    "certificate-without-key",
    ERROR,
    "A certificate has no private key.",
    why="The core starts, and every handshake fails.",
    remedy='write "keyFile", or "key"',
)
def certificate_without_key(config: Config) -> Iterator[Hit]:
    """A certificate to verify with needs none; one to be shown does."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        for at, entry in enumerate(settings.get("certificates", [])):
            verifies = entry.get("usage", "").lower() == "verify"
            if (
                inbound.stream.security == "tls"
                and not verifies
                and not (entry.get("keyFile") or entry.get("key"))
            ):
                yield Hit(
                    (*path, "certificates", at), f"{inbound.called}: a certificate without a key"
                )


@rule(
    "XO513",
    "certificate-of-another-key",
    ERROR,
    "A certificate and its private key do not go together.",
    why="The core drops the pair with a warning in its log, starts, and every handshake fails.",
    remedy="name the key that the certificate was made for: a renewal may have replaced one file "
    "of the two",
)
def certificate_of_another_key(config: Config) -> Iterator[Hit]:
    """`ignoring invalid X509 key pair` in the log of 26.10.10 (transport/internet/tls)."""
    for inbound in config.inbounds:
        path, settings = inbound.stream.settings("tlsSettings")
        for at, entry in enumerate(settings.get("certificates", [])):
            offered = entry.get("usage", "").lower() in ("", "encipherment")
            is_used = inbound.stream.security == "tls" and offered
            if is_used and (said := config.around.pair_fault(entry)):
                yield Hit((*path, "certificates", at), f"{inbound.called}: {said}")
