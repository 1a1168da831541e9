"""Real Debian servers on your own machine: systemd, sshd, addresses of their own.

Hosts are containers of systemd-nspawn, on a network without a way out. Tests and the demo use
them like rented servers. No packet leaves this machine.

    with Lab.up("mine", 3) as lab:
        lab.host("lab1").run("systemctl is-system-running")
"""

from lab.errors import LabError
from lab.host import Host
from lab.lab import Lab, every_lab, purge, sweep
from lab.stream import Stream
from lab.traffic import Client, Moved

__all__ = ["Client", "Host", "Lab", "LabError", "Moved", "Stream", "every_lab", "purge", "sweep"]
