"""The sample fleet's host run by the real core on loopback, and clients that enter it."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.certificates import Authority
from ops.config.links import client
from ops.config.render import placeholders, render
from ops.model import Fleet, Host, Secrets, layout
from tests import sample
from tests.loopback import Target, counters, free_port, running, tls_site

OWN = "8.8.4.4"
"""Stands for the host's own public address; nothing is ever sent there."""
GUARDED = (
    "127.0.0.1",
    "127.1.2.3",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "0.0.0.0",  # noqa: S104
    "localhost",
    OWN,
    f"::ffff:{OWN}",
    "10.0.0.1",
    "169.254.169.254",
    "fe80::1",
)
PLAIN = b"hello"
DISGUISED = b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n"
"""Looks as if it were meant for a public address, wherever it is sent."""


@dataclass
class Logs:
    """What a server wrote down."""

    access: Path
    core: Path

    def blocked(self) -> int:
        """Return how many connections were blocked so far: by the routing, or by the outbound."""
        routed = re.findall(r" accepted .* \[\S+ -> block\]", self.access.read_text())
        return len(routed) + self.core.read_text().count("blocked target")


@dataclass
class Lane:
    """A server that offers every kind, and a client of each that enters it by loopback."""

    core: Path
    folder: Path
    fleet: Fleet
    host: Host
    secrets: Secrets
    socks: dict[str, int]
    target: Target
    forbidden: Target
    """As the target, but nothing was opened for it."""
    logs: Logs

    @property
    def api(self) -> str:
        """Return where the server's API is."""
        return f"unix:{self.folder}/api.sock"

    def used(self, key: str = "alice") -> tuple[int, int]:
        """Return what the core counted for *key* so far: up, down."""
        found = counters(self.core, self.api)
        up, down = (found.get(f"user>>>{key}>>>traffic>>>{d}link", 0) for d in ("up", "down"))
        return up, down


@contextmanager
def laid(core: Path, folder: Path) -> Iterator[Lane]:
    """Run the server and its clients until the end of the block; their files go to *folder*."""
    authority = Authority.in_folder(folder)
    with ExitStack() as stack:
        site = stack.enter_context(tls_site(*_issued(authority, folder, "site", *sample.NAMES)))
        target, forbidden = (stack.enter_context(Target()) for _ in range(2))
        fleet, secrets = pinned_to_loopback(site)
        (host,) = fleet.hosts
        for inbound in host.inbounds:
            if inbound.security == "tls":
                _issued(authority, folder, inbound.name, inbound.server_name)
        access = folder / "access.log"
        config = opened(here(render(fleet, host, secrets, [OWN]), folder), target.port, access)
        live = {"XRAY_BUF_SPLICE": "disable"}
        serving = running(core, config, folder / "server", host.inbounds[0].port, **live)
        logs = Logs(access, stack.enter_context(serving))
        socks = {inbound.name: free_port() for inbound in host.inbounds}
        for inbound in host.inbounds:
            port = socks[inbound.name]
            config = client(fleet, host, inbound, fleet.keys[0], secrets, "127.0.0.1", port)
            way = running(core, trusting(config, authority), folder / inbound.name, port)
            stack.enter_context(way)
        yield Lane(core, folder, fleet, host, secrets, socks, target, forbidden, logs)


def pinned_to_loopback(site: int) -> tuple[Fleet, Secrets]:
    """Return the sample fleet on free ports, before a REALITY target on the port *site*."""
    inbounds = tuple(
        replace(i, port=free_port(), target=i.target and f"127.0.0.1:{site}")
        for i in sample.INBOUNDS
    )
    fleet = sample.fleet(sample.host(inbounds=inbounds))
    secrets = placeholders(fleet)
    public_keys = {place: public_key(own.private_key) for place, own in secrets.inbounds.items()}
    return replace(fleet, public_keys=public_keys), secrets


def public_key(private_key: str) -> str:
    """Return what goes with a REALITY private key."""
    private = X25519PrivateKey.from_private_bytes(urlsafe_b64decode(private_key + "="))
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def here(text: str, folder: Path) -> dict[str, Any]:
    """Return a rendered config with the paths of a server moved into *folder*."""
    text = text.replace(layout.CERTIFICATES, str(folder)).replace(layout.RUNTIME, str(folder))
    config: dict[str, Any] = json.loads(text)
    return config


def opened(config: dict[str, Any], port: int, access: Path) -> dict[str, Any]:
    """Let users reach 127.0.0.1:*port*, where the tests' target is, and write down their ways.

    Beside it, a name that leads to a public address, without asking anybody.
    """
    rule = {"type": "field", "ip": ["127.0.0.1"], "port": str(port), "outboundTag": "direct"}
    config["routing"]["rules"].insert(0, rule)
    allow = {"action": "allow", "ip": ["127.0.0.1"], "port": str(port)}
    config["outbounds"][0]["settings"]["finalRules"].insert(0, allow)
    config["log"] = {"loglevel": "info", "access": str(access)}
    config["dns"] = {"hosts": {"elsewhere.test": "9.9.9.9"}}
    return config


def trusting(config: dict[str, Any], authority: Authority) -> dict[str, Any]:
    """Let a client trust a private *authority*; the core carries roots of its own, no others."""
    settings = config["outbounds"][0].get("streamSettings", {}).get("tlsSettings")
    if settings:
        trusted = {"usage": "verify", "certificateFile": str(authority.certificate)}
        settings["certificates"] = [trusted]
    return config


def _issued(authority: Authority, folder: Path, file: str, *names: str) -> tuple[Path, Path]:
    issued = authority.issue(*names)
    certificate, key = folder / f"{file}.crt", folder / f"{file}.key"
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.key)
    return certificate, key
