"""Users by the thousand go into a real core while it runs, and out of it again."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from ops.model import layout
from ops.servers.on_host import core as on_host_core
from ops.servers.on_host import files, hot_users, users
from ops.servers.on_host.core import LocalApi
from tests.loopback import free_port, running, until

INBOUNDS = 5


def config(socket: Path, port: int, count: int) -> dict[str, Any]:
    """Return a config with *count* users on each inbound; only the first one needs a port."""
    return {
        "log": {"loglevel": "warning"},
        "api": {"tag": "api", "listen": str(socket), "services": ["HandlerService"]},
        "inbounds": [_inbound(number, port, count) for number in range(INBOUNDS)],
        "outbounds": [{"protocol": "freedom"}],
    }


def _inbound(number: int, port: int, count: int) -> dict[str, Any]:
    ids = (str(uuid.UUID(int=number * 10**6 + user)) for user in range(count))
    clients = [{"id": held, "email": f"user{user}"} for user, held in enumerate(ids)]
    listens = f"127.0.0.{number + 1}"
    settings = {"decryption": "none", "clients": clients}
    return {"tag": f"in{number}", "listen": listens, "port": port, "protocol": "vless"} | {
        "settings": settings
    }


@pytest.mark.parametrize(
    "count", [hot_users.AT_ONCE - 1, hot_users.AT_ONCE, hot_users.AT_ONCE + 1, 4000]
)
def test_any_number_of_users_goes_into_the_running_core_and_out_again(
    core: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """4,000 users on 5 inbounds take longer than the 3 s after which a call is given up."""
    monkeypatch.setattr(on_host_core, "program", lambda: str(core))
    monkeypatch.setattr(hot_users, "ADDED", str(tmp_path / "users.json"))
    socket, port = tmp_path / "api.sock", free_port()
    few, many = (config(socket, port, number) for number in (1, count))
    with running(core, few, tmp_path / "core", port):
        until(socket.exists, "the core's API")
        for wanted in (many, few):
            hot_users.reconcile(wanted)
            assert LocalApi(wanted).users() == users.of_config(wanted)


def test_no_call_adds_more_users_than_it_can_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core that has nobody and takes everything stands in, so that the calls can be counted."""
    calls: list[int] = []

    class Counting(LocalApi):
        def users(self) -> users.Users:
            return {f"in{number}": {} for number in range(INBOUNDS)}

        def call(self, verb: str, *words: str, patience: int = 3) -> Any:
            held = users.of_config(json.loads(Path(words[0]).read_text()))
            calls.append(sum(len(named) for named in held.values()))
            assert patience > 3

    monkeypatch.setattr(hot_users, "LocalApi", Counting)
    monkeypatch.setattr(files, "ROOT", tmp_path)
    files.at(layout.RUNTIME).mkdir(parents=True)
    for count in (1, 99, 100, 101, 499, 500, 501, 1234):
        calls.clear()
        hot_users.reconcile(config(tmp_path / "api.sock", 1, count))
        assert sum(calls) == count * INBOUNDS
        assert max(calls) <= hot_users.AT_ONCE
        assert len(calls) <= 2 * (count * INBOUNDS // hot_users.AT_ONCE + 1)
