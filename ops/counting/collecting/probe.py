"""Look at a host beside its API: the readings it kept, and its network cards. No ssh here.

What is run there is a few lines for a root shell, so that a host needs nothing of ours for it.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops.counting.collecting.belonging import SCRIPT
from ops.model import NicCounters
from ops.model.layout import READINGS
from ops.model.untrusted import count_of

# sh's own words only: a card is a few reads, and no process. What packets leave the host by is
# hardware or, in a container, the end of the pair it was given; bridges and their ports, bonds,
# VLANs and tunnels lie over or under those and count the same bytes again.
CARDS = """\
read -r boot </proc/sys/kernel/random/boot_id; echo "boot $boot"
for card in /sys/class/net/*; do
  kind=virtual; [ -e "$card/device" ] && kind=hardware
  while IFS== read -r name value; do
    [ "$name" = DEVTYPE ] && [ "$value" != wlan ] && [ "$value" != wwan ] && kind=inner
  done <"$card/uevent"
  for sign in bridge brport tun_flags bonding; do [ -e "$card/$sign" ] && kind=$kind-$sign; done
  read -r type <"$card/type"
  read -r received <"$card/statistics/rx_bytes"; read -r sent <"$card/statistics/tx_bytes"
  echo "card $kind $type $received $sent"
done
"""
LOOK = f"""\
{CARDS}
echo "clock $(date +%s)"
{SCRIPT}if [ -d {READINGS} ]; then
  find {READINGS} -maxdepth 1 -type f -name '[!.]*.json' -printf 'kept %s %T@ %f\\n'
fi
echo end
"""
_ETHERNET, _VOID = "1", "65535"
"""Types of cards (if_arp.h); the second is what OpenVZ's containers have."""
_NAME = re.compile(r"([0-9A-Za-z-]{1,64})\.(last|minute|begun)\.json")
_BOOT = re.compile(r"[0-9A-Za-z-]{1,64}")
_MOMENT = re.compile(r"-?\d{1,15}(\.\d{1,12})?")
LARGEST_FILE = 16 << 20
"""Bytes of a reading that is worth fetching: that of 50,000 users has 6 MiB."""
MOST_FILES = 5_000
"""Files of readings that a host can have; it has two for each start of its core in 90 days."""
_LARGEST_CARD = 2**56
"""Bytes that a network card can have counted: 72 PB."""
_LATEST = 2**40
"""Seconds since 1970 that no clock shows."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading on a host's disk: its file, and what the name says."""

    name: str
    run: str
    size: int
    changed: str
    """When, as the host says it; only to be compared."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has found."""

    kept: tuple[Kept, ...]
    """Oldest first."""
    nic: NicCounters | None
    clock: int | None
    """Seconds since 1970, by the host's clock."""


def seen(printed: str, host: str, at: datetime) -> Seen:
    """Return what LOOK *printed*; ValueError if that is not whole.

    >>> answer = "boot b\\ncard hardware 1 5 7\\ncard virtual 772 9 9\\nend\\n"
    >>> found = seen(answer, "ams", datetime.now())
    >>> found.nic.received, found.nic.sent, found.kept
    (5, 7, ())
    """
    lines = [line.split(" ") for line in printed.split("\n") if line]
    if not lines or lines[-1] != ["end"]:
        raise ValueError("its answer is cut off")
    kept = [line[1:] for line in lines if line[0] == "kept"]
    clocks = [count_of(line[1], _LATEST) for line in lines if line[0] == "clock" and len(line) == 2]
    return Seen(_kept(kept), cards(lines, host, at), clocks[0] if clocks else None)


def cards(lines: Sequence[Sequence[str]], host: str, at: datetime) -> NicCounters | None:
    """Return the sum of the cards that face outwards, out of what CARDS printed."""
    boots = [line[1] for line in lines if line[0] == "boot" and len(line) == 2]
    figures = [line[1:] for line in lines if line[0] == "card"]
    if not all(len(card) == 4 for card in figures):
        raise ValueError("its network cards are told in another form")
    outer = [card for card in figures if card[0].startswith("hardware")] or [
        card for card in figures if card[0] == "virtual" and card[1] in (_ETHERNET, _VOID)
    ]
    if not (boots and _BOOT.fullmatch(boots[0]) and outer):
        return None
    received, sent = (
        count_of(sum(count_of(card[column], _LARGEST_CARD) for card in outer), _LARGEST_CARD)
        for column in (2, 3)
    )
    return NicCounters(host=host, boot=boots[0], read_at=at, received=received, sent=sent)


def fetching(kept: Sequence[Kept]) -> str:
    """Return the command that prints the files *kept*; one that was pruned just now is empty."""
    names = " ".join(shlex.quote(one.name) for one in kept)
    show = f'echo "= $f"; head -c {LARGEST_FILE} -- "$f" 2>&-; echo'
    return f"cd {READINGS} && for f in {names}; do {show}; done; :"


def fetched(printed: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each file that is there."""
    parts: list[tuple[str, list[str]]] = []
    for line in printed.split("\n"):
        if line.startswith("= "):
            parts.append((line[2:], []))
        elif parts:
            parts[-1][1].append(line)
    yield from ((name, text) for name, lines in parts if (text := "\n".join(lines).strip()))


def chunks(kept: Collection[Kept], most: int = 8 << 20) -> Iterator[list[Kept]]:
    """Yield *kept* in parts of not much more than *most* bytes, and no endless command line."""
    part: list[Kept] = []
    size = 0
    for one in kept:
        if part and (size + one.size > most or len(part) >= 500):
            yield part
            part, size = [], 0
        part.append(one)
        size += one.size
    if part:
        yield part


def _kept(lines: Sequence[Sequence[str]]) -> tuple[Kept, ...]:
    if len(lines) > MOST_FILES:
        raise ValueError(
            f"it keeps {len(lines)} readings, more than {MOST_FILES}: move some of {READINGS} away"
        )
    found = []
    for line in lines:
        match = _NAME.fullmatch(line[-1]) if len(line) == 3 else None
        if match and _MOMENT.fullmatch(line[1]):
            found.append(Kept(line[2], match[1], count_of(line[0], _LATEST << 20), line[1]))
    return tuple(sorted(found, key=lambda one: float(one.changed)))
