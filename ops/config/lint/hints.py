"""Patterns of the core's messages, and the parts of a config that each pattern means.

They come from the core's source (infra/conf), and from messages of 26.10.10 about broken configs.
"""

import re

SECTIONS = {
    "routing configuration": "routing",
    "field rule": "routing",
    "router rule": "routing",
    "balanc": "routing",
    "this rule has no effective fields": "routing",
    "dns configuration": "dns",
    "name server": "dns",
    "api configuration": "api",
    "api tag": "api",
    "metrics": "metrics",
    "policy configuration": "policy",
    "fake dns": "fakeDns",
    "fakedns": "fakeDns",
    "observatory": "observatory",
    "version configuration": "version",
    "geodata configuration": "geodata",
    "reverse": "reverse",
    "environment configuration": "env",
    "global transport": "transport",
    "listen on": "inbounds",
}
"""Words of a message, and the top-level part of the config that the message means."""

INSIDE: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), keys)
    for pattern, keys in (
        (r"build REALITY config|empty \"realitySettings", ("streamSettings", "realitySettings")),
        (r"parse certificate|parse key", ("streamSettings", "tlsSettings", "certificates")),
        (r"build TLS config", ("streamSettings", "tlsSettings")),
        (r"build RAW config", ("streamSettings", "rawSettings|tcpSettings")),
        (r"build XHTTP config", ("streamSettings", "xhttpSettings|splithttpSettings")),
        (r"build mKCP config|mkcp header", ("streamSettings", "kcpSettings")),
        (r"build gRPC config", ("streamSettings", "grpcSettings")),
        (r"build WebSocket config", ("streamSettings", "wsSettings")),
        (r"build HTTPUpgrade config", ("streamSettings", "httpupgradeSettings")),
        (r"build Hysteria config", ("streamSettings", "hysteriaSettings")),
        (r"build sockopt", ("streamSettings", "sockopt")),
        (r"build mask", ("streamSettings", "finalmask")),
        (r"transport protocol|REALITY only supports", ("streamSettings", "method|network")),
        (r"feature [\w/]+ transport \(", ("streamSettings", "method|network")),
        (r"unknown security|legacy xtls", ("streamSettings", "security")),
        (r"sniffing config|unknown protocol: ", ("sniffing",)),
        (r"unknown config id", ("protocol",)),
        (r"build mux", ("mux",)),
        (r"proxy settings", ("proxySettings",)),
        (r"send through", ("sendThrough",)),
        (r"anyip but no|specific ip without", ("port",)),
        (r"listen on domain", ("listen",)),
        (r"fallbacks", ("settings", "fallbacks")),
        (r"users: |: user|user .* already exists|uuid|user\b", ("settings", "clients|users|vnext")),
        (r"inbound handler|inbound detour|outbound handler|outbound detour", ("settings",)),
    )
)
"""Patterns of a message, and the path to its subject inside an inbound or outbound."""

KEYS = (
    (re.compile(r"invalid uuid", re.IGNORECASE), "id"),
    (re.compile(r"invalid port", re.IGNORECASE), "port"),
    (re.compile(r"unknown action", re.IGNORECASE), "action"),
    (re.compile(r"flow", re.IGNORECASE), "flow"),
    (re.compile(r"cipher|method", re.IGNORECASE), "method"),
    (re.compile(r"bad key|password|psk", re.IGNORECASE), "password"),
)
"""Patterns of a message, and the field that the message means without naming it."""
