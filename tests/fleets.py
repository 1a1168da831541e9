"""Fleets for tests: folders with the files that a test names."""

from pathlib import Path
from textwrap import dedent

HOSTS = """
    [core]
    version = "26.10.10"
    [defaults]
    inbounds = ["reality", "ws", "trojan", "ss"]
    [groups.edge]
    [inbounds.reality]
    protocol = "vless"
    security = "reality"
    flow = "xtls-rprx-vision"
    port = 443
    target = "www.example.com:443"
    [inbounds.ws]
    protocol = "vless"
    transport = "ws"
    security = "tls"
    port = 2053
    path = "/ws"
    certificate = "/etc/tls/{server_name}.crt"
    certificate_key = "/etc/tls/{server_name}.key"
    [inbounds.trojan]
    protocol = "trojan"
    security = "tls"
    port = 2083
    certificate = "/etc/tls/host.crt"
    certificate_key = "/etc/tls/host.key"
    [inbounds.ss]
    protocol = "shadowsocks"
    method = "2022-blake3-aes-256-gcm"
    port = 8388
    [hosts.ams1]
    address = ["ams1.example.net", "198.51.100.7"]
    groups = ["edge"]
    [hosts.fra1]
    address = ["fra1.example.net", "2001:db8::7"]
    inbounds = ["reality"]
"""

KEYS = """
    [keys.alice]
    [keys.bob]
    opens = ["edge/ws"]
"""


def write(folder: Path, hosts: str = HOSTS, keys: str = KEYS, more: str = "") -> Path:
    """Write a fleet into *folder*; *more* is added to its hosts.toml."""
    inventory = folder / "inventory"
    inventory.mkdir(parents=True, exist_ok=True)
    (inventory / "hosts.toml").write_text(dedent(hosts) + dedent(more))
    (inventory / "keys.toml").write_text(dedent(keys))
    return folder
