"""The hosts in hosts.toml, their groups and their defaults."""

from datetime import date
from typing import Literal

from ops.fleet.inventory.shape.inbounds import InboundFields
from ops.fleet.inventory.shape.ledger import BillingTable
from ops.fleet.inventory.shape.table import Table
from ops.fleet.inventory.values import (
    Address,
    Jump,
    LocalPath,
    Port,
    Reason,
    Reference,
    RuleCode,
    User,
)


class HostFields(Table):
    """``[defaults]``, ``[groups.NAME]`` and ``[hosts.NAME]``: fields that a host can inherit.

    A value in the host replaces a value in its groups, and that replaces the default. If two groups
    of a host have the field, the later group in ``groups`` counts.
    """

    ssh_hostname: Address | None = None
    """The name or address that ssh connects to. The default is the name of the host.

    Example: ssh_hostname = "10.0.0.5"
    """
    ssh_port: Port | None = None
    """The port of sshd. The default is the port in ``~/.ssh/config``, or 22.

    Example: ssh_port = 2222
    """
    ssh_user: User | None = None
    """The user that logs in. The default is ``root``. Another user needs ``sudo`` without a
    password.

    Example: ssh_user = "admin"
    """
    ssh_key: LocalPath | None = None
    """The file of the private ssh key on this machine. A relative path begins in the fleet's
    folder. The default is the ssh agent and the usual keys.

    Example: ssh_key = "~/.ssh/id_ed25519"
    """
    jump: Jump | None = None
    """The jump host, as ``[user@]host[:port]``.

    Example: jump = "ops@bastion.example.net"
    """
    inbounds: list[Reference] | None = None
    """The inbounds that the host offers: names of ``[inbounds.NAME]``. The default is no inbound.

    Example: inbounds = ["reality", "ws"]
    """
    api: Literal["socket", "inbound"] | None = None
    """The address of the core's API on the host. ``socket`` (the default) is a unix socket.
    ``inbound`` is port 10085 on 127.0.0.1, for cores before 26.5.3.

    Example: api = "inbound"
    """
    accounting: Literal["live", "spliced"] | None = None
    """The counting of VLESS Vision downloads. ``live`` (the default) counts all bytes at once.
    ``spliced`` needs about half of the core's CPU time for each byte, but the core counts a
    connection's bytes only when it closes.

    Example: accounting = "spliced"
    """
    ipv6: bool | None = None
    """Whether the inbounds listen on IPv6, too. The default is true. Write false if the kernel has
    no IPv6.

    Example: ipv6 = false
    """
    kernel_tuning: bool | None = None
    """Whether rollouts set BBR, fair queueing and larger limits in the kernel. The default is
    false.

    Example: kernel_tuning = true
    """
    billing: BillingTable | None = None
    """The terms of the hoster. The default is the outgoing traffic of a calendar month.

    Example: billing = { day = 17, direction = "out", included = "20 TB" }
    """


class MaintenanceTable(Table):
    """``[hosts.NAME.maintenance]``: a time in which the host does not answer.

    Commands leave out the host until then, and print one line about it. It is no failure.
    """

    why: Reason
    """The reason, in a few words.

    Example: why = "new disk"
    """
    until: date
    """The last day of the maintenance, in UTC.

    Example: until = 2026-12-31
    """


class HostTable(HostFields):
    """``[hosts.NAME]``: fields of one host alone.

    NAME is the name of the host in commands and figures. It is also the name for ssh, unless
    ``ssh_hostname`` is written.
    """

    address: list[Address] = []
    """The names and addresses that clients dial. Links are made for each of them. The default is
    ``ssh_hostname``, or the name of the host.

    Example: address = ["fra1.example.net", "198.51.100.7", "2001:db8::7"]
    """
    groups: list[Reference] = []
    """The groups of the host: names of ``[groups.NAME]``. Every host is also in the group ``all``.

    Example: groups = ["edge"]
    """
    state: Literal["up", "absent"] = "up"
    """``absent``: the next rollout removes Xray from the host. Delete the host from the file when
    ``ops status`` says that it can be deleted.

    Example: state = "absent"
    """
    maintenance: MaintenanceTable | None = None
    """A time in which the host does not answer.

    Example: maintenance = { why = "new disk", until = 2026-12-31 }
    """
    overrides: dict[Reference, InboundFields] = {}
    """Other values for the inbounds of this host, by the inbound's name.

    Example: overrides = { reality = { public_port = 8443 } }
    """
    ignore: dict[RuleCode, Reason] = {}
    """Findings of ``ops validate`` that are accepted on this host: the rule's code and a reason.

    Example: ignore = { XO506 = "the site is in our own rack" }
    """
