"""The lab's needs of this machine: root, programs of Debian, and one kernel setting."""

import os
import shutil
from pathlib import Path

from lab.errors import LabError

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ssh": "openssh-client",
    "ip": "iproute2",
}
"""By program: its Debian package."""
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_INSTANCES = 8192
"""About twenty hosts use up the kernel's default of 128."""


def obstacle() -> str:
    """Return the reason why no lab can run here; empty if it can."""
    if os.geteuid() != 0:
        return "the lab needs root; the unit tests run anywhere: make check"
    if not Path("/etc/debian_version").exists():
        return "the lab needs Debian 12; the unit tests run anywhere: make check"
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        return f"the lab needs {' '.join(missing)}: make lab-packages"
    return ""


def prepare() -> None:
    """Prepare this machine for labs; LabError if a need is missing."""
    reason = obstacle()
    if reason:
        raise LabError(reason)
    if int(INSTANCES.read_text()) < ENOUGH_INSTANCES:
        INSTANCES.write_text(str(ENOUGH_INSTANCES))
