"""A lab's wires: a switch, the machine, the world and the hosts, each a network namespace.

The switch has a namespace of its own, so that the machine's firewall does not meet what hosts say
to each other, and so that one deletion takes every port, rule and wire away.
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
"""What a host calls its network card."""
MADE = "made"
"""The alias that the last step of making a port sets: without it the port is half made."""


def switch(lab: str) -> str:
    """Return the name of a lab's switch: its namespace, and the machine's own port on it."""
    return f"xl-{lab}"  # a link's name has 15 characters at most


def namespace(lab: str, member: str) -> str:
    """Return the name of the network namespace of a host, or of the world."""
    return f"{switch(lab)}.{member}"


def ip(*lines: str, inside: str = "") -> None:
    """Run lines of ``ip``, all of them or an error, here or *inside* a namespace."""
    run("ip", *(["-n", inside] if inside else []), "-batch", "-", input="\n".join(lines) + "\n")


def link(name: str, inside: str = "") -> dict[str, Any]:
    """Return what ``ip`` knows of a link; empty if there is none."""
    where = ["-n", inside] if inside else []
    found = json.loads(run("ip", "-j", *where, "link", "show", "dev", name, check=False) or "[]")
    return dict(found[0]) if found else {}


def refuse_stranger(lab: str) -> None:
    """Refuse to touch a lab of this name whose state is kept elsewhere: names are the machine's."""
    state = link(switch(lab)).get("ifalias", "")
    if state not in ("", str(state_folder())):
        raise LabError(
            f"a lab called {lab} is up with its state in {state}: "
            f"end it first, XRAY_OPS_LAB={state} python -m lab --name {lab} down"
        )


def make_switch(lab: str, network: Network) -> None:
    """Make the switch and the machine's port on it, unless they are whole."""
    name, owner = switch(lab), str(state_folder())
    # The guard comes first: without the switch, nothing meant for the lab may leave the machine.
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
    """Plug a namespace into the switch, unless it is; *lines* are its own further setting up.

    It has no way out: what is neither on the lab's network nor in *lines* is unreachable.
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
    """Plug in the world: it owns the public-looking addresses."""
    targets = (f"addr add {TARGET4}/32 dev lo", f"addr add {TARGET6}/128 dev lo nodad")
    make_member(lab, "world", network.world, *targets)


def make_host(lab: str, host: str, index: int, network: Network) -> None:
    """Plug in a host: the only way it knows besides its own network leads to the world."""
    world4, world6 = network.world
    routes = (f"route add {TARGETS4} via {world4}", f"route add {TARGETS6} via {world6}")
    make_member(lab, host, network.host(index), *routes)


def remove(lab: str) -> None:
    """Take every namespace of a lab away, and with them its links and rules."""
    hub = switch(lab)
    for found in NAMESPACES.glob(f"{hub}*") if NAMESPACES.exists() else ():
        if found.name == hub or found.name.startswith(f"{hub}."):
            run("ip", "netns", "del", found.name)
    # The kernel tears a namespace down a moment later; the name must be free when we return.
    run("ip", "link", "del", hub, check=False)


def remove_guards() -> None:
    """Take the guard routes away of networks that no lab is using, of whatever state folder."""
    for family, ours in (("-4", "10.123."), ("-6", "fd0a:7b:")):
        used = run("ip", family, "route", "show", "proto", "kernel")
        for route in run("ip", family, "route", "show", "type", "unreachable").splitlines():
            block = route.split()[1]
            if block.startswith(ours) and "metric 4096" in route and f"{block} " not in used:
                run("ip", family, "route", "del", "unreachable", block, "metric", "4096")


def blocks(network: Network) -> tuple[str, str]:
    """Return the networks of a lab, v4 and v6."""
    return network.block4, network.block6
