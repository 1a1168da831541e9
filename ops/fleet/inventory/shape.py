"""What the files of a fleet may say: every field, its type, nothing else."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ops.fleet.inventory.accounts import BillingTable, LedgerTable
from ops.fleet.inventory.values import (
    Address,
    DnsName,
    Fingerprint,
    HostName,
    Json,
    Jump,
    KeyName,
    LocalPath,
    Name,
    Pattern,
    Port,
    Ports,
    Protocol,
    PublicKey,
    Reason,
    Reference,
    RemotePath,
    RuleCode,
    Secret,
    ServerName,
    Sha256,
    StoredName,
    Target,
    Url,
    UrlPath,
    User,
    Version,
    Words,
)
from ops.model.inbound import ProtocolName, SecurityName, TransportName


class Table(BaseModel):
    """A table of the inventory: unknown fields and wrong types are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CoreTable(Table):
    """The pinned core."""

    version: Version
    fetch: Literal["push", "pull"] = "push"
    url: Url = "https://github.com/XTLS/Xray-core/releases/download/v{version}/{file}"
    sha256: dict[Literal["x86_64", "aarch64", "armv7l"], Sha256] = {}


class InboundFields(Table):
    """What a host may say differently of an inbound it offers."""

    port: Port | None = None
    public_port: Port | None = None
    path: UrlPath | None = None
    server_name: ServerName | None = None
    certificate: RemotePath | None = None
    certificate_key: RemotePath | None = None
    target: Target | None = None
    server_names: Annotated[list[DnsName], Field(min_length=1)] | None = None
    fingerprint: Fingerprint | None = None


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

    why: Reason
    until: date


class HostFields(Table):
    """What may be said of a host, of a group of them, or of all by ``[defaults]``."""

    ssh_hostname: Address | None = None
    ssh_port: Port | None = None
    ssh_user: User | None = None
    ssh_key: LocalPath | None = None
    jump: Jump | None = None
    inbounds: list[Reference] | None = None
    api: Literal["socket", "inbound"] | None = None
    accounting: Literal["live", "spliced"] | None = None
    ipv6: bool | None = None
    kernel_tuning: bool | None = None
    billing: BillingTable | None = None


class HostTable(HostFields):
    """One server."""

    address: list[Address] = []
    groups: list[Reference] = []
    state: Literal["up", "absent"] = "up"
    maintenance: MaintenanceTable | None = None
    overrides: dict[Reference, InboundFields] = {}
    ignore: dict[RuleCode, Reason] = {}


class OutboundTable(Table):
    """One way out, as Xray writes it."""

    protocol: Protocol
    settings: Json = {}
    stream_settings: Json = {}


class RuleTable(Table):
    """Traffic that matches leaves by *outbound*."""

    outbound: Reference
    hosts: list[Reference] = ["all"]
    domain: list[Pattern] = []
    ip: list[Pattern] = []
    port: Ports = ""
    network: Literal["", "tcp", "udp", "tcp,udp"] = ""
    protocol: list[Literal["http", "tls", "quic", "bittorrent"]] = []
    inbound: list[Reference] = []
    key: list[Reference] = []


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

    opens: list[Reference] = ["all"]
    note: Words = ""


class KeysFile(Table):
    """``keys.toml``."""

    keys: dict[KeyName, KeyTable] = {}


class IssuedInbound(Table):
    """What was made for one inbound of one host."""

    made: list[Literal["private_key", "short_ids", "psk"]]
    public_key: PublicKey | None = None


class IssuedFile(Table):
    """``issued.toml``: which secrets were ever made, and what of them is public."""

    fleet: StoredName = ""
    keys: dict[StoredName, list[Literal["uuid", "password", "psk"]]] = {}
    hosts: dict[StoredName, dict[StoredName, IssuedInbound]] = {}


class KeySecretsTable(Table):
    """The secrets of a key."""

    uuid: Secret = ""
    password: Secret = ""
    psk: Secret = ""


class InboundSecretsTable(Table):
    """The secrets of one inbound of one host."""

    private_key: Secret = ""
    short_ids: list[Secret] = []
    psk: Secret = ""


class SecretsFile(Table):
    """``secrets.toml``."""

    keys: dict[StoredName, KeySecretsTable] = {}
    hosts: dict[StoredName, dict[StoredName, InboundSecretsTable]] = {}
