"""Identify the machine behind a host's name, and the runs that the fleet began on it. No ssh here.

The host prints its machine id, whether a core is installed, its uptime, and the file that
rollouts leave.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ops.model.layout import BELONGS, CORES, UNIT_FILE

DESCRIBE_MACHINE = f"""\
echo "machine $(head -c 64 /etc/machine-id 2>&-)"
core=none; [ -e {UNIT_FILE} ] || [ -L {CORES}/current ] && core=installed; echo "core $core"
read -r up _ </proc/uptime; read -r init </proc/1/stat
echo "up $up"; echo "init ${{init##*) }}"
if [ -f {BELONGS} ]; then head -c 1048576 {BELONGS} 2>&-; echo; fi
"""
"""Lines for a root shell on the host."""
_WORD = re.compile(r"[0-9A-Za-z-]{1,64}")
_UPTIME = re.compile(r"\d{1,12}(\.\d{1,6})?")
_STARTED = 19
"""Index of the field ``starttime`` after the process name in /proc/1/stat (proc(5))."""
_TICKS = 100
"""Ticks a second in /proc, on all machines that Debian and Ubuntu run on."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine behind a host's name."""

    id: str = ""
    """/etc/machine-id; empty if there is none. It never leaves this program: see identity()."""
    fleet: str = ""
    """The id of the fleet that rolls out there; empty if no rollout left one."""
    before: frozenset[str] = frozenset()
    """Runs that existed before that fleet's first rollout."""
    installed: bool = True
    """Whether a core is installed at the place that rollouts use."""
    up: float | None = None
    """Seconds since the machine's first process started; None if unknown. In a container the
    kernel has been up for longer."""

    def identity(self, fleet: str) -> str:
        """Return the machine's identity for *fleet*: a hash, empty without a machine id.

        A machine that another fleet uses has another identity, so that its counters stay apart.
        """
        if not self.id:
            return ""
        other = self.fleet if self.fleet != fleet else ""
        return sha256(f"{self.id} {other}".encode()).hexdigest()[:32]

    def begun_by(self, fleet: str, runs: Iterable[str]) -> frozenset[str]:
        """Return those of *runs* that rollouts of *fleet* began."""
        ours = bool(fleet) and fleet == self.fleet
        return frozenset(run for run in runs if ours and run and run not in self.before)

    def older_than(self, fleet: str, runs: Iterable[str]) -> frozenset[str]:
        """Return those of *runs* that *fleet* did not begin, by the machine's own file.

        If another fleet rolls out there, that is all of *runs*.
        """
        if self.fleet and fleet and self.fleet != fleet:
            return frozenset(run for run in runs if run)
        return self.before


def parse_machine(printed: str) -> Machine:
    """Return the machine in *printed*, the output of DESCRIBE_MACHINE; other lines are ignored.

    >>> machine = parse_machine("machine 0af1\\ncore installed\\nfleet f1\\nbefore r0\\n")
    >>> machine.begun_by("f1", ["r0", "r1"])
    frozenset({'r1'})
    """
    words: dict[str, list[str]] = {}
    for line in printed.split("\n"):
        name, _, value = line.partition(" ")
        if name in ("machine", "core", "fleet", "before") and _WORD.fullmatch(value):
            words.setdefault(name, []).append(value)
    return Machine(
        id=words.get("machine", [""])[0],
        fleet=words.get("fleet", [""])[0],
        before=frozenset(words.get("before", ())),
        installed=words.get("core") != ["none"],
        up=_uptime(printed),
    )


def _uptime(printed: str) -> float | None:
    """Return the seconds since the first process started; None if they cannot be read.

    Both figures come from the kernel's monotonic clock, so that a wrong date does not matter.

    >>> _uptime("up 5000.25\\ninit S" + " 0" * 18 + " 200 7\\n")
    4998.25
    """
    lines = dict(line.split(" ", 1) for line in printed.split("\n") if " " in line)
    up, fields = lines.get("up", ""), lines.get("init", "").split(" ")
    if len(fields) <= _STARTED:
        return None
    if not (_UPTIME.fullmatch(up) and _UPTIME.fullmatch(fields[_STARTED])):
        return None
    return max(0.0, float(up) - float(fields[_STARTED]) / _TICKS)
