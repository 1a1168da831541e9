"""Prove that the core serves what its config says, or say what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ops.model import layout
from ops.servers.on_host import network, service, users
from ops.servers.on_host.core import LocalApi, run_of
from ops.servers.on_host.failure import RolloutError
from ops.servers.on_host.service import Service

DEADLINE = 10.0
"""Seconds for a core to become healthy; it takes less than one."""
LIVED = 1.0
"""Seconds a new core must have lived: one that dies on its first tick is not healthy."""
STEP = 0.05


def prove(config: dict[str, Any], restarted: bool, deadline: float = DEADLINE) -> None:
    """Return once the core that runs serves *config*; RolloutError with what is missing."""
    began = time.monotonic()
    first = 0
    while True:
        now = Service()
        first = first or now.pid
        missing = fault(now, first, config, restarted)
        lived = time.monotonic() - began
        if not missing and (lived >= LIVED or not restarted):
            return
        if now.active == "failed" or now.restarts or lived > deadline:
            raise RolloutError(_told(missing or "it ended while it was looked at", config))
        time.sleep(STEP if missing else max(STEP, LIVED - lived))


def fault(now: Service, first: int, config: dict[str, Any], restarted: bool) -> str:
    """Return what keeps the core from being healthy, or nothing."""
    checks: tuple[Callable[[], str], ...] = (
        lambda: "" if now.runs else f"the service is {now.active}",
        lambda: "" if now.pid == first else "the core was restarted meanwhile",
        lambda: "" if not (restarted and now.restarts) else "the core keeps ending",
        lambda: _started(config),
        lambda: _ports(now.pid, config),
        lambda: _answers(now, config),
    )
    try:
        return next((said for said in (check() for check in checks) if said), "")
    except (RolloutError, ValueError) as error:
        return f"its API does not answer: {error}"


def _started(config: dict[str, Any]) -> str:
    same = users.frame(service.started_config() or {"inbounds": []}) == users.frame(config)
    return "" if same else "it was started on another config"


def _ports(pid: int, config: dict[str, Any]) -> str:
    missing = wanted_ports(config) - network.ports_of(pid)
    if missing:
        return f"nothing listens on {', '.join(sorted(missing))}"
    shared = {f"{held.protocol}/{held.port}": held for held in network.listeners(besides=pid)}
    for port in sorted(wanted_ports(config) & shared.keys()):
        return f"{port} is shared with {shared[port].program} (pid {shared[port].pid})"
    return ""


def wanted_ports(config: dict[str, Any]) -> set[str]:
    """Return the ports that *config* opens, as ``tcp/443``."""
    ports = set()
    for inbound in config.get("inbounds", []):
        networks = inbound.get("settings", {}).get("network", "tcp")
        ports |= {f"{name}/{inbound['port']}" for name in str(networks).split(",")}
    return ports


def _answers(now: Service, config: dict[str, Any]) -> str:
    api = LocalApi(config)
    counters = api.counters()
    if run_of(counters) != now.run:
        return f"its counters are not of this run ({layout.RUN_PREFIX}{now.run} is not there)"
    for inbound in config.get("inbounds", []):
        if f"inbound>>>{inbound['tag']}>>>traffic>>>uplink" not in counters:
            return f"the inbound {inbound['tag']} has no counters"
    return _same_users(users.of_config(config), api.users()) if api.tells_users else ""


def _same_users(wanted: users.Users, there: users.Users) -> str:
    for tag, named in wanted.items():
        odd = sorted(n for n, _ in set(named.items()) ^ set(there.get(tag, {}).items()))
        if odd:
            return f"the users of the inbound {tag} differ: {', '.join(dict.fromkeys(odd))}"
    return ""


def _told(missing: str, config: dict[str, Any]) -> str:
    return f"the core is not healthy: {missing}; its last words: {service.last_words(config)}"
