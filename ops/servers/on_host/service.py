"""The core's service on this host, as systemd sees it."""

from __future__ import annotations

from typing import Any

from ops.model import layout
from ops.servers.on_host import files, intact, places, users
from ops.servers.on_host.core import reason
from ops.servers.on_host.programs import properties, run, systemctl

TIMER = f"{places.MINUTE}.timer"
SHOWN = ("ActiveState", "MainPID", "NRestarts", "InvocationID", "NeedDaemonReload", "ExecStart")


class Service:
    """The core's service at one moment."""

    def __init__(self) -> None:
        shown, timer = properties((layout.UNIT, TIMER), SHOWN)
        self.active = shown.get("ActiveState", "")
        self.pid = int(shown.get("MainPID") or 0)
        self.restarts = int(shown.get("NRestarts") or 0)
        self.run = shown.get("InvocationID", "")
        self.stale = shown.get("NeedDaemonReload") == "yes"
        self.starts = shown.get("ExecStart", "")
        """What systemd runs as the service, in its own notation."""
        self.timer = timer.get("ActiveState") == "active"

    @property
    def runs(self) -> bool:
        """Return whether the core has a process now."""
        return self.active == "active" and self.pid != 0

    @property
    def core(self) -> str:
        """Return the release, by its SHA-256, whose program the process is; or nothing."""
        return intact.release_of(self.pid) if self.pid else ""


def last_words(config: dict[str, Any]) -> str:
    """Return why the core ended or what it complained of last, without a secret of *config*."""
    service = Service()
    only = [f"_SYSTEMD_INVOCATION_ID={service.run}"] if service.run else ["-u", layout.UNIT]
    said = run(["journalctl", *only, "-o", "cat", "-n", "30", "--no-pager"]).stdout
    return masked(reason(said), config)


def masked(text: str, config: dict[str, Any]) -> str:
    """Return *text* with whatever in it is a secret of *config* struck out.

    >>> one = {"tag": "ws", "settings": {"clients": [{"id": "5783a3e7", "email": "alice"}]}}
    >>> masked("invalid id: 5783a3e7", {"inbounds": [one]})
    'invalid id: ***'
    """
    for inbound in config.get("inbounds", []):
        held = [entry.get(name) for entry in users.entries(inbound) for name in users.PROOFS]
        held.append(inbound.get("settings", {}).get("password"))
        reality = inbound.get("streamSettings", {}).get("realitySettings", {})
        held += [reality.get("privateKey"), *reality.get("shortIds", [])]
        for secret in held:
            text = text.replace(secret, "***") if secret else text
    return text


def started_config() -> dict[str, Any]:
    """Return the config that the running core was started on; empty if none of ours runs."""
    return _config(places.STARTED_CONFIG)


def live_config() -> dict[str, Any]:
    """Return the config that the next start would take."""
    return _config(layout.CONFIG)


def _config(path: str) -> dict[str, Any]:
    """Return the config at *path*; empty if it holds anything else."""
    config = files.read_json(path)
    return config if isinstance(config, dict) else {}


def restart() -> None:
    """Start the core anew; its stop hook takes the last reading."""
    if not Service().runs:
        # A core that ended again and again is counted until it is stopped, also when it is healed.
        systemctl("stop", layout.UNIT)
        run(["systemctl", "reset-failed", layout.UNIT])
    systemctl("restart", layout.UNIT)


def settle() -> None:
    """Have systemd read the units, and run those that go with the core."""
    systemctl("daemon-reload")
    if files.at(f"{places.UNITS}/{TIMER}").exists():
        systemctl("restart", TIMER)


def end() -> None:
    """Stop what runs under our units."""
    for unit in (TIMER, layout.UNIT):
        run(["systemctl", "stop", unit], 60)
    forget()


def forget() -> None:
    """Have systemd forget units whose files are gone."""
    systemctl("daemon-reload")
    run(["systemctl", "reset-failed", layout.UNIT])
