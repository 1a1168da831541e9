"""Apply the kernel settings of `kernel_tuning = true`."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from ops.servers.on_host import files, places
from ops.servers.on_host.programs import run

MODULES = ("tcp_bbr", "sch_fq")
"""Kernel modules that the settings need."""


def apply(say: Callable[[str], None]) -> None:
    """Apply our sysctl file now. At boot systemd applies it.

    A setting that this kernel does not have is a warning.
    """
    if shutil.which("modprobe"):  # a container has no modprobe, and uses the modules of its host
        run(["modprobe", "-aq", *MODULES])
    for line in files.at(places.SYSCTL).read_text().splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if value and not name.startswith("#"):
            _set(name, value, say)


def _set(name: str, value: str, say: Callable[[str], None]) -> None:
    try:
        files.at(f"/proc/sys/{name.replace('.', '/')}").write_text(value)
    except OSError as error:
        say(f"warning: this kernel does not take {name} = {value}: {error.strerror}")
