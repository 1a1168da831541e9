"""Estimate the traffic of a host from its connections, as people did before they had counters.

The estimate is a guess: the number of open connections, or of those in the access log, times the
mean bytes of a connection. It needs no API, so it works even if the core does not answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ops.model import Host
from ops.model.layout import RUNTIME
from ops.model.untrusted import LONGEST_NAME, count_of, text_of

METHOD = "estimate_based_on_connections"
_BYTES = re.compile(r"\bbytes_(?:acked|received):(\d{1,19})\b")
_MOST = 2**40
"""The largest number of connections that is believed of a log."""
_ACCESS_LOG = f"""\
log=$(sed -n 's/.*"access": *"\\(\\/[^"]*\\)".*/\\1/p' {RUNTIME}/config.json 2>/dev/null)
[ -f "$log" ] && echo logged && awk '/ accepted / {{ n[/ email: /? $NF : "-"]++ }}
  END {{ for (key in n) print "log", n[key], key }}' "$log"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate of the bytes of a host's connections, both directions together."""

    connections: int
    mean: float
    """Bytes per connection."""
    basis: Literal["open connections", "access log"]
    shares: Mapping[str, float] = field(default_factory=dict)
    """By key: its part of the connections. If empty, all keys have equal parts."""

    @property
    def total(self) -> int:
        """Return the bytes of all connections."""
        return round(self.connections * self.mean)

    def of(self, key: str, keys: int) -> int:
        """Return the bytes of *key*; *keys* is the number of keys on the host."""
        share = self.shares.get(key, 0.0) if self.shares else 1 / max(1, keys)
        return round(self.total * share)


def command(host: Host) -> str:
    """Return a command for a root shell; :func:`estimate` reads its output."""
    ports = " or ".join(f"sport = :{inbound.port}" for inbound in host.inbounds)
    sockets = f"ss -tinHO state established '( {ports} )' | sed 's/^/socket /'" if ports else ":"
    return f"{sockets}\n{_ACCESS_LOG}grep ^Tcp: /proc/net/snmp\n"


def estimate(lines: Sequence[str], card_bytes: int) -> Estimate:
    """Return the estimate from *lines*, the output of :func:`command`.

    *card_bytes* are the network card's bytes since boot. If no connection is open, half of them,
    divided by the connections accepted since boot, is the mean. Raises ValueError if a line has
    another form.

    >>> estimate(["socket 0 0 a b bytes_acked:900 bytes_received:100", "socket 0 0 a c"], 0).total
    1000
    """
    open_ones = [sum(map(count_of, _BYTES.findall(ln))) for ln in lines if ln.startswith("socket ")]
    logged = [line.split(" ", 2)[1:] for line in lines if line.startswith("log ")]
    counts = {text_of(key, LONGEST_NAME): count_of(entries, _MOST) for entries, key in logged}
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
    """Return the number of connections accepted since boot, including those of sshd."""
    table = [line.split()[1:] for line in lines if line.startswith("Tcp: ")]
    if len(table) != 2 or len(table[0]) != len(table[1]):
        return 0
    return count_of(dict(zip(*table, strict=True)).get("PassiveOpens", "0"))
