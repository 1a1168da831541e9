"""Kernel settings that the fleet opted into: what this kernel lacks is said, and no failure."""

from __future__ import annotations

from collections.abc import Callable

from ops.rollout.on_host import files, places
from ops.rollout.on_host.programs import last_words, run


def apply(say: Callable[[str], None]) -> None:
    """Set every line of our sysctl file now; at boot systemd does."""
    run(["modprobe", "-aq", "tcp_bbr", "sch_fq"])
    for line in files.at(places.SYSCTL).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            done = run(["sysctl", "-q", "-w", line.strip()])
            if done.returncode or done.stderr.strip():
                say(f"warning: this kernel does not take {line.strip()}: {last_words(done)}")
