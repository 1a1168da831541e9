"""What the lab asks of the machine: root, Debian's programs, and one setting."""

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
"""Program: the Debian package it comes from."""
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_INSTANCES = 8192
"""The kernel's usual 128 are used up by some twenty hosts."""


def obstacle() -> str:
    """Return why no lab can be here, as a sentence; empty if one can."""
    if os.geteuid() != 0:
        return "the lab needs root; the unit tests run anywhere: make check"
    if not Path("/etc/debian_version").exists():
        return "the lab needs Debian 12; the unit tests run anywhere: make check"
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        return f"the lab needs {' '.join(missing)}: make lab-packages"
    return ""


def prepare() -> None:
    """Make the machine ready for labs; LabError if it cannot be."""
    reason = obstacle()
    if reason:
        raise LabError(reason)
    if int(INSTANCES.read_text()) < ENOUGH_INSTANCES:
        INSTANCES.write_text(str(ENOUGH_INSTANCES))
