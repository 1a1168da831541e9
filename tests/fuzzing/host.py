"""A host of one case: what it truly has, and what it says instead on each of its channels."""

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ops.counting.collecting.probe import PROBE
from ops.counting.xray_api.stubs import stats_pb2
from ops.model import Host
from ops.model.layout import CORE
from tests.fuzzing import truth
from tests.fuzzing.line import FuzzedLine, api
from tests.fuzzing.mutating import NASTY, json_bytes, mangled

_FILE = re.compile(r"([0-9A-Za-z-]+)\.(?:last|minute|begun)\.json")
FLEET = "fleet"
"""The fleet that began the runs."""
_UPTIMES = (0, 5, 3600, 2**31, 2**32 - 1)


@dataclass
class FuzzedHost:
    """What one host says in one case, made when it is asked."""

    host: Host
    rng: Random
    number: int
    stats: bytes = b""
    """Its gRPC reply."""
    printed: bytes = b""
    """What its own `xray api` prints."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What lies on its disk."""

    def __post_init__(self) -> None:
        rng = self.rng
        held = truth.counters(rng, self.run("now"))
        self.stats = self._reply(held)
        system = json.dumps({"Uptime": rng.choice(_UPTIMES)}).encode()
        if rng.random() < 0.2:
            system = json_bytes(rng, {"Uptime": 5})
        self.printed = json_bytes(rng, truth.printout(held)) + b"\n" + system + b"\n"
        for count in range(rng.randrange(4)):
            run = self.run(f"old{count}")
            kind = rng.choice(("last", "minute", "begun"))
            self.files[f"{run}.{kind}.json"] = self._file(run, kind)

    def run(self, name: str) -> str:
        """Return the identity of a run that no other case has."""
        return f"{self.number:012}-{name}"

    def line(self) -> FuzzedLine:
        """Return a line to it."""
        return FuzzedLine(self.host, self.rng, self.answer)

    def api(self) -> Any:
        """Return its API."""
        uptime = stats_pb2.SysStatsResponse(Uptime=self.rng.choice(_UPTIMES)).SerializeToString()
        if self.rng.random() < 0.1:
            uptime = mangled(self.rng, uptime)
        return api(self.rng, self.host, self.stats, uptime)

    def answer(self, command: str) -> bytes:
        """Return what *command* prints."""
        if "statsquery" in command:
            return self.printed
        if command == PROBE:
            return self._probe()
        if command.startswith(CORE):
            true = b"Xray 26.10.10 (Xray, Penetrates Everything.) ac3e243 (go1.27.2 linux/amd64)\n"
            return true if self.rng.random() < 0.5 else mangled(self.rng, true)
        asked = [match[0] for match in _FILE.finditer(command)]
        held = {name: self.files[name] for name in asked if name in self.files}
        parts = [b"= " + name.encode() + b"\n" + content + b"\n" for name, content in held.items()]
        if self.rng.random() < 0.1:
            parts.append(b"= other.last.json\n{}\n")
        return b"".join(parts)

    def _reply(self, held: dict[str, int]) -> bytes:
        rng = self.rng
        if rng.random() < 0.3:
            name = rng.choice(list(held))
            held = {**held, name: rng.choice((-1, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), 7))}
        if rng.random() < 0.2:
            text = next((n for n in rng.sample(NASTY, 8) if isinstance(n, str)), "x")
            text = text.encode("utf-8", "replace").decode()
            held = {**held, f"user>>>{text}>>>traffic>>>uplink": 5}
        pairs = list(held.items())
        if rng.random() < 0.1:
            pairs.append(rng.choice(pairs))
        if rng.random() < 0.1:
            pairs.append((f"outbound>>>run-{rng.choice(('x', '', ' '))}>>>traffic>>>uplink", 0))
        stats = [stats_pb2.Stat(name=name, value=value) for name, value in pairs]
        reply = stats_pb2.QueryStatsResponse(stat=stats).SerializeToString()
        how = rng.random()
        return reply if how < 0.6 else mangled(rng, reply) if how < 0.95 else rng.randbytes(99)

    def _file(self, run: str, kind: str) -> bytes:
        held = {
            "run": run,
            "kind": kind,
            "read_at": "2026-11-25T12:00:00.123Z",
            "counting_since": self.rng.choice(("2026-11-25T11:00:00.000Z", "")),
            "statsquery": truth.printout(truth.counters(self.rng, run)),
        }
        return json_bytes(self.rng, held)

    def _probe(self) -> bytes:
        lines = ["boot b", "card hardware 1 500 700", "clock 1764072000", "machine m1"]
        lines += ["core installed", f"fleet {FLEET}", "before r0"]
        lines += [f"file {len(text)} 1764072000.5 {name}" for name, text in self.files.items()]
        whole = "\n".join([*lines, "end", ""]).encode()
        return whole if self.rng.random() < 0.7 else mangled(self.rng, whole)
