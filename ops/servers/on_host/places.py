"""Paths on a host that only the rollout uses. `ops.model.layout` has the shared ones."""

from ops.model import layout

ROOT_GROUP = "root"
CONFIG_FOLDER = "/etc/xray"
SOURCES = f"{CONFIG_FOLDER}/certificates.json"
"""By inbound: the certificate files of the host to copy, as JSON."""

UNITS = "/etc/systemd/system"
UNIT = layout.UNIT_FILE
MINUTE = "xray-minute"
RECOVER = "xray-recover"
SYSCTL = "/etc/sysctl.d/90-xray-ops.conf"

PROGRAM = "/usr/local/lib/xray-ops/host.pyz"
"""This package as a program, for the units of the core, the timer and the recovery."""
CURRENT = f"{layout.CORES}/current"
"""The link to the release in use."""

STATE = "/var/lib/xray-ops"
RECORD = f"{STATE}/applied.json"
"""The record of the last rollout: its commit, operator and time, as JSON."""
JOURNAL = f"{STATE}/unfinished.json"
"""The journal of a swap: the files to put back. It exists only during a swap."""
LOCK = "/run/xray-ops.lock"
DRILL = "/run/xray-ops.drill"
"""The name of a step in this file makes the next rollout kill itself after that step."""

STARTED_CONFIG = f"{layout.RUNTIME}/config.json"
"""The copy of the config that the running core started on."""
STARTED_UNIT = f"{layout.RUNTIME}/xray.service"
TAIL = f"{layout.RUNTIME}/run_tail.json"
"""The second config of the core: an outbound named after the id of the run."""

ANSWER = "xray-ops-state:"
"""The start of the line with the state. A login shell may print other lines around it."""

TRANSIENT = "xray-rollout"
WRITTEN = (CONFIG_FOLDER, UNITS, layout.CORES, PROGRAM, STATE, layout.READINGS, layout.RUNTIME)
"""Paths that a rollout, or the service of the core, writes to."""

LINKS = {
    f"{UNITS}/multi-user.target.wants/{layout.UNIT}": f"../{layout.UNIT}",
    f"{UNITS}/multi-user.target.wants/{RECOVER}.service": f"../{RECOVER}.service",
    f"{UNITS}/timers.target.wants/{MINUTE}.timer": f"../{MINUTE}.timer",
}
"""The links that ``systemctl enable`` would make. They are part of the set."""
OURS = (
    layout.CONFIG,
    SOURCES,
    UNIT,
    f"{UNITS}/{MINUTE}.service",
    f"{UNITS}/{MINUTE}.timer",
    f"{UNITS}/{RECOVER}.service",
    SYSCTL,
    PROGRAM,
    CURRENT,
    *LINKS,
)
"""Every file and link that a set may hold."""
