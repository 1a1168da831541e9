"""Pick out of the secrets what one link needs, or say what is not there."""

from ops.errors import SecretsError
from ops.model import Fleet, Host, Inbound, InboundSecrets, Key, KeySecrets, Secrets, psk_for


def proof(host: Host, inbound: Inbound, key: Key, secrets: Secrets) -> str:
    """Return what proves *key* to *inbound*: UUID, password, or the server's PSK and its own.

    Raises:
        SecretsError: it was never made, or is not known here.
    """
    own = secrets.keys.get(key.name, KeySecrets())
    if inbound.protocol == "vless":
        return _there(own.uuid, f"UUID of key {key.name}")
    if inbound.protocol == "trojan":
        return _there(own.password, f"password of key {key.name}")
    server = _of(host, inbound, secrets).psk
    halves = (
        _there(server, f"PSK of {host.name}/{inbound.name}"),
        _there(own.psk, f"PSK of key {key.name}"),
    )
    return ":".join(psk_for(inbound.method, half) for half in halves)


def reality(fleet: Fleet, host: Host, inbound: Inbound, secrets: Secrets) -> tuple[str, str]:
    """Return the public key and the short id with which clients meet REALITY.

    Raises:
        SecretsError: no pair was issued, or the short ids are not known here.
    """
    place = f"{host.name}/{inbound.name}"
    public_key = fleet.public_keys.get((host.name, inbound.name), "")
    short_ids = _of(host, inbound, secrets).short_ids
    if not short_ids:
        _there("", f"REALITY short id of {place}")
    return _there(public_key, f"REALITY public key of {place}"), short_ids[0]


def _of(host: Host, inbound: Inbound, secrets: Secrets) -> InboundSecrets:
    return secrets.inbounds.get((host.name, inbound.name), InboundSecrets())


def _there(secret: str, what: str) -> str:
    if not secret:
        raise SecretsError(
            f"the {what} is not known here: `ops secrets fill` makes what never existed, "
            "`ops secrets recover` reads back what the servers have"
        )
    return secret
