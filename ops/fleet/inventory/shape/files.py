"""The files of the inventory."""

from typing import Literal

from ops.fleet.inventory.shape.core import CoreTable
from ops.fleet.inventory.shape.hosts import HostFields, HostTable
from ops.fleet.inventory.shape.inbounds import InboundTable
from ops.fleet.inventory.shape.keys import KeyTable
from ops.fleet.inventory.shape.ledger import LedgerTable
from ops.fleet.inventory.shape.routing import OutboundTable, RuleTable
from ops.fleet.inventory.shape.secrets import InboundSecretsTable, IssuedInbound, KeySecretsTable
from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import HostName, KeyName, Name, StoredName


class HostsFile(Table):
    """``hosts.toml``: the servers of the fleet and everything that they offer."""

    core: CoreTable
    """The Xray program that all hosts run.

    Example: core = { version = "26.10.10" }
    """
    ledger: LedgerTable = LedgerTable()
    """The database of usage.

    Example: ledger = { zone = "Europe/Amsterdam" }
    """
    defaults: HostFields = HostFields()
    """Values for all hosts that have no other value.

    Example: defaults = { ssh_user = "admin" }
    """
    groups: dict[Name, HostFields] = {}
    """Groups of hosts, with values for all their hosts. Commands and keys can name a group.

    Example: groups = { edge = { ssh_user = "admin" } }
    """
    inbounds: dict[Name, InboundTable] = {}
    """The ways into the hosts.

    Example: inbounds = { ss = { protocol = "shadowsocks", port = 8388,
    method = "2022-blake3-aes-256-gcm" } }
    """
    hosts: dict[HostName, HostTable] = {}
    """The servers.

    Example: hosts = { ams1 = { ssh_hostname = "ams1.example.net" } }
    """
    outbounds: dict[Name, OutboundTable] = {}
    """The ways out of the hosts, beside ``direct`` and ``block``.

    Example: outbounds = { null = { protocol = "blackhole" } }
    """
    rules: list[RuleTable] = []
    """The routing rules, in the order in which they are tried.

    Example: rules = [{ protocol = ["bittorrent"], outbound = "block" }]
    """


class KeysFile(Table):
    """``keys.toml``: the keys of the fleet. The file holds no secrets."""

    keys: dict[KeyName, KeyTable] = {}
    """The keys, by their names.

    Example: keys = { alice = {}, bob = { opens = ["edge"] } }
    """


class SecretsFile(Table):
    """``secrets.toml``: all secrets of the fleet. Encrypted, the file is ``secrets.toml.age``.

    ``ops secrets fill`` makes them, and ``ops secrets edit`` opens the file in an editor.
    """

    keys: dict[StoredName, KeySecretsTable] = {}
    """The secrets of the keys, by the keys' names.

    Example: keys = { alice = { password = "an-example-that-nobody-uses" } }
    """
    hosts: dict[StoredName, dict[StoredName, InboundSecretsTable]] = {}
    """The secrets of the inbounds, by host and inbound.

    Example: hosts = { fra1 = { reality = { short_ids = ["6ba85179e30d4fc2"] } } }
    """


class IssuedFile(Table):
    """``issued.toml``: the list of the secrets that were made, and their public parts.

    ``ops secrets`` writes the file. Commit it: a clone without the secrets then does not make new
    ones.
    """

    fleet: StoredName = ""
    """The ID of the fleet. Rollouts store it on the hosts. A host with this ID needs no question
    about its earlier counters.

    Since: 0.2
    Example: fleet = "3f2c0e5d8a7b4c6e9f10aabbccddeeff"
    """
    keys: dict[StoredName, list[Literal["uuid", "password", "psk"]]] = {}
    """The secrets that were made for each key.

    Example: keys = { alice = ["uuid", "password"] }
    """
    hosts: dict[StoredName, dict[StoredName, IssuedInbound]] = {}
    """The secrets that were made for each inbound, by host and inbound.

    Example: hosts = { fra1 = { reality = { made = ["short_ids"] } } }
    """
