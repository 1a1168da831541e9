"""The network of a lab: a switch, the machine, the world and the hosts.

Each of them is a network namespace. The switch has one of its own, so that the firewall of the
machine does not see packets between hosts. Deleting it removes every port, rule and cable.
"""

import json
from pathlib import Path
from typing import Any

from lab.addresses import TARGET4, TARGET6, TARGETS4, TARGETS6, Network
from lab.command import run
from lab.errors import LabError
from lab.state import state_folder

NAMESPACES = Path("/run/netns")
BRIDGE = "bridge"
PORT = "host0"
"""The name of the network card on a host."""
MADE = "made"
"""The alias of a complete port. The last step of making a port sets it."""


def switch(lab: str) -> str:
    """Return the name of a lab's switch. Its namespace and the machine's port have this name."""
    return f"xl-{lab}"  # the name of a link has at most 15 characters


def namespace(lab: str, member: str) -> str:
    """Return the name of the network namespace of a host, or of the world."""
    return f"{switch(lab)}.{member}"


def ip(*lines: str, inside: str = "") -> None:
    """Run *lines* of ``ip``, here or *inside* a namespace; LabError if one fails."""
    run("ip", *(["-n", inside] if inside else []), "-batch", "-", input="\n".join(lines) + "\n")


def link(name: str, inside: str = "") -> dict[str, Any]:
    """Return the properties of a link from ``ip``; empty if there is no such link."""
    where = ["-n", inside] if inside else []
    links = json.loads(run("ip", "-j", *where, "link", "show", "dev", name, check=False) or "[]")
    return dict(links[0]) if links else {}


def refuse_stranger(lab: str) -> None:
    """Raise LabError if a lab of this name has its state in another folder.

    All labs of the machine share the names of network namespaces.
    """
    state = link(switch(lab)).get("ifalias", "")
    if state not in ("", str(state_folder())):
        raise LabError(
            f"a lab called {lab} is up with its state in {state}: "
            f"end it first, XRAY_OPS_LAB={state} python -m lab --name {lab} down"
        )


def make_switch(lab: str, network: Network) -> None:
    """Make the switch and the machine's port on it, if they are missing or incomplete."""
    name, owner = switch(lab), str(state_folder())
    # The guard routes come first: packets for the lab must never leave the machine.
    ip(*(f"route replace unreachable {block} metric 4096" for block in blocks(network)))
    if link(name).get("ifalias") == owner:
        return
    remove(lab)
    address4, address6 = network.machine
    ip(f"netns add {name}", f"link add {name} type veth peer name machine netns {name}")
    ip(
        f"link add {BRIDGE} type bridge mcast_snooping 0",
        f"link set machine master {BRIDGE} up",
        f"link set {BRIDGE} up",
        inside=name,
    )
    ip(
        f"addr add {address4}/24 dev {name}",
        f"addr add {address6}/64 dev {name} nodad",
        f"link set {name} up",
        f"link set {name} alias {owner}",
    )


def make_member(lab: str, member: str, addresses: tuple[str, str], *lines: str) -> None:
    """Connect the namespace of *member* to the switch, if it is missing or incomplete.

    *lines* are further settings for ``ip``. It has no way out: only the lab's network, and the
    routes in *lines*, can be reached.
    """
    hub, own = switch(lab), namespace(lab, member)
    if (NAMESPACES / own).exists():
        if link(member, inside=hub).get("ifalias") == MADE:
            return
        run("ip", "netns", "del", own)
    run("ip", "-n", hub, "link", "del", member, check=False)
    ip(f"netns add {own}")
    ip(f"link add {member} type veth peer name {PORT} netns {own}", inside=hub)
    ip(
        "link set lo up",
        f"addr add {addresses[0]}/24 dev {PORT}",
        f"addr add {addresses[1]}/64 dev {PORT} nodad",
        f"link set {PORT} up",
        "route add unreachable default metric 4096",
        "route add unreachable ::/0 metric 4096",
        *lines,
        inside=own,
    )
    ip(
        f"link set {member} master {BRIDGE}",
        f"link set {member} up",
        f"link set {member} alias {MADE}",
        inside=hub,
    )


def make_world(lab: str, network: Network) -> None:
    """Connect the world, which has the addresses that look public."""
    targets = (f"addr add {TARGET4}/32 dev lo", f"addr add {TARGET6}/128 dev lo nodad")
    make_member(lab, "world", network.world, *targets)


def make_host(lab: str, host: str, index: int, network: Network) -> None:
    """Connect a host. Outside its own network it can reach only the world."""
    world4, world6 = network.world
    routes = (f"route add {TARGETS4} via {world4}", f"route add {TARGETS6} via {world6}")
    make_member(lab, host, network.host(index), *routes)


def remove(lab: str) -> None:
    """Delete every namespace of a lab, and with them its links and rules."""
    hub = switch(lab)
    for place in NAMESPACES.glob(f"{hub}*") if NAMESPACES.exists() else ():
        if place.name == hub or place.name.startswith(f"{hub}."):
            run("ip", "netns", "del", place.name)
    # The kernel deletes a namespace later, but the name of its link must be free now.
    run("ip", "link", "del", hub, check=False)


def remove_guards() -> None:
    """Remove the guard routes of networks without a lab, in any state folder."""
    for family, ours in (("-4", "10.123."), ("-6", "fd0a:7b:")):
        used = run("ip", family, "route", "show", "proto", "kernel")
        for route in run("ip", family, "route", "show", "type", "unreachable").splitlines():
            block = route.split()[1]
            if block.startswith(ours) and "metric 4096" in route and f"{block} " not in used:
                run("ip", family, "route", "del", "unreachable", block, "metric", "4096")


def blocks(network: Network) -> tuple[str, str]:
    """Return the IPv4 and the IPv6 network of a lab."""
    return network.block4, network.block6
