"""Where the rollout itself keeps things on a host; what the product shares is in ``layout``."""

from ops.model import layout

ROOT_GROUP = "root"
CONFIG_FOLDER = "/etc/xray"
SOURCES = f"{CONFIG_FOLDER}/certificates.json"
"""Which certificates of the host are copied for which inbound."""

UNITS = "/etc/systemd/system"
UNIT = layout.UNIT_FILE
MINUTE = "xray-minute"
RECOVER = "xray-recover"
SYSCTL = "/etc/sysctl.d/90-xray-ops.conf"

PROGRAM = "/usr/local/lib/xray-ops/host.pyz"
"""This package, for the units: the stop hook, the minute's reading, the recovery at boot."""
CURRENT = f"{layout.CORES}/current"

STATE = "/var/lib/xray-ops"
RECORD = f"{STATE}/applied.json"
"""What was applied last: commit, clean or not, who, when."""
JOURNAL = f"{STATE}/unfinished.json"
"""There only while a set is being swapped: what to put back."""
LOCK = "/run/xray-ops.lock"
DRILL = "/run/xray-ops.drill"
"""Names a step after which the rollout kills itself: to practise what then happens."""

STARTED_CONFIG = f"{layout.RUNTIME}/config.json"
"""The very file the running core was started on."""
STARTED_UNIT = f"{layout.RUNTIME}/xray.service"
TAIL = f"{layout.RUNTIME}/run_tail.json"
"""The outbound whose name is the run's identity; as old as the run."""

ANSWER = "xray-ops-state:"
"""Begins the line that answers a look; a login shell may print others around it."""

TRANSIENT = "xray-rollout"
WRITTEN = (CONFIG_FOLDER, UNITS, layout.CORES, PROGRAM, STATE, layout.READINGS, layout.RUNTIME)
"""What a rollout, or the core's service, writes to."""

LINKS = {
    f"{UNITS}/multi-user.target.wants/{layout.UNIT}": f"../{layout.UNIT}",
    f"{UNITS}/multi-user.target.wants/{RECOVER}.service": f"../{RECOVER}.service",
    f"{UNITS}/timers.target.wants/{MINUTE}.timer": f"../{MINUTE}.timer",
}
"""What ``systemctl enable`` would make: files of the set like any other."""
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
