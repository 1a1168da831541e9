"""Where accounting goes wrong elsewhere, as far as no other file looks into it.

The other pitfalls are in the tests of the ledger, of collecting, of the lab; `test_house.py` lists
them all.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from socket import SO_REUSEPORT, SOL_SOCKET, create_server, socket
from typing import Any

import pytest

from ops.config.lint import ERROR, judge
from ops.config.render import render
from ops.counting.xray_api import read, reading_of
from ops.counting.xray_api.stubs.stats_pb2 import DESCRIPTOR
from ops.errors import FleetError
from ops.fleet import inventory
from ops.model import Secrets, Traffic, layout
from ops.servers.on_host import files, health, service
from ops.servers.on_host.core import LocalApi
from ops.servers.on_host.service import Service
from tests import configs, fleets, sample
from tests.lane import Lane
from tests.loopback import counters, exchange, free_port, running, until

Change = Callable[[dict[str, Any]], object]
SILENT: dict[str, Change] = {
    "a user without an email": lambda c: c["inbounds"][0]["settings"]["clients"][0].pop("email"),
    "a level without a policy": lambda c: c["policy"]["levels"].clear(),
    "no stats": lambda c: c.pop("stats"),
    "no StatsService": lambda c: c["api"].update(services=["HandlerService"]),
}


@pytest.mark.parametrize("change", SILENT.values(), ids=list(SILENT))
def test_pitfall_11_a_config_that_would_count_nothing_is_refused(
    tmp_path: Path, change: Change
) -> None:
    config = configs.rendered(tmp_path)

    def errors() -> list[str]:
        hits = judge(config, configs.ours())
        return [r.code for r, h in hits if (h.severity or r.severity) == ERROR]

    assert errors() == []
    change(config)
    assert errors()


class Ours(Service):
    """The service as systemd would show it, if this process were the core."""

    def __init__(self) -> None:
        self.active, self.pid, self.restarts, self.run = "active", os.getpid(), 0, "5f"


def unhealthy(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], said: Any) -> str:
    """Return what a rollout finds wrong with a core that answers what is *said* to it."""
    monkeypatch.setattr(service, "started_config", lambda: config)
    monkeypatch.setattr(LocalApi, "call", lambda *_: said)
    return health.fault(Ours(), os.getpid(), config, restarted=True)


def listening_on(port: int) -> dict[str, Any]:
    one = {"tag": "ss", "port": port, "protocol": "vless", "settings": {"clients": []}}
    return {"inbounds": [one], "api": {"listen": layout.SOCKET}}


def test_pitfall_11_a_rollout_proves_that_the_core_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(create_server(("127.0.0.1", 0))) as held:
        config = listening_on(held.getsockname()[1])
        assert "not of this run" in unhealthy(monkeypatch, config, {})
        run = {"name": f"outbound>>>{layout.RUN_PREFIX}5f>>>traffic>>>uplink"}
        assert "ss has no counters" in unhealthy(monkeypatch, config, {"stat": [run]})


@pytest.mark.parametrize("keys", ["[keys.Bob]\n", '[keys.bob]\n[keys."BOB"]\n'])
def test_pitfall_12_names_that_differ_in_case_alone_are_refused(tmp_path: Path, keys: str) -> None:
    with pytest.raises(FleetError) as caught:
        inventory.load(fleets.write(tmp_path, keys=keys))
    assert ["small letters" in problem.message for problem in caught.value.problems] == [True]


def test_pitfall_14_who_has_hung_up_is_in_the_total(lane: Lane) -> None:
    before = lane.used()
    exchange(lane.socks["ss"], "127.0.0.1", lane.target.port, 10_000, 20_000)
    until(lambda: lane.used()[1] >= before[1] + 20_000, "the counters")
    found = asyncio.run(read(lane.api, lane.host, timeout=30)).users["alice"]
    assert (found.uplink, found.downlink) >= (before[0] + 10_000, before[1] + 20_000)


def test_pitfall_14_nobody_asks_who_is_online() -> None:
    (stats,) = DESCRIPTOR.services_by_name.values()
    assert {method.name for method in stats.methods} == {"QueryStats", "GetSysStats"}


def test_pitfall_25_the_apis_own_calls_are_nobodys_traffic(core: Path, tmp_path: Path) -> None:
    host = sample.host(api="inbound", inbounds=())
    port = free_port()
    text = render(sample.fleet(host), host, Secrets()).replace(str(layout.API_PORT), str(port))
    with running(core, json.loads(text), tmp_path / "server", port):
        server = f"127.0.0.1:{port}"
        until(lambda: counters(core, server)["inbound>>>api-in>>>traffic>>>uplink"], "a count")
        now = datetime.now(UTC)
        reading = reading_of(
            counters(core, server).items(),
            host="ams",
            way="port",
            read_at=now,
            counting_since=now,
        )
        assert reading.inbounds == {}
        assert reading.users == {}
        assert all(moved == Traffic() for moved in reading.outbounds.values())


def test_pitfall_26_a_second_process_on_a_port_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROOT", Path("/"))
    with closing(socket()) as held:
        held.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        share = (
            "import socket, sys; s = socket.socket();"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);"
            f"s.bind(('127.0.0.1', {port})); s.listen(); print(flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", share], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout
            other.stdout.readline()
            said = unhealthy(monkeypatch, listening_on(port), {})
            assert said.startswith(f"tcp/{port} is shared with ")
            assert said.endswith(f"(pid {other.pid})")
            other.communicate()
        assert "shared" not in unhealthy(monkeypatch, listening_on(port), {})
