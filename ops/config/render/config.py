"""Render the config of a host from its inbounds, outbounds and rules."""

import re
from collections.abc import Iterable
from typing import Any

from ops.config.render.accounts import accounts, missing
from ops.config.render.proved import proved
from ops.config.render.safety import Guarded, final_rules, guarded, sniffing
from ops.errors import SecretsError
from ops.model import Fleet, Host, Inbound, InboundSecrets, Outbound, Rule, Secrets, layout, psk_for
from ops.model.key import GENERATION

CONFIG = "xray.json.j2"


def render(fleet: Fleet, host: Host, secrets: Secrets, own_addresses: Iterable[str] = ()) -> str:
    """Return the core's config on *host*, as JSON text; the same input gives the same bytes.

    Args:
        fleet: the fleet of *host*.
        host: the host.
        secrets: the secrets of the fleet, or placeholders (:mod:`ops.config.render.placeholders`).
        own_addresses: the addresses of the host's interfaces, as read on it. The config blocks
            users from them, from the host's addresses in the inventory, and from private networks.

    Raises:
        SecretsError: secrets of this host are missing; the message names all of them.
        FleetError: a template is missing or broken, or does not render a config.
    """
    from ops.config.render.templates import environment, fill  # Jinja takes 60 ms to import

    _demand(fleet, host, secrets)
    templates = environment(fleet.folder)
    guard = guarded(host, own_addresses)
    parts = [
        (name, fill(templates, name, _values(fleet, host, inbound, secrets)))
        for inbound in host.inbounds
        for name in [f"inbounds/{inbound.kind}.json.j2"]
    ]
    values = {
        "host": host,
        "inbounds": [text for _, text in parts],
        "outbounds": [_outbound(outbound, guard) for outbound in fleet.outbounds],
        "rules": [_rule(rule) for rule in fleet.rules_on(host)],
        "guarded": guard,
        "final_rules": final_rules(guard),
        "api": _api(host),
        "nobody": any(i.protocol == "shadowsocks" for i in host.inbounds) and layout.NOBODY,
    }
    return proved([*parts, (CONFIG, fill(templates, CONFIG, values))])


def _demand(fleet: Fleet, host: Host, secrets: Secrets) -> None:
    """Raise SecretsError if a secret that *host* needs is missing."""
    names = (name for i in host.inbounds for name in missing(fleet, host, i, secrets))
    lacks = list(dict.fromkeys(names))
    if not lacks:
        return
    # The first REALITY pair writes a public key into the fleet. After that, servers may have it.
    remedy = (
        "`ops secrets recover` reads back those that the servers have, `ops secrets fill` makes "
        "the rest"
        if fleet.public_keys
        else "`ops secrets fill` makes them"
    )
    raise SecretsError(f"secrets of {host.name} are missing: {'; '.join(lacks)}. {remedy}")


def _values(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> dict[str, Any]:
    """Return the variables of the template of an inbound."""
    own = secrets.inbounds.get((host.name, inbound.name), InboundSecrets())
    return {
        "inbound": inbound,
        "listen": "::" if host.ipv6 else "0.0.0.0",  # noqa: S104  clients connect from anywhere
        "users": accounts(fleet, host, inbound, secrets),
        "sniffing": sniffing(fleet.core),
        "certificate": f"{layout.CERTIFICATES}/{inbound.name}.crt",
        "certificate_key": f"{layout.CERTIFICATES}/{inbound.name}.key",
        "private_key": own.private_key,
        "short_ids": own.short_ids,
        "psk": psk_for(inbound.method, own.psk),
    }


def _outbound(outbound: Outbound, guard: Guarded) -> dict[str, Any]:
    """Return *outbound* in the core's form; one that dials from the host gets our final rules."""
    is_local = outbound.protocol in ("freedom", "direct")
    rules = {"finalRules": final_rules(guard)} if is_local else {}
    parts = {
        "tag": outbound.name,
        "protocol": outbound.protocol,
        "settings": rules | dict(outbound.settings),
        "streamSettings": dict(outbound.stream_settings),
    }
    return {name: part for name, part in parts.items() if part}


def _rule(rule: Rule) -> dict[str, Any]:
    conditions = {
        "domain": rule.domain,
        "ip": rule.ip,
        "port": rule.port,
        "network": rule.network,
        "protocol": rule.protocol,
        "inboundTag": rule.inbound,
        "user": [user for key in rule.key for user in _generations(key)],
    }
    given = {name: value for name, value in conditions.items() if value}
    return {"type": "field", **given, "outboundTag": rule.outbound}


def _generations(key: str) -> tuple[str, str]:
    """Return patterns that match the users of *key* in every generation, present and future."""
    return key, f"regexp:^{re.escape(key)}{GENERATION}[0-9]+$"


def _api(host: Host) -> dict[str, Any]:
    mode = "0660" if host.uses_sudo else "0600"
    return {
        "tag": layout.API_TAG,
        "listen": f"{layout.SOCKET},{mode}",
        "inbound": layout.API_INBOUND,
        "port": layout.API_PORT,
    }
