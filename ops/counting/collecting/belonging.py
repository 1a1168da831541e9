"""Which machine answers under a host's name, and whether its counters are the fleet's. No ssh here.

A look prints the machine's id, whether a core is installed, and the file that rollouts leave.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ops.model.layout import BELONGS, CORES, UNIT_FILE

SCRIPT = f"""\
echo "machine $(head -c 64 /etc/machine-id 2>&-)"
core=none; [ -e {UNIT_FILE} ] || [ -L {CORES}/current ] && core=installed; echo "core $core"
read -r up _ </proc/uptime; read -r init </proc/1/stat
echo "up $up"; echo "init ${{init##*) }}"
if [ -f {BELONGS} ]; then head -c 1048576 {BELONGS} 2>&-; echo; fi
"""
_WORD = re.compile(r"[0-9A-Za-z-]{1,64}")
_UP = re.compile(r"\d{1,12}(\.\d{1,6})?")
_STARTED = 19
"""Which of the fields of /proc/1/stat after the name says when the process started (proc(5))."""
_TICKS = 100
"""Ticks a second in /proc, on all machines that Debian and Ubuntu run on."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """The machine behind a host's name."""

    machine: str = ""
    """Its id, of no use to anybody else; empty if it has none."""
    fleet: str = ""
    """The fleet whose rollouts begin its runs; empty if none has said so."""
    before: frozenset[str] = frozenset()
    """Runs that were there before that fleet's first rollout."""
    installed: bool = True
    """Whether a core is installed where a rollout puts it."""
    up: float | None = None
    """Seconds since its first process started; None if that is not known. In a container the
    kernel has been up for longer."""

    def seen_by(self, fleet: str) -> str:
        """Return the machine's identity for *fleet*: one that another fleet uses is another one."""
        if not self.machine:
            return ""
        other = self.fleet if self.fleet != fleet else ""
        return sha256(f"{self.machine} {other}".encode()).hexdigest()[:32]

    def begun_by(self, fleet: str, runs: Iterable[str]) -> frozenset[str]:
        """Return those of *runs* that rollouts of *fleet* began."""
        ours = bool(fleet) and fleet == self.fleet
        return frozenset(run for run in runs if ours and run and run not in self.before)

    def older_than(self, fleet: str, runs: Iterable[str]) -> frozenset[str]:
        """Return those of *runs* that *fleet* did not begin, as the machine itself says."""
        if self.fleet and fleet and self.fleet != fleet:
            return frozenset(run for run in runs if run)
        return self.before


def belonging(printed: str) -> Belonging:
    """Return what SCRIPT *printed*; lines that it does not know are left out.

    >>> found = belonging("machine 0af1\\ncore installed\\nfleet f1\\nbefore r0\\n")
    >>> found.begun_by("f1", ["r0", "r1"])
    frozenset({'r1'})
    """
    found: dict[str, list[str]] = {}
    for line in printed.split("\n"):
        name, _, value = line.partition(" ")
        if name in ("machine", "core", "fleet", "before") and _WORD.fullmatch(value):
            found.setdefault(name, []).append(value)
    return Belonging(
        machine=found.get("machine", [""])[0],
        fleet=found.get("fleet", [""])[0],
        before=frozenset(found.get("before", ())),
        installed=found.get("core") != ["none"],
        up=_up(printed),
    )


def _up(printed: str) -> float | None:
    """Return for how long the system has been up: no clock that can be set has a part in it.

    >>> _up("up 5000.25\\ninit S" + " 0" * 18 + " 200 7\\n")
    4998.25
    """
    lines = dict(line.split(" ", 1) for line in printed.split("\n") if " " in line)
    up, fields = lines.get("up", ""), lines.get("init", "").split(" ")
    if len(fields) <= _STARTED or not (_UP.fullmatch(up) and _UP.fullmatch(fields[_STARTED])):
        return None
    return max(0.0, float(up) - float(fields[_STARTED]) / _TICKS)
