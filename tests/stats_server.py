"""Xray's StatsService in this process, over a unix socket, with the counters a test says."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from ops.counting.xray_api.stubs import stats_pb2, stats_pb2_grpc

RUN = "0123456789abcdef0123456789abcdef"
COUNTERS = {
    "user>>>alice>>>traffic>>>uplink": 100,
    "user>>>alice>>>traffic>>>downlink": 2_000_000_000_000,
    "user>>>bob@example.com>>>traffic>>>downlink": 7,
    "inbound>>>reality>>>traffic>>>uplink": 120,
    "inbound>>>reality>>>traffic>>>downlink": 2_100_000_000_000,
    "inbound>>>api-in>>>traffic>>>uplink": 55,
    "outbound>>>direct>>>traffic>>>uplink": 0,
    "outbound>>>direct>>>traffic>>>downlink": 0,
    f"outbound>>>run-{RUN}>>>traffic>>>uplink": 0,
    f"outbound>>>run-{RUN}>>>traffic>>>downlink": 0,
}


@dataclass
class Stats(stats_pb2_grpc.StatsServiceServicer):
    """A core's statistics; what it is asked is kept."""

    counters: Mapping[str, int] = field(default_factory=lambda: dict(COUNTERS))
    uptime: int = 3600
    status: grpc.StatusCode = grpc.StatusCode.OK
    calls: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def QueryStats(self, request: Any, context: Any) -> stats_pb2.QueryStatsResponse:  # noqa: N802
        self.calls.append("QueryStats")
        self.requests.append(request.SerializeToString())
        if self.status is not grpc.StatusCode.OK:
            context.abort(self.status, "so it is")
        stats = (stats_pb2.Stat(name=n, value=v) for n, v in self.counters.items())
        return stats_pb2.QueryStatsResponse(stat=stats)

    def GetSysStats(self, request: Any, context: Any) -> stats_pb2.SysStatsResponse:  # noqa: N802
        self.calls.append("GetSysStats")
        return stats_pb2.SysStatsResponse(Uptime=self.uptime)


@contextmanager
def serving(path: Path, stats: Stats | None) -> Iterator[None]:
    """Serve *stats* at *path*, or with None an API without StatsService."""
    server = grpc.server(ThreadPoolExecutor(4))
    if stats:
        stats_pb2_grpc.add_StatsServiceServicer_to_server(stats, server)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()
