"""Estimate what a host relayed from its connections: what people did before they had counters.

It is a guess, and says so: of connections that are open now, or of those in the access log at the
mean of others. It needs no API, so it still answers where the core does not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ops.model import Host
from ops.model.layout import RUNTIME
from ops.model.strangers import LONGEST_NAME, count, text

METHOD = "estimate_based_on_connections"
_BYTES = re.compile(r"\bbytes_(?:acked|received):(\d{1,19})\b")
_MOST = 2**40
"""Connections that a log can hold."""
_ACCESS_LOG = f"""\
log=$(sed -n 's/.*"access": *"\\(\\/[^"]*\\)".*/\\1/p' {RUNTIME}/config.json 2>/dev/null)
[ -f "$log" ] && echo logged && awk '/ accepted / {{ n[/ email: /? $NF : "-"]++ }}
  END {{ for (key in n) print "log", n[key], key }}' "$log"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a host's connections may have moved, both ways together."""

    connections: int
    mean: float
    """Bytes a connection."""
    basis: Literal["open connections", "access log"]
    shares: Mapping[str, float] = field(default_factory=dict)
    """The part of the connections that is each key's; where none is named, all are alike."""

    @property
    def total(self) -> int:
        """Return the bytes in all."""
        return round(self.connections * self.mean)

    def of(self, key: str, keys: int) -> int:
        """Return the bytes of *key*, one of so many *keys*."""
        share = self.shares.get(key, 0.0) if self.shares else 1 / max(1, keys)
        return round(self.total * share)


def asking(host: Host) -> str:
    """Return the command, for a root shell, that prints what :func:`estimate` needs."""
    ports = " or ".join(f"sport = :{inbound.port}" for inbound in host.inbounds)
    sockets = f"ss -tinHO state established '( {ports} )' | sed 's/^/socket /'" if ports else ":"
    return f"{sockets}\n{_ACCESS_LOG}grep ^Tcp: /proc/net/snmp\n"


def estimate(lines: Sequence[str], card_bytes: int) -> Estimate:
    """Return the estimate from what :func:`asking` printed.

    *card_bytes* is what the network card moved since boot: half of it, a connection accepted
    since then, is the mean where none is open.

    ValueError where they are in another form.

    >>> estimate(["socket 0 0 a b bytes_acked:900 bytes_received:100", "socket 0 0 a c"], 0).total
    1000
    """
    open_ones = [sum(map(count, _BYTES.findall(ln))) for ln in lines if ln.startswith("socket ")]
    logged = [line.split(" ", 2)[1:] for line in lines if line.startswith("log ")]
    counts = {text(key, LONGEST_NAME): count(entries, _MOST) for entries, key in logged}
    if open_ones:
        mean = sum(open_ones) / len(open_ones)
    else:
        mean = card_bytes / 2 / max(1, _accepted(lines))
    if "logged" not in lines:
        return Estimate(connections=len(open_ones), mean=mean, basis="open connections")
    total = sum(counts.values())
    shares = {key: entries / total for key, entries in counts.items() if total}
    return Estimate(connections=total, mean=mean, basis="access log", shares=shares or {"-": 0.0})


def _accepted(lines: Sequence[str]) -> int:
    """Return how many connections the kernel has accepted since boot, those of sshd too."""
    table = [line.split()[1:] for line in lines if line.startswith("Tcp: ")]
    if len(table) != 2 or len(table[0]) != len(table[1]):
        return 0
    return count(dict(zip(*table, strict=True)).get("PassiveOpens", "0"))
