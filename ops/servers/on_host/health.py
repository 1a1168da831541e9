"""Prove that the core serves its config, or name the fault."""

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
"""Seconds for a core to become healthy. It usually takes less than one."""
LIVED = 1.0
"""Seconds that a new core must run, because a broken one may end shortly after its start."""
STEP = 0.05
"""Seconds between two checks."""


def prove(config: dict[str, Any], restarted: bool, deadline: float = DEADLINE) -> None:
    """Wait until the running core serves *config*; RolloutError with the fault at the *deadline*.

    *deadline* is in seconds. *restarted* demands a new process that does not restart again.
    """
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
            raise RolloutError(_message(missing or "it ended during the check", config))
        time.sleep(STEP if missing else max(STEP, LIVED - lived))


def fault(now: Service, first: int, config: dict[str, Any], restarted: bool) -> str:
    """Return the fault that makes the core unhealthy; empty if there is none.

    *first* is the process id of the core at the first check.
    """
    checks: tuple[Callable[[], str], ...] = (
        lambda: "" if now.runs else f"the service is {now.active}",
        lambda: "" if now.pid == first else "the core was restarted meanwhile",
        lambda: "" if not (restarted and now.restarts) else "the core keeps ending",
        lambda: _started(config),
        lambda: _ports(now.pid, config),
        lambda: _answers(now, config),
    )
    try:
        return next((problem for problem in (check() for check in checks) if problem), "")
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
    """Return the ports that *config* opens, such as ``tcp/443``."""
    ports = set()
    for inbound in config.get("inbounds", []):
        networks = inbound.get("settings", {}).get("network", "tcp")
        ports |= {f"{name}/{inbound['port']}" for name in str(networks).split(",")}
    return ports


def _answers(now: Service, config: dict[str, Any]) -> str:
    api = LocalApi(config)
    counters = api.counters()
    if run_of(counters) != now.run:
        return f"its counters are not of this run ({layout.RUN_PREFIX}{now.run} is missing)"
    for inbound in config.get("inbounds", []):
        if f"inbound>>>{inbound['tag']}>>>traffic>>>uplink" not in counters:
            return f"the inbound {inbound['tag']} has no counters"
    return _same_users(users.of_config(config), api.users()) if api.lists_users else ""


def _same_users(wanted: users.Users, running: users.Users) -> str:
    for tag, named in wanted.items():
        odd = sorted(n for n, _ in set(named.items()) ^ set(running.get(tag, {}).items()))
        if odd:
            return f"the users of the inbound {tag} differ: {', '.join(dict.fromkeys(odd))}"
    return ""


def _message(missing: str, config: dict[str, Any]) -> str:
    return f"the core is not healthy: {missing}; its last log line: {service.last_error(config)}"
