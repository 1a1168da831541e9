"""Read the byte counters of a host's network cards, bridges and tunnels left out. No ssh here."""

import re
from collections.abc import Sequence
from datetime import datetime

from ops.model import NicCounters
from ops.model.untrusted import count_of

# Built-in words of sh only: each card costs a few reads and no process. Packets leave a host
# through hardware or, in a container, through its end of a virtual pair. Bridges and their ports,
# bonds, VLANs and tunnels lie over or under those and count the same bytes again.
LIST_CARDS = """\
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
"""Lines for a shell on the host. They print the boot id and one line for each card."""
_ETHERNET, _VOID = "1", "65535"
"""Types of cards (if_arp.h). OpenVZ containers have cards of the second type."""
_BOOT = re.compile(r"[0-9A-Za-z-]{1,64}")
_MOST_BYTES = 2**56
"""Largest counter of a network card that is believed: 72 PB."""


def outer_cards(lines: Sequence[Sequence[str]], host: str, read_at: datetime) -> NicCounters | None:
    """Return the sum over the cards that connect *host* to the outside.

    *lines* is the output of LIST_CARDS, split into words; other lines in it are ignored. Return
    None if there is no such card or no boot id. Raise ValueError if a card's line is malformed.
    """
    boots = [line[1] for line in lines if line[0] == "boot" and len(line) == 2]
    cards = [line[1:] for line in lines if line[0] == "card"]
    if not all(len(card) == 4 for card in cards):
        raise ValueError("a line about a network card has another form")
    outer = [card for card in cards if card[0].startswith("hardware")] or [
        card for card in cards if card[0] == "virtual" and card[1] in (_ETHERNET, _VOID)
    ]
    if not (boots and _BOOT.fullmatch(boots[0]) and outer):
        return None
    received, sent = (_sum_of([card[column] for card in outer]) for column in (2, 3))
    return NicCounters(host=host, boot=boots[0], read_at=read_at, received=received, sent=sent)


def _sum_of(figures: Sequence[str]) -> int:
    return count_of(sum(count_of(figure, _MOST_BYTES) for figure in figures), _MOST_BYTES)
