"""What the files of a fleet may say: every field, its type, nothing else."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ops.inventory.accounts import BillingTable, LedgerTable
from ops.model.inbound import ProtocolName, SecurityName, TransportName


def _written(pattern: str, words: str) -> AfterValidator:
    """Accept text that matches *pattern*; *words* tell people what that is."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} will not do: {words}")
        return text

    return AfterValidator(check)


HostName = Annotated[
    str,
    _written(r"[a-z0-9][a-z0-9.-]{0,62}", "a host's name has small letters, digits, dots, dashes"),
]
Name = Annotated[
    str,
    _written(r"[a-z][a-z0-9_-]{0,31}", "a name has small letters, digits, _ and -, a letter first"),
]
KeyName = Annotated[
    str,
    _written(
        r"[a-z0-9._@-]{1,64}",
        "a key's name has small letters, digits and . _ @ - (the counters are named after it)",
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
AbsolutePath = Annotated[str, _written(r"/[^\n]*", "write the whole path on the host, from /")]
UrlPath = Annotated[str, _written(r"/[^\s?#]*", "a path begins with / and has no ? or #")]
Target = Annotated[str, _written(r"\S+:\d+", 'write "host:port"')]
Sha256 = Annotated[str, _written(r"[0-9a-f]{64}", "a SHA-256 is 64 digits of 0-9 and a-f")]
Version = Annotated[str, _written(r"\d+\.\d+\.\d+", 'write the release\'s number, as "26.10.10"')]
RuleCode = Annotated[str, _written(r"XO\d{3}", "a rule's code is XO and three digits")]
Reason = Annotated[str, _written(r"\s*\S(?s:.)*", "say why, in a few words")]
Jump = Annotated[str, _written(r"[^\s,]+", "one jump host: [user@]host[:port]")]
PublicKey = Annotated[str, _written(r"[A-Za-z0-9_-]{43}", "an X25519 key is 43 characters")]


class Table(BaseModel):
    """A table of the inventory: unknown fields and wrong types are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CoreTable(Table):
    """The pinned core."""

    version: Version
    fetch: Literal["push", "pull"] = "push"
    url: str = "https://github.com/XTLS/Xray-core/releases/download/v{version}/{file}"
    sha256: dict[Literal["x86_64", "aarch64", "armv7l"], Sha256] = {}


class InboundFields(Table):
    """What a host may say differently of an inbound it offers."""

    port: Port | None = None
    public_port: Port | None = None
    path: UrlPath | None = None
    server_name: str | None = None
    certificate: AbsolutePath | None = None
    certificate_key: AbsolutePath | None = None
    target: Target | None = None
    server_names: Annotated[list[str], Field(min_length=1)] | None = None
    fingerprint: str | None = None


class InboundTable(InboundFields):
    """One way in, as every host that names it offers it."""

    protocol: ProtocolName
    transport: TransportName = "raw"
    security: SecurityName = "none"
    flow: Literal["", "xtls-rprx-vision"] = ""
    method: Literal["2022-blake3-aes-128-gcm", "2022-blake3-aes-256-gcm"] | None = None
    port: Port


class MaintenanceTable(Table):
    """Why a host is away, and until when."""

    why: str
    until: date


class HostFields(Table):
    """What may be said of a host, of a group of them, or of all by ``[defaults]``."""

    ssh_hostname: str | None = None
    ssh_port: Port | None = None
    ssh_user: str | None = None
    ssh_key: str | None = None
    jump: Jump | None = None
    inbounds: list[str] | None = None
    api: Literal["socket", "inbound"] | None = None
    accounting: Literal["live", "spliced"] | None = None
    ipv6: bool | None = None
    kernel_tuning: bool | None = None
    billing: BillingTable | None = None


class HostTable(HostFields):
    """One server."""

    address: list[str] = []
    groups: list[str] = []
    state: Literal["up", "absent"] = "up"
    maintenance: MaintenanceTable | None = None
    overrides: dict[str, InboundFields] = {}
    ignore: dict[RuleCode, Reason] = {}


class OutboundTable(Table):
    """One way out, as Xray writes it."""

    protocol: str
    settings: dict[str, Any] = {}
    stream_settings: dict[str, Any] = {}


class RuleTable(Table):
    """Traffic that matches leaves by *outbound*."""

    outbound: str
    hosts: list[str] = ["all"]
    domain: list[str] = []
    ip: list[str] = []
    port: str = ""
    network: Literal["", "tcp", "udp", "tcp,udp"] = ""
    protocol: list[Literal["http", "tls", "quic", "bittorrent"]] = []
    inbound: list[str] = []
    key: list[str] = []


class HostsFile(Table):
    """``hosts.toml``."""

    core: CoreTable
    ledger: LedgerTable = LedgerTable()
    defaults: HostFields = HostFields()
    groups: dict[Name, HostFields] = {}
    inbounds: dict[Name, InboundTable] = {}
    hosts: dict[HostName, HostTable] = {}
    outbounds: dict[Name, OutboundTable] = {}
    rules: list[RuleTable] = []


class KeyTable(Table):
    """One key."""

    opens: list[str] = ["all"]
    note: str = ""


class KeysFile(Table):
    """``keys.toml``."""

    keys: dict[KeyName, KeyTable] = {}


class IssuedInbound(Table):
    """What was made for one inbound of one host."""

    made: list[Literal["private_key", "short_ids", "psk"]]
    public_key: PublicKey | None = None


class IssuedFile(Table):
    """``issued.toml``: which secrets were ever made, and what of them is public."""

    keys: dict[str, list[Literal["uuid", "password", "psk"]]] = {}
    hosts: dict[str, dict[str, IssuedInbound]] = {}


class KeySecretsTable(Table):
    """The secrets of a key."""

    uuid: str = ""
    password: str = ""
    psk: str = ""


class InboundSecretsTable(Table):
    """The secrets of one inbound of one host."""

    private_key: str = ""
    short_ids: list[str] = []
    psk: str = ""


class SecretsFile(Table):
    """``secrets.toml``."""

    keys: dict[str, KeySecretsTable] = {}
    hosts: dict[str, dict[str, InboundSecretsTable]] = {}
