"""Views of inbounds, outbounds and users, with today's names for old and new spellings."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ops.config.lint.positions import Path

PROTOCOLS = {
    "dokodemo-door": "tunnel",
    "socks": "mixed",
    "freedom": "direct",
    "blackhole": "block",
}
"""Old names of protocols, and today's names (docs/xray.md, old and new names)."""
_NETWORKS = {
    "tcp": "raw",
    "splithttp": "xhttp",
    "websocket": "ws",
    "mkcp": "kcp",
    "": "raw",
}
PROXIES = {"vless", "vmess", "trojan", "shadowsocks", "hysteria", "wireguard"}
"""Protocols of inbounds that admit users by a secret of their own."""
SERVERS = PROXIES | {"mixed", "http"}
"""Protocols of outbounds that send all their traffic to another server."""
_USERS = {"mixed": ("accounts", "users"), "http": ("accounts", "users")}


class UserView(NamedTuple):
    """A view of one user of an inbound. Its repr holds no secret."""

    path: Path
    email: str
    level: int
    id: str
    """Its secret: UUID, password or auth."""
    flow: str

    def __repr__(self) -> str:
        return f"UserView({self.email!r})"


@dataclass(frozen=True)
class Stream:
    """The ``streamSettings`` of an inbound or outbound: its transport and security."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @cached_property
    def network(self) -> str:
        """Return the transport by today's name; newer configs call the field ``method``."""
        name = str(self.data.get("method", self.data.get("network", ""))).lower()
        return _NETWORKS.get(name, name)

    @cached_property
    def security(self) -> str:
        """Return ``tls``, ``reality`` or ``none``."""
        return str(self.data.get("security", "")).lower() or "none"

    def settings(self, *names: str) -> tuple[Path, dict[str, Any]]:
        """Return the path and the data of the first of *names* that is present.

        If none is present, the data is empty.
        """
        for name in names:
            if name in self.data:
                return (*self.path, name), self.data[name]
        return (*self.path, names[0]), {}


@dataclass(frozen=True)
class Way:
    """A view of an inbound or outbound."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def tag(self) -> str:
        """Return its tag; empty if it has none."""
        tag: str = self.data.get("tag", "")
        return tag

    @property
    def called(self) -> str:
        """Return its name for messages."""
        side = str(self.path[0])[:-1]
        return f"{side} {self.tag!r}" if self.tag else f"the {self.protocol} {side}"

    @cached_property
    def protocol(self) -> str:
        """Return the protocol by today's name."""
        name = str(self.data.get("protocol", "")).lower()
        return PROTOCOLS.get(name, name)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Return its settings."""
        settings: dict[str, Any] = self.data.get("settings", {})
        return settings

    @cached_property
    def stream(self) -> Stream:
        """Return its transport and security."""
        return Stream((*self.path, "streamSettings"), self.data.get("streamSettings", {}))


class InboundView(Way):
    """A view of an inbound."""

    @cached_property
    def listen(self) -> str:
        """Return the address that it listens on; empty means every address."""
        return str(self.data.get("listen", ""))

    @cached_property
    def ports(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of its ports, as (low, high); none for a unix socket."""
        if self.listen.startswith(("/", "@")):
            return ()
        return ranges(self.data.get("port", ""))

    @cached_property
    def is_proxy(self) -> bool:
        """Return whether it admits users of a proxy protocol."""
        return self.protocol in PROXIES

    @cached_property
    def is_local(self) -> bool:
        """Return whether only this machine can connect to it."""
        return is_loopback(self.listen)

    @cached_property
    def users(self) -> tuple[UserView, ...]:
        """Return its users; a Shadowsocks inbound without a list of users is one user."""
        names = _USERS.get(self.protocol, ("clients", "users"))
        for name in names:
            entries = self.settings.get(name)
            if isinstance(entries, list) and (entries or name == names[0]):
                path = (*self.path, "settings", name)
                return tuple(_user((*path, at), entry) for at, entry in enumerate(entries))
        if self.protocol == "shadowsocks" and self.settings:
            return (_user((*self.path, "settings"), self.settings),)
        return ()


def _user(path: Path, data: dict[str, Any]) -> UserView:
    level = data.get("level", 0)
    proof = data.get("id") or data.get("password") or data.get("auth") or ""
    return UserView(
        path=path,
        email=data.get("email", ""),
        level=level if isinstance(level, int) else 0,
        id=str(proof),
        flow=data.get("flow", ""),
    )


def ranges(port: object) -> tuple[tuple[int, int], ...]:
    """Return the ranges in *port*, as (low, high); parts that are not numbers are left out.

    >>> ranges("443,8000-8003"), ranges(443), ranges("env:PORT")
    (((443, 443), (8000, 8003)), ((443, 443),), ())
    """
    pairs = []
    for part in str(port).split(","):
        low, _, high = part.strip().partition("-")
        if low.strip().isdigit() and (high.strip() or low.strip()).isdigit():
            pairs.append((int(low), min(int(high.strip() or low), 65535)))
    return tuple(pairs)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach *address*; unix sockets count.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]:80"), is_loopback(""), is_loopback("::")
    (True, True, False, False)
    """
    return address.startswith(("127.", "localhost", "::1", "[::1]", "/", "@", "::ffff:127."))


def texts(value: object) -> tuple[str, ...]:
    """Return the entries of *value*: a list, or one text with commas.

    >>> texts("a,b"), texts(["a", "b,c"])
    (('a', 'b'), ('a', 'b,c'))
    """
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def address_and_port(text: str) -> tuple[str, int]:
    """Return the address and port in *text*; a unix socket has port 0, a number is a port.

    >>> [address_and_port(text) for text in ("127.0.0.1:80", "80", "/run/x.sock,0600")]
    [('127.0.0.1', 80), ('', 80), ('/run/x.sock', 0)]
    """
    if text.startswith(("/", "@")):
        return text.partition(",")[0], 0
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port) if port.isdigit() else 0
