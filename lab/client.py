"""Run the real Xray client in the world of a lab, with the config of a key."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from lab.cgroup import Cgroup
from lab.core import ensure_core
from lab.errors import LabError
from lab.record import Record
from lab.traffic import Client
from lab.waiting import wait_until
from lab.world import World


@contextmanager
def run_client(lab: Record, config: str | Mapping[str, Any]) -> Iterator[Client]:
    """Run the real Xray client in the world with *config*, as JSON or as a dict.

    Its socks inbound gets a free port, so several clients can run at once. Other inbounds are
    removed. LabError if the client does not start.
    """
    world = World(lab)
    port = world.free_port()
    given = json.loads(config) if isinstance(config, str) else dict(config)
    text = json.dumps(_trusting(world, _listening_on(port, given)))
    with tempfile.TemporaryFile(dir=lab.folder) as log:
        words = world.entering(ensure_core().program, "run", "-config", "stdin:")
        process = subprocess.Popen(
            Cgroup(f"{lab.name}/clients").entering(*words),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={k: v for k, v in os.environ.items() if not k.startswith("XRAY_")},
        )
        try:
            _start(process, text, world, port, log)
            yield Client(world, port)
        finally:
            process.terminate()
            process.wait()


def _start(
    process: subprocess.Popen[bytes], text: str, world: World, port: int, log: IO[bytes]
) -> None:
    assert process.stdin  # noqa: S101  # it is a pipe
    with suppress(BrokenPipeError), process.stdin as pipe:  # the log shows the reason
        pipe.write(text.encode())
    try:
        wait_until(lambda: _accepts(process, world, port), "the Xray client listens")
    except LabError as error:
        log.seek(0)
        output = log.read().decode(errors="replace").strip()
        raise LabError(f"{error}\n{output}") from error


def _accepts(process: subprocess.Popen[bytes], world: World, port: int) -> bool:
    if process.poll() is not None:
        raise LabError(f"the Xray client ended with {process.returncode}:")
    try:
        world.connect(port).close()
    except OSError:
        return False
    return True


def _trusting(world: World, config: dict[str, Any]) -> dict[str, Any]:
    """Make the client trust the lab's authority, because Xray ignores $SSL_CERT_FILE."""
    for outbound in config["outbounds"]:
        stream = outbound.get("streamSettings", {})
        if stream.get("security") == "tls":
            authority = {"usage": "verify", "certificateFile": str(world.trusted)}
            stream.setdefault("tlsSettings", {})["certificates"] = [authority]
    return config


def _listening_on(port: int, config: Mapping[str, Any]) -> dict[str, Any]:
    proxies = [one for one in config["inbounds"] if one["protocol"] in ("socks", "mixed")]
    if not proxies:
        raise LabError("the client's config has no socks inbound to send traffic through")
    inbound = {**proxies[0], "listen": "127.0.0.1", "port": port}
    return {**config, "inbounds": [inbound]}
