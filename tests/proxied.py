"""A server without TLS on loopback, a client of it, and what its users get of its API."""

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.loopback import api, free_port, running

UUID = "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
PUBLIC = "9.9.9.9"
"""Never reached: what is sent there meets the API, or nothing."""
API_IN, FALLBACK = free_port(), free_port()

Change = Callable[[dict[str, Any]], object]


def server(port: int) -> dict[str, Any]:
    """Return a config whose API only its own inbound reaches."""
    listener: dict[str, Any] = {"listen": "127.0.0.1"}
    user = {"id": UUID, "email": "alice"}
    return {
        "log": {"access": "none"},
        "stats": {},
        "policy": {"levels": {"0": {"statsUserUplink": True, "statsUserDownlink": True}}},
        "api": {"tag": "api", "services": ["StatsService"]},
        "inbounds": [
            listener
            | {"tag": "in", "port": port, "protocol": "vless"}
            | {"settings": {"clients": [user], "decryption": "none"}},
            listener
            | {"tag": "api-in", "port": API_IN, "protocol": "dokodemo-door"}
            | {"settings": {"address": "127.0.0.1"}},
        ],
        "outbounds": [
            {"tag": "direct", "protocol": "freedom"}
            | {"settings": {"finalRules": [{"action": "block", "ip": ["127.0.0.0/8", PUBLIC]}]}},
            {"tag": "block", "protocol": "blackhole"},
        ],
        "routing": {"rules": [{"inboundTag": ["api-in"], "outboundTag": "api"}]},
    }


def client(port: int, door: int, target: str = PUBLIC, at: int = 443) -> dict[str, Any]:
    """Return a client that sends what enters at *door* to *target*."""
    return {
        "inbounds": [
            {"listen": "127.0.0.1", "port": door, "protocol": "dokodemo-door"}
            | {"settings": {"address": target, "port": at, "network": "tcp"}}
        ],
        "outbounds": [
            {"protocol": "vless"}
            | {"settings": {"address": "127.0.0.1", "port": port, "id": UUID, "encryption": "none"}}
        ],
    }


def rule(**said: object) -> Change:
    return lambda c: c["routing"]["rules"].append(said)


def both(*changes: Change) -> Change:
    return lambda c: [change(c) for change in changes]


def way_out(**said: Any) -> Change:
    return lambda c: c["outbounds"].append({"protocol": "freedom"} | said)


def balancer(**said: object) -> Change:
    return lambda c: c["routing"].update(balancers=[{"tag": "b", **said}])


def handed(**streamed: Any) -> Change:
    return lambda c: c["inbounds"][0].update(streamed)


def fallback(dest: object, protocol: str = "vless") -> Change:
    user = {"id": UUID, "email": "alice"} if protocol == "vless" else {"password": UUID}
    said: dict[str, Any] = {"clients": [user], "fallbacks": [{"dest": dest}]}
    said |= {"decryption": "none"} if protocol == "vless" else {}
    return handed(protocol=protocol, settings=said)


def figures_by_proxy(core: Path, folder: Path, change: Change, *target: Any) -> str:
    """Return what a proxied user gets who takes a public address, or *target*, for the API."""
    port, door = free_port(), free_port()
    config = server(port)
    change(config)
    with ExitStack() as stack:
        stack.enter_context(running(core, config, folder / "server", port))
        stack.enter_context(running(core, client(port, door, *target), folder / "client", door))
        try:
            return str(api(core, f"127.0.0.1:{door}", "statssys", "-t", "2"))
        except subprocess.CalledProcessError as error:
            return str(error.stderr)
