"""The service of the core on this host, seen and controlled through systemd."""

from __future__ import annotations

from typing import Any

from ops.model import layout
from ops.servers.on_host import files, intact, places, users
from ops.servers.on_host.core import reason
from ops.servers.on_host.programs import properties, run, systemctl

TIMER = f"{places.MINUTE}.timer"
SHOWN = ("ActiveState", "MainPID", "NRestarts", "InvocationID", "NeedDaemonReload", "ExecStart")


class Service:
    """The state of the core's service at one moment."""

    def __init__(self) -> None:
        shown, timer = properties((layout.UNIT, TIMER), SHOWN)
        self.active = shown.get("ActiveState", "")
        self.pid = int(shown.get("MainPID") or 0)
        self.restarts = int(shown.get("NRestarts") or 0)
        self.run = shown.get("InvocationID", "")
        self.stale = shown.get("NeedDaemonReload") == "yes"
        self.starts = shown.get("ExecStart", "")
        """The property ExecStart in systemd's notation."""
        self.timer = timer.get("ActiveState") == "active"

    @property
    def runs(self) -> bool:
        """Return whether the core runs."""
        return self.active == "active" and self.pid != 0

    @property
    def core(self) -> str:
        """Return the SHA-256 of the release that the process runs; empty if unknown."""
        return intact.release_of(self.pid) if self.pid else ""


def last_error(config: dict[str, Any]) -> str:
    """Return the last error in the core's log, without any secret of *config*."""
    service = Service()
    only = [f"_SYSTEMD_INVOCATION_ID={service.run}"] if service.run else ["-u", layout.UNIT]
    log = run(["journalctl", *only, "-o", "cat", "-n", "30", "--no-pager"]).stdout
    return masked(reason(log), config)


def masked(text: str, config: dict[str, Any]) -> str:
    """Return *text* with asterisks in place of every secret of *config*.

    >>> one = {"tag": "ws", "settings": {"clients": [{"id": "5783a3e7", "email": "alice"}]}}
    >>> masked("invalid id: 5783a3e7", {"inbounds": [one]})
    'invalid id: ***'
    """
    for inbound in config.get("inbounds", []):
        secrets = [entry.get(name) for entry in users.entries(inbound) for name in users.PROOFS]
        secrets.append(inbound.get("settings", {}).get("password"))
        reality = inbound.get("streamSettings", {}).get("realitySettings", {})
        secrets += [reality.get("privateKey"), *reality.get("shortIds", [])]
        for secret in secrets:
            text = text.replace(secret, "***") if secret else text
    return text


def started_config() -> dict[str, Any]:
    """Return the config that the running core started on; empty if no core of ours runs."""
    return _config(places.STARTED_CONFIG)


def config_on_disk() -> dict[str, Any]:
    """Return the config of the next start; empty if there is none."""
    return _config(layout.CONFIG)


def _config(path: str) -> dict[str, Any]:
    """Return the config at *path*; empty if the file is missing or no config."""
    config = files.read_json(path)
    return config if isinstance(config, dict) else {}


def restart() -> None:
    """Restart the core. Its stop hook saves the last reading."""
    if not Service().runs:
        # Only a stop resets systemd's count of restarts, which would still look like a crash loop.
        systemctl("stop", layout.UNIT)
        run(["systemctl", "reset-failed", layout.UNIT])
    systemctl("restart", layout.UNIT)


def settle() -> None:
    """Make systemd read the units again, and restart the timer."""
    systemctl("daemon-reload")
    if files.at(f"{places.UNITS}/{TIMER}").exists():
        systemctl("restart", TIMER)


def end() -> None:
    """Stop the timer and the core."""
    for unit in (TIMER, layout.UNIT):
        run(["systemctl", "stop", unit], 60)
    forget()


def forget() -> None:
    """Make systemd forget deleted units."""
    systemctl("daemon-reload")
    run(["systemctl", "reset-failed", layout.UNIT])
