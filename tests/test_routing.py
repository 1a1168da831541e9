"""Rules on the real core, by a server with one Shadowsocks inbound and a client of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ops.config.links import client
from ops.config.render import placeholders, render, users
from ops.model import Core, Host, Key, Rule
from tests.lane import DISGUISED, GUARDED, OWN, PLAIN, Lane, Logs, here, opened
from tests.loopback import dialled, free_port, running, until

PUBLIC = "9.9.9.9"
"""Never reached: what is sent there is blocked, or the test has failed."""


@dataclass
class Server:
    """A server that is not running yet."""

    lane: Lane
    host: Host
    folder: Path
    config: dict[str, Any]

    @contextmanager
    def entered(self, psk: str) -> Iterator[tuple[int, Logs]]:
        """Run it and a client that shows *psk*; give the client's SOCKS port and the logs."""
        lane, (inbound,), socks = self.lane, self.host.inbounds, free_port()
        key = lane.fleet.keys[0]
        way = client(lane.fleet, self.host, inbound, key, lane.secrets, "127.0.0.1", socks)
        account = way["outbounds"][0]["settings"]["servers"][0]
        account["password"] = f"{account['password'].split(':')[0]}:{psk}"
        with (
            running(lane.core, self.config, self.folder / "server", inbound.port) as log,
            running(lane.core, way, self.folder / "client", socks),
        ):
            yield socks, Logs(self.folder / "access.log", log)


def served(lane: Lane, folder: Path, **changes: Any) -> tuple[Server, str]:
    """Return a server of the lane's fleet with *changes*, and the PSK of its first user."""
    host = replace(lane.host, inbounds=(replace(lane.host.inbound("ss"), port=free_port()),))
    fleet = replace(lane.fleet, hosts=(host,), **changes)
    text = render(fleet, host, placeholders(fleet), [OWN])
    config = opened(here(text, folder), lane.target.port, folder / "access.log")
    return Server(lane, host, folder, config), users(text)[0].id


def test_the_user_that_stands_in_for_nobody_goes_nowhere(lane: Lane, tmp_path: Path) -> None:
    server, worked_out = served(lane, tmp_path, keys=())
    with (
        server.entered(worked_out) as (socks, logs),
        dialled(socks, PUBLIC, 443) as connection,
    ):
        connection.sendall(PLAIN)
        blocked = "-> block] email: ~nobody"
        until(lambda: blocked in logs.access.read_text(), "nobody to be blocked")


def test_a_rule_for_a_key_holds_for_its_next_generation(lane: Lane, tmp_path: Path) -> None:
    rule = Rule(outbound="block", key=("alice",))
    server, psk = served(lane, tmp_path, keys=(Key(name="alice~2"),), rules=(rule,))
    with server.entered(psk) as (socks, logs), dialled(socks, PUBLIC, 443) as connection:
        connection.sendall(PLAIN)
        until(lambda: "-> block] email: alice~2" in logs.access.read_text(), "the rule")


@pytest.mark.parametrize("said", [PLAIN, DISGUISED], ids=["plain", "disguised"])
def test_a_core_that_checks_nothing_before_it_dials_is_guarded_too(
    lane: Lane, tmp_path: Path, said: bytes
) -> None:
    server, psk = served(lane, tmp_path, core=Core(version="26.5.2"))
    # The pinned core made as careless as the old one, which is not at hand.
    server.config["outbounds"][0]["settings"]["finalRules"] = [{"action": "allow"}]
    with server.entered(psk) as (socks, logs), ExitStack() as stack:
        for address in GUARDED:
            stack.enter_context(dialled(socks, address, lane.forbidden.port)).sendall(said)
        until(lambda: logs.blocked() >= len(GUARDED), "all to be blocked")
    assert lane.forbidden.reached == []
