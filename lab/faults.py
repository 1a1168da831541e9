"""Faults of the network between the machine and a host, made in the switch of the lab.

A port is the end of a host's cable at the switch. It has the name of the host.
"""

from pathlib import Path

from lab.cgroup import Cgroup
from lab.command import program, run
from lab.errors import LabError
from lab.links import BRIDGE, NAMESPACES, ip, link, switch
from lab.waiting import wait_until


def plug(lab: str, port: str, *, in_: bool) -> None:
    """Plug in the cable of the host, or pull it out."""
    ip(f"link set {port} {'up' if in_ else 'down'}", inside=switch(lab))


def lose(lab: str, port: str, percent: float) -> None:
    """Silently drop *percent* of the packets each way. 0 ends the loss."""
    if not 0 <= percent <= 100:
        raise LabError(f"loss is 0 to 100 percent, not {percent:g}")
    # "delete" needs an existing table, so "add" comes before it.
    rules = f"add table bridge {port}\ndelete table bridge {port}\n"
    if percent:
        chance = "" if percent == 100 else f"numgen random mod 10000 < {round(percent * 100)}"
        rules += f"""table bridge {port} {{
            chain way {{
                type filter hook forward priority 0
                iifname {port} {chance} drop
                oifname {port} {chance} drop
            }}
        }}\n"""
    run(*inside(lab), "nft", "-f", "-", input=rules)


def delay(lab: str, port: str, milliseconds: float, log: Path) -> None:
    """Delay every packet by *milliseconds* each way. 0 ends the delay.

    The kernel may lack netem, so the packets pass a program: cable, small bridge, TAP, program,
    TAP, switch. Nothing changes on the host, and its connections stay open.
    """
    hub, small, near, far = switch(lab), f"{port}-w", f"{port}-a", f"{port}-b"
    ip(f"link set {port} master {BRIDGE}", inside=hub)
    run("ip", "-n", hub, "link", "del", small, check=False)
    wire = Cgroup(f"{lab}/{port}-wire")
    wire.remove()
    if milliseconds <= 0:
        return
    words = program("lab.wire", near, far, str(milliseconds))
    wire.spawn(*inside(lab), *words, log=log)
    wait_until(lambda: bool(link(near, hub) and link(far, hub)), f"the slow wire of {port}")
    ip(
        f"link add {small} type bridge mcast_snooping 0",
        f"link set {near} master {small} up",
        f"link set {far} master {BRIDGE} up",
        f"link set {small} up",
        f"link set {port} master {small}",
        inside=hub,
    )


def inside(lab: str) -> list[str]:
    """Return the start of a command that runs in the namespace of the switch."""
    return ["nsenter", f"--net={NAMESPACES / switch(lab)}"]
