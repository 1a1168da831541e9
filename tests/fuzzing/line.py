"""The wire's stand-ins: a line whose commands print what a case says, and a gRPC stub."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import grpc
from grpc.aio import AioRpcError, Metadata

from ops.counting.tunnel.commands import ProcessOutput, output_of
from ops.counting.xray_api import Api
from ops.model import Host
from tests import framing
from tests.fuzzing.mutating import TOKENS, mangled

MARK = "0123456789abcdef"
Answer = Callable[[str], bytes]


@dataclass
class FuzzedLine:
    """What `ops.counting.tunnel.Line` is, to those who run commands over it."""

    host: Host
    rng: Random
    answer: Answer
    """From a command to what it prints."""
    breaks: float = 0.1
    """How often the frame itself, its status or the words on stderr are wrong."""
    said: dict[str, str] = field(default_factory=dict)
    """What was believed of each command."""

    async def run(self, command: str, *_: Any, **__: Any) -> str:
        """Return what *command* prints, as a line does."""
        stdout, stderr = framing.output(MARK, self.answer(command), 0), b""
        if self.rng.random() < 0.3:
            stdout = self.rng.choice(TOKENS) + stdout + self.rng.choice(TOKENS)
        if self.rng.random() < self.breaks:
            status = self.rng.choice((1, 2, 126, 255))
            stdout = framing.output(MARK, self.answer(command), status)
            stderr = framing.complaint(MARK, self.rng.choice(TOKENS))
            if self.rng.random() < 0.7:
                stdout, stderr = mangled(self.rng, stdout), mangled(self.rng, stderr)
        printed = ProcessOutput(stdout, stderr, self.rng.choice((0, 0, 1, 124, None)))
        self.said[command] = text = output_of(printed, MARK, self.host.name, "admin")
        return text

    async def refusal(self, _: object) -> str:
        """Return why nothing is forwarded."""
        return self.rng.choice(("", "open failed", "\x1b[2J"))


class FuzzedStub:
    """What gRPC gives for bytes that a host sends: a message, None, or an error."""

    def __init__(self, rng: Random, stats: bytes, system: bytes) -> None:
        self._rng = rng
        self._answers = {"QueryStats": stats, "GetSysStats": system}

    def __getattr__(self, name: str) -> Any:
        from ops.counting.xray_api.stubs import stats_pb2

        kinds: dict[str, Any] = {
            "QueryStats": stats_pb2.QueryStatsResponse,
            "GetSysStats": stats_pb2.SysStatsResponse,
        }

        async def call(*_: Any, **__: Any) -> Any:
            if self._rng.random() < 0.05:
                raise self._error()
            try:
                return kinds[name].FromString(self._answers[name])
            except Exception:  # noqa: BLE001 - gRPC, too, catches everything here
                return None

        return call

    def _error(self) -> AioRpcError:
        status = self._rng.choice(list(grpc.StatusCode))
        details = self._rng.choice(("", "\x1b[2J", "x" * 100_000, "{0}", "%s"))
        return AioRpcError(status, Metadata(), Metadata(), details)


def api(rng: Random, host: Host, stats: bytes, system: bytes) -> Api:
    """Return the API of *host* that answers with these bytes."""
    found = Api.__new__(Api)
    found._stub, found._host = FuzzedStub(rng, stats, system), host  # type: ignore[assignment]
    return found
