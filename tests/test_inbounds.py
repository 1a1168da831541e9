"""Every kind of inbound on the real core: what is rendered runs, carries, counts and guards."""

import json
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from ops.config.render import placeholders, render, users
from ops.model import Key, Secrets, layout
from tests import sample
from tests.lane import DISGUISED, GUARDED, OWN, PLAIN, Lane, here
from tests.loopback import (
    answers,
    api,
    counters,
    dialled,
    echoed,
    exchange,
    free_port,
    running,
    until,
)

UP, DOWN = 1_234_577, 3_456_789


@pytest.mark.parametrize("name", sample.KINDS)
def test_payload_is_carried_and_counted_live_within_half_a_percent(lane: Lane, name: str) -> None:
    before = lane.used()
    exchange(lane.socks[name], "127.0.0.1", lane.target.port, UP, DOWN)
    until(lambda: lane.used()[1] - before[1] >= DOWN, "the counters")
    up, down = (now - then for now, then in zip(lane.used(), before, strict=True))
    assert UP <= up <= UP * 1.005
    assert DOWN <= down <= DOWN * 1.005


@pytest.mark.parametrize("name", sample.KINDS)
def test_datagrams_are_carried_and_counted(lane: Lane, name: str) -> None:
    before = lane.used()
    data = bytes(range(256)) * 4
    assert echoed(lane.socks[name], "127.0.0.1", lane.target.port, data) == data
    until(lambda: lane.used()[1] - before[1] >= len(data), "the counters")


@pytest.mark.parametrize("name", sample.KINDS)
def test_inbounds_listen_on_both_families(lane: Lane, name: str) -> None:
    port = lane.host.inbound(name).port
    assert answers(port, "127.0.0.1")
    assert answers(port, "::1")


@pytest.mark.parametrize("name", sample.KINDS)
@pytest.mark.parametrize("said", [PLAIN, DISGUISED], ids=["plain", "disguised"])
def test_users_reach_neither_the_host_nor_its_neighbours(
    lane: Lane, name: str, said: bytes
) -> None:
    before = lane.logs.blocked()
    with ExitStack() as stack:
        for address in GUARDED:
            way = dialled(lane.socks[name], address, lane.forbidden.port)
            stack.enter_context(way).sendall(said)
        until(lambda: lane.logs.blocked() - before >= len(GUARDED), "all to be blocked")
    assert lane.forbidden.reached == []


@pytest.mark.parametrize("name", sample.KINDS)
def test_datagrams_reach_neither(lane: Lane, name: str) -> None:
    before = lane.logs.blocked()
    socks, port = lane.socks[name], lane.forbidden.port
    assert echoed(socks, "127.0.0.1", port, b"hello", patience=0.3) == b""
    assert lane.logs.blocked() > before
    assert lane.forbidden.reached == []


def test_users_reach_what_is_opened_under_any_name(lane: Lane) -> None:
    with dialled(lane.socks["ws"], "127.0.0.1", lane.target.port) as connection:
        connection.sendall(DISGUISED)
        until(lambda: "127.0.0.1" in "".join(lane.target.reached), "the target to be reached")


def test_the_core_takes_the_config_and_warns_of_nothing_we_could_write_otherwise(
    lane: Lane, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    text = render(lane.fleet, lane.host, lane.secrets, [OWN])
    file.write_text(json.dumps(here(text, lane.folder)))
    done = subprocess.run([lane.core, "run", "-test", "-c", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    warnings = [line for line in done.stdout.splitlines() if "[Warning]" in line]
    known = ("The feature ", "Listening on non-443 ports")  # of the kinds themselves
    assert [line for line in warnings if not any(word in line for word in known)] == []


@pytest.mark.parametrize("name", sample.KINDS)
def test_users_come_and_go_without_a_restart_even_the_first(
    lane: Lane, tmp_path: Path, name: str
) -> None:
    inbound = replace(lane.host.inbound(name), port=free_port())
    host = replace(lane.host, inbounds=(inbound,))
    empty = replace(lane.fleet, hosts=(host,), keys=())
    full = replace(empty, keys=(Key(name="alice~2"),))
    secrets = replace(placeholders(full), inbounds=lane.secrets.inbounds)
    for file in lane.folder.glob(f"{name}.[ck]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before, after = (render(f, host, secrets) for f in (empty, full))
    server = f"unix:{tmp_path}/api.sock"
    with running(lane.core, here(before, tmp_path), tmp_path / "server", inbound.port):
        wanted = tmp_path / "add.json"
        # Its certificates are read, too, though only users are added.
        wanted.write_text(json.dumps({"inbounds": here(after, tmp_path)["inbounds"]}))
        api(lane.core, server, "adu", wanted)
        for gone in set(users(before)) - set(users(after)):
            api(lane.core, server, "rmu", f"-tag={gone.inbound}", gone.name)
        found = api(lane.core, server, "inbounduser", f"-tag={name}")["users"]
        assert [user["email"] for user in found] == ["alice~2"]


def test_the_api_inbound_answers_and_does_not_call_itself(core: Path, tmp_path: Path) -> None:
    host = sample.host(api="inbound", inbounds=())
    fleet = sample.fleet(host)
    port = free_port()
    text = render(fleet, host, Secrets()).replace(str(layout.API_PORT), str(port))
    with running(core, json.loads(text), tmp_path / "server", port):
        found = counters(core, f"127.0.0.1:{port}")
        assert found["outbound>>>direct>>>traffic>>>uplink"] == 0
