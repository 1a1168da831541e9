"""The parts of a config as rules speak of them, by one name whatever Xray's version calls them."""

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
"""Old names of protocols, and what they are called today (facts: Xray's own aliases)."""
_NETWORKS = {
    "tcp": "raw",
    "splithttp": "xhttp",
    "websocket": "ws",
    "mkcp": "kcp",
    "": "raw",
}
PROXIES = {"vless", "vmess", "trojan", "shadowsocks", "hysteria", "wireguard"}
"""Protocols of inbounds that let strangers in by a key of their own."""
SERVERS = PROXIES | {"mixed", "http"}
"""Protocols of outbounds that hand all that they carry to another server."""
_USERS = {"mixed": ("accounts", "users"), "http": ("accounts", "users")}


class User(NamedTuple):
    """One user of an inbound. Its repr holds no secret."""

    path: Path
    email: str
    level: int
    id: str
    """What proves it: UUID, password or auth."""
    flow: str

    def __repr__(self) -> str:
        return f"User({self.email!r})"


@dataclass(frozen=True)
class Stream:
    """How an inbound or outbound is carried."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @cached_property
    def network(self) -> str:
        """Return the transport by its name of today; ``method`` is a newer word for it."""
        said = str(self.data.get("method", self.data.get("network", ""))).lower()
        return _NETWORKS.get(said, said)

    @cached_property
    def security(self) -> str:
        """Return ``tls``, ``reality`` or ``none``."""
        return str(self.data.get("security", "")).lower() or "none"

    def settings(self, *names: str) -> tuple[Path, dict[str, Any]]:
        """Return the first of *names* that is there, and where; an empty one if none is."""
        for name in names:
            if name in self.data:
                return (*self.path, name), self.data[name]
        return (*self.path, names[0]), {}


@dataclass(frozen=True)
class Way:
    """An inbound or outbound."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def tag(self) -> str:
        """Return its tag; empty where it has none."""
        tag: str = self.data.get("tag", "")
        return tag

    @property
    def called(self) -> str:
        """Return what people call it."""
        side = str(self.path[0])[:-1]
        return f"{side} {self.tag!r}" if self.tag else f"the {self.protocol} {side}"

    @cached_property
    def protocol(self) -> str:
        """Return the protocol by its name of today."""
        said = str(self.data.get("protocol", "")).lower()
        return PROTOCOLS.get(said, said)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Return its settings."""
        settings: dict[str, Any] = self.data.get("settings", {})
        return settings

    @cached_property
    def stream(self) -> Stream:
        """Return how it is carried."""
        return Stream((*self.path, "streamSettings"), self.data.get("streamSettings", {}))


class Inbound(Way):
    """One way in."""

    @cached_property
    def listen(self) -> str:
        """Return the address it listens on; empty is every one."""
        return str(self.data.get("listen", ""))

    @cached_property
    def ports(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of ports it listens on; none for a unix socket."""
        if self.listen.startswith(("/", "@")):
            return ()
        return ranges(self.data.get("port", ""))

    @cached_property
    def is_proxy(self) -> bool:
        """Return whether it lets people in who have a key."""
        return self.protocol in PROXIES

    @cached_property
    def is_local(self) -> bool:
        """Return whether only this machine can connect."""
        return is_loopback(self.listen)

    @cached_property
    def users(self) -> tuple[User, ...]:
        """Return its users; a Shadowsocks inbound without a list is one user by itself."""
        names = _USERS.get(self.protocol, ("clients", "users"))
        for name in names:
            entries = self.settings.get(name)
            if isinstance(entries, list) and (entries or name == names[0]):
                path = (*self.path, "settings", name)
                return tuple(_user((*path, at), entry) for at, entry in enumerate(entries))
        if self.protocol == "shadowsocks" and self.settings:
            return (_user((*self.path, "settings"), self.settings),)
        return ()


def _user(path: Path, data: dict[str, Any]) -> User:
    level = data.get("level", 0)
    proof = data.get("id") or data.get("password") or data.get("auth") or ""
    return User(
        path=path,
        email=data.get("email", ""),
        level=level if isinstance(level, int) else 0,
        id=str(proof),
        flow=data.get("flow", ""),
    )


def ranges(port: object) -> tuple[tuple[int, int], ...]:
    """Return the ranges that Xray reads in *port*; what it does not read is left out.

    >>> ranges("443,8000-8003"), ranges(443), ranges("env:PORT")
    (((443, 443), (8000, 8003)), ((443, 443),), ())
    """
    found = []
    for part in str(port).split(","):
        low, _, high = part.strip().partition("-")
        if low.strip().isdigit() and (high.strip() or low.strip()).isdigit():
            found.append((int(low), min(int(high.strip() or low), 65535)))
    return tuple(found)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach *address*; unix sockets count.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]:80"), is_loopback(""), is_loopback("::")
    (True, True, False, False)
    """
    return address.startswith(("127.", "localhost", "::1", "[::1]", "/", "@", "::ffff:127."))


def texts(value: object) -> tuple[str, ...]:
    """Return what Xray reads where it takes a list, or its entries with commas.

    >>> texts("a,b"), texts(["a", "b,c"])
    (('a', 'b'), ('a', 'b,c'))
    """
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def address_and_port(said: str) -> tuple[str, int]:
    """Return the address and port in *said*; a socket has port 0, a number is a port.

    >>> [address_and_port(said) for said in ("127.0.0.1:80", "80", "/run/x.sock,0600")]
    [('127.0.0.1', 80), ('', 80), ('/run/x.sock', 0)]
    """
    if said.startswith(("/", "@")):
        return said.partition(",")[0], 0
    address, _, port = said.rpartition(":")
    return address.strip("[]"), int(port) if port.isdigit() else 0
